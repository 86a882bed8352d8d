"""A database in; pools on it, runs to queue and what became of them out: `farm`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.worker import jobs
from tests.support.processes import Child, Processes, descendants, listing, wait_until
from waymark.coercion import codec
from waymark.starting import prepare
from waymark_schema.database.execute import fetch_all_sync
from waymark_schema.database.sessions import open_session_sync
from waymark_schema.database.settings import from_environment
from waymark_schema.ids import InstanceId, program_id
from waymark_schema.inputs import pack_inputs
from waymark_schema.ir import digest as ir
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import instances, notifications
from waymark_schema.tables.programs import NewProgram
from waymark_schema.tables.transactions import store_program_sync

HERE = Path(__file__).parents[3]
READY = r"pool\.ready"
LOSS = re.compile(r"runloop\.(died|stuck)|lease\.(fenced|fenced_by_another|lost)\b")
"""What pools say when a lease, or what held it, is gone."""
COPY_RUN = """
with copy as materialized (select gen_random_uuid() as id from generate_series(1, %s)),
runs as (
    insert into waymark.instances (
        id, program, state, wake_at, started_at, finished_at, epoch, inputs, result
    )
    select c.id, i.program, i.state, i.wake_at, i.started_at, i.finished_at, i.epoch, i.inputs, i.result
    from copy as c, waymark.instances as i where i.id = %s
),
entries as (
    insert into waymark.journal (
        instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, local, python_minor
    )
    select c.id, j.position, j.kind, j.call, j.attempt, j.action, j.inputs, j.outcome, j.outcome_kind,
        j.local, j.python_minor
    from copy as c, waymark.journal as j where j.instance = %s
)
insert into waymark.snapshots (instance, position, python_minor, state)
select c.id, s.position, s.python_minor, s.state
from copy as c, waymark.snapshots as s where s.instance = %s
"""


@dataclass
class Farm:
    """Pools on one database, as a test starts and ends them."""

    url: str
    folder: Path
    processes: Processes
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def ledger_path(self) -> Path:
        return self.folder / "ledger.txt"

    def start(self, **variables: str) -> Child:
        """Start a pool and wait until it can run calls."""
        pool = self.launch(**variables)
        pool.wait_for_line(READY, seconds=300)
        return pool

    def start_several(self, count: int, **variables: str) -> list[Child]:
        """Start pools together and wait until each can run calls."""
        pools = [self.launch(**variables) for _ in range(count)]
        for pool in pools:
            pool.wait_for_line(READY, seconds=300)
        return pools

    def launch(self, **variables: str) -> Child:
        """Start a pool."""
        return self.processes.start_command(
            "waymark-start-workers", environment=self.environment(**variables), cwd=HERE
        )

    def environment(self, **variables: str) -> dict[str, str]:
        """What a pool of this farm is started with."""
        return {
            "WAYMARK_DATABASE_URL": self.url,
            "WAYMARK_USER_MODULE": "tests.integration.worker.jobs",
            "WAYMARK_WORKER_COUNT": "2",
            "WAYMARK_DATABASE_WAIT_S": "5",
            jobs.LEDGER: str(self.ledger_path),
            **self.variables,
            **variables,
        }

    def queue(self, workflow: Any, *arguments: tuple[Any, ...]) -> list[UUID]:
        """Register the workflow's program and queue one run for each tuple of arguments."""
        requests = [prepare(workflow, given, {}).request for given in arguments]
        session = open_session_sync(self.settings, application="test")
        try:
            report = requests[0].program
            program = ir.decode(report.program)
            new = NewProgram(
                workflow=report.workflow,
                version=report.version,
                digest=report.digest,
                format=program.format,
                semantics=program.semantics,
                actions=[entry.key for entry in program.actions],
                program=report.program,
                source=report.source,
            )
            store_program_sync(session, new)
            runs = [
                instances.NewInstance(
                    InstanceId(request.id),
                    program_id(request.program.digest),
                    pack_inputs(request.inputs, request.attributes),
                )
                for request in requests
            ]
            assert fetch_all_sync(session, instances.enqueue(runs)) == []
            channel = notifications.ready_channel(session.schema)
            fetch_all_sync(session, notifications.notify([(channel, "")]))
        finally:
            session.connection.close()
        return [request.id for request in requests]

    @property
    def settings(self) -> Any:
        return from_environment({"WAYMARK_DATABASE_URL": self.url})

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read or write the database as an operator would."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, query: str, *values: object, seconds: float = 120) -> None:
        """Wait until the single value of a query is true."""
        wait_until(lambda: self.query(query, *values)[0][0], seconds=seconds, what=query)

    def finished(self, ids: list[UUID], *, seconds: float = 120) -> list[Any]:
        """Wait for these runs; results of those that completed, exceptions of the others."""

        def states() -> Counter[int]:
            found = self.query("select state from waymark.instances where id = any(%s)", ids)
            return Counter(state for (state,) in found)

        wait_until(
            lambda: min(states(), default=0) >= InstanceState.COMPLETED,
            seconds=seconds,
            what=lambda: f"all of {len(ids)} runs finished; states {dict(states())}",
        )
        found = self.query(
            "select id, state, result, error from waymark.instances where id = any(%s)", ids
        )
        by_id = {row[0]: row for row in found}
        reader = codec()
        return [
            reader.decode(by_id[id_][2] if by_id[id_][1] == 4 else by_id[id_][3]) for id_ in ids
        ]

    def state(self, run: UUID) -> InstanceState:
        (row,) = self.query("select state from waymark.instances where id = %s", run)
        return InstanceState(row[0])

    def ledger(self, word: str) -> list[list[str]]:
        """Lines of the ledger that begin with a word, without it."""
        if not self.ledger_path.exists():
            return []
        lines = [line.split() for line in self.ledger_path.read_text().splitlines()]
        return [line[1:] for line in lines if line and line[0] == word]

    def wait_for_ledger(
        self, word: str, count: int = 1, *, seconds: float = 120
    ) -> list[list[str]]:
        wait_until(
            lambda: len(self.ledger(word)) >= count,
            seconds=seconds,
            what=lambda: f"{count} times {word!r}; there are {len(self.ledger(word))}",
        )
        return self.ledger(word)

    def assert_exactly_once(self) -> None:
        """The journal of every run has no gap and settles no call twice; nothing is owned that is over."""
        gaps = self.query(
            "select instance, count(*), min(position), max(position) from waymark.journal"
            " group by instance having count(*) <> max(position) or min(position) <> 1"
        )
        assert gaps == []
        twice = self.query(
            "select instance, call, count(*) from waymark.journal where kind in (1, 4)"
            " group by instance, call having count(*) > 1"
        )
        assert twice == []
        assert (
            self.query("select id from waymark.instances where state >= 3 and owner is not null")
            == []
        )
        assert (
            self.query(
                "select f.instance, f.call from waymark.in_flight as f left join waymark.instances as i"
                " on i.id = f.instance where i.state is distinct from %s",
                InstanceState.RUNNING,
            )
            == []
        )

    def leases(self) -> list[tuple[Any, ...]]:
        """The number of every lease, and whether it is fenced."""
        return self.query("select id, fenced from waymark.leases order by id")

    def assert_held_throughout(self, leases: list[tuple[Any, ...]], *pools: Child) -> None:
        """These leases, none of them fenced, are still all there are, and no pool has said that it lost anything."""
        said = [line for pool in pools for line in pool.lines if LOSS.search(line)]
        assert said == []
        assert [fenced for _, fenced in leases] == [False] * len(pools)
        assert self.leases() == leases

    def multiply(self, run: UUID, count: int) -> None:
        """Add so many copies of a parked or finished run, with its journal and snapshot."""
        self.query(COPY_RUN, count, run, run, run)

    def runloop(self, pool: Child) -> int:
        """The runloop process of a pool."""
        (found,) = [
            seen.pid
            for seen in listing()
            if seen.parent == pool.pid and "waymark_worker.runloop" in seen.command
        ]
        return found

    def workers(self, pool: Child) -> list[int]:
        """The worker processes of a pool."""
        below = set(descendants(pool.pid))
        return [
            seen.pid
            for seen in listing()
            if seen.pid in below and "waymark.executor" in seen.command
        ]

    def stop(self, pool: Child) -> None:
        """End a pool in order; it must say that all is well."""
        assert pool.terminate() == 0, pool.output


def _farm(url: str, folder: Path) -> Iterator[Farm]:
    processes = Processes()
    farm = Farm(url, folder, processes)
    os.environ[jobs.LEDGER] = str(farm.ledger_path)
    try:
        yield farm
    finally:
        processes.end()
        del os.environ[jobs.LEDGER]


@pytest.fixture
def farm(database_url: str, tmp_path: Path) -> Iterator[Farm]:
    """Pools on a migrated database of the shared server."""
    yield from _farm(database_url, tmp_path)


@pytest.fixture
def bare_farm(empty_database_url: str, tmp_path: Path) -> Iterator[Farm]:
    """Pools on a database that nobody has migrated."""
    yield from _farm(empty_database_url, tmp_path)


@pytest.fixture
def lone_farm(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Farm]:
    """Pools on a server of the test's own."""
    yield from _farm(postgres_server.database_url, tmp_path)
