"""Nothing in; a deployment of the shipped commands out: `shop`, with a database, a pool and an app; `desk_on` for wrong starts."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.desk import MODULES, Case, Desk
from tests.support.databases import Server
from tests.support.processes import Child, Processes, wait_until

APP = Path(__file__).parent / "app"
READY = r"pool.ready"


@dataclass
class Shop:
    """One deployment: every process is a shipped command or a plain Python program of a user."""

    url: str
    folder: Path
    runtime: Path
    processes: Processes
    variables: dict[str, str] = field(default_factory=dict)
    pools: list[Child] = field(default_factory=list)

    @property
    def ledger(self) -> Path:
        """Where actions note what they do."""
        return self.folder / "ledger.txt"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the deployment gets."""
        return {
            "WAYMARK_DATABASE_URL": self.url,
            "WAYMARK_RUNTIME_DIR": str(self.runtime),
            "WAYMARK_BRIDGE_IDLE_EXIT_S": "2",
            "SHOP_LEDGER": str(self.ledger),
            **self.variables,
        }

    def start_pool(self, **variables: str) -> Child:
        """Start `waymark-start-workers` and wait until it can run calls."""
        environment = {
            **self.environment,
            "WAYMARK_USER_MODULE": "shop",
            "WAYMARK_WORKER_COUNT": "2",
            **variables,
        }
        pool = self.processes.start_command(
            "waymark-start-workers", environment=environment, cwd=APP
        )
        self.pools.append(pool)
        pool.wait_for_line(READY, seconds=180)
        return pool

    def app(self, program: str) -> Child:
        """Start a user's program: plain Python in the folder of the app."""
        return self.processes.start_python("-c", program, environment=self.environment, cwd=APP)

    def ask(self, program: str, *, seconds: float = 60) -> Any:
        """Run a program to its end; what it printed last, as JSON."""
        child = self.app("import asyncio, json, shop, waymark\n" + program)
        status = child.wait(seconds=seconds)
        assert status == 0, child.output
        return json.loads(child.lines[-1])

    def lines(self, word: str) -> list[list[str]]:
        """Lines of the ledger that begin with a word, split."""
        if not self.ledger.exists():
            return []
        found = [line.split() for line in self.ledger.read_text().splitlines()]
        return [line for line in found if line and line[0] == word]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the database as an operator would."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def wait_for(self, query: str, *, seconds: float = 60) -> None:
        """Wait until a query's single value is true."""
        wait_until(lambda: self.rows(query)[0][0], seconds=seconds, what=query)


def deployed(server: Server, template: str, folder: Path) -> Iterator[Shop]:
    """A shop on a database of its own, ended with everything it started."""
    processes = Processes()
    # A unix socket's path may have 104 bytes; pytest's own folders leave too few of them.
    with (
        tempfile.TemporaryDirectory(prefix="wm-") as short,
        server.database(template=template) as url,
    ):
        try:
            yield Shop(url, folder, Path(short), processes)
        finally:
            processes.end()


@pytest.fixture
def shop(test_server: Server, template_database: str, tmp_path: Path) -> Iterator[Shop]:
    """A deployment without a pool yet, for tests that kill things."""
    yield from deployed(test_server, template_database, tmp_path)


@pytest.fixture(scope="module")
def open_shop(
    test_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A deployment with a pool, shared by the tests of a module that leave it as it is."""
    for shop in deployed(test_server, template_database, tmp_path_factory.mktemp("shop")):
        shop.start_pool()
        yield shop


@pytest.fixture
def desk_on(
    test_server: Server, template_database: str, tmp_path: Path
) -> Iterator[Callable[[Case], Desk]]:
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    made: list[Desk] = []
    # A unix socket's path may have 104 bytes; pytest's own folders leave too few of them.
    with (
        tempfile.TemporaryDirectory(prefix="wm-") as short,
        socket.create_server(("127.0.0.1", 0)) as busy,
        test_server.database(template=template_database) as migrated,
        test_server.database() as empty,
    ):
        with socket.create_server(("127.0.0.1", 0)) as free:
            closed = free.getsockname()[1]

        def make(case: Case) -> Desk:
            url = migrated if case.migrated else empty
            port = busy.getsockname()[1]
            made.append(Desk(tmp_path, Path(short), url, test_server, Processes(), port, closed))
            if case.before:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(case.before.encode())
            return made[0]

        yield make
        for desk in made:
            desk.close()
