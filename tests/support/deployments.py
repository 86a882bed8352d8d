"""A database and releases in; apps, bridges and pools of each release, and what became of their runs, out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.support.processes import Child, Processes, wait_until
from tests.support.releases import Release

APP = Path(__file__).parents[1] / "versions" / "app"
_PRELUDE = "import asyncio, json, orders, waymark\n"


@dataclass
class Deployment:
    """Apps and pools, each of a release of its own; one host's bridges; one database, empty at first."""

    url: str
    folder: Path
    runtime: Path
    processes: Processes
    schema: str = "waymark"
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        """Where actions note what they do."""
        return self.folder / f"ledger-{self.schema}.txt"

    def beside(self, schema: str) -> Deployment:
        """Another product: the same host and database, a schema of its own."""
        return replace(self, schema=schema)

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        """What every process gets."""
        return {
            "WAYMARK_DATABASE_URL": self.url,
            "WAYMARK_SCHEMA": self.schema,
            "WAYMARK_RUNTIME_DIR": str(self.runtime),
            "WAYMARK_BRIDGE_IDLE_EXIT_S": "20",
            "WAYMARK_USER_MODULE": "orders",
            "WAYMARK_WORKER_COUNT": "2",
            "WAYMARK_DATABASE_WAIT_S": "10",
            "WAYMARK_EVICT_SLEEP_THRESHOLD_MS": "200",
            "WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "200",
            "ORDERS_LEDGER": str(self.ledger),
            **self.variables,
            **variables,
        }

    def launch_pool(self, release: Release, **variables: str) -> Child:
        """Start a pool of a release."""
        return self.processes.start(
            [release.command("waymark-start-workers")],
            environment=self.environment(variables),
            cwd=APP,
        )

    def start_pool(self, release: Release, **variables: str) -> Child:
        """Start a pool of a release and wait until it can run calls."""
        pool = self.launch_pool(release, **variables)
        pool.wait_for_line(r"pool\.ready", seconds=180)
        return pool

    def app(self, release: Release, program: str, **variables: str) -> Child:
        """Start a user's program under a release."""
        return self.processes.start(
            [release.command("python"), "-c", _PRELUDE + program],
            environment=self.environment(variables),
            cwd=APP,
        )

    def ask(self, release: Release, program: str, **variables: str) -> Any:
        """Run a user's program to its end; what it printed last, as JSON."""
        child = self.app(release, program, **variables)
        status = child.wait(seconds=120)
        assert status == 0, child.output
        return json.loads(child.lines[-1])

    def queue(self, release: Release, *calls: str) -> list[str]:
        """Start runs from an app of a release; each call as the app spells it."""
        listed = ", ".join(calls)
        return list(
            self.ask(
                release,
                "async def main():\n"
                f"    runs = await waymark.Workflow.start_many([{listed}])\n"
                "    print(json.dumps([run.id for run in runs]))\n"
                "asyncio.run(main())",
            )
        )

    def results(self, release: Release, ids: list[str]) -> list[Any]:
        """Wait for runs in an app of a release; their results."""
        return list(
            self.ask(
                release,
                "async def main():\n"
                f"    print(json.dumps([await waymark.Run.get(i).result(timeout=110) for i in {ids!r}]))\n"
                "asyncio.run(main())",
            )
        )

    def lines(self, word: str) -> list[list[str]]:
        """Lines of the ledger that begin with a word, without it: run, call, attempt, key, pid."""
        if not self.ledger.exists():
            return []
        found = [line.split() for line in self.ledger.read_text().splitlines()]
        return [line[1:] for line in found if line and line[0] == word]

    def begun(self) -> Counter[tuple[str, int]]:
        """How often each call of each run was begun."""
        return Counter((line[0], int(line[1])) for line in self.lines("begin"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read or write the database as an operator would; tables are named without their schema."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(self.schema)))
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, query: str, *, seconds: float = 60) -> None:
        """Wait until a query's single value is true."""
        wait_until(lambda: self.rows(query)[0][0], seconds=seconds, what=query)

    def settled(self) -> set[tuple[str, int]]:
        """Calls whose outcome is in the journal: run and call."""
        found = self.rows("select instance, call from journal where kind = 1")
        return {(str(instance), call) for instance, call in found}

    def assert_none_again(
        self, settled: set[tuple[str, int]], begun: Counter[tuple[str, int]]
    ) -> None:
        """No call that was settled at some moment was begun once more since."""
        now = self.begun()
        assert {call: now[call] for call in settled if now[call] > begun[call]} == {}

    def assert_exactly_once(self, ids: list[str]) -> None:
        """Everything ended; journals without a gap, no call settled twice, keys of all attempts the same."""
        states = Counter(self.rows("select state from instances"))
        assert states == Counter({(4,): len(ids)})
        assert (
            self.rows(
                "select instance from journal group by instance"
                " having count(*) <> max(position) or min(position) <> 1"
            )
            == []
        )
        assert (
            self.rows(
                "select instance, call from journal where kind in (1, 4)"
                " group by instance, call having count(*) > 1"
            )
            == []
        )
        keys: dict[tuple[str, str], set[str]] = {}
        for run, call, _, key, _ in self.lines("begin"):
            keys.setdefault((run, call), set()).add(key)
        assert all(len(found) == 1 for found in keys.values())
        self.wait_for("select count(*) = 0 from offers")
