"""Bad input for `waymark-start-workers` in; the exact first screen, and that nothing is left of the try, out.

What differs from machine to machine is written as {DATABASE}, {FOLDER}, {PATHS} and {PORT} in `messages/`.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from tests.support.databases import Server
from tests.support.processes import Child, Processes
from waymark_schema.database.settings import from_environment

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]

MESSAGES = Path(__file__).parent / "messages"
CANNOT_START = 78
MOST_LINES = 15

GOOD = """
from waymark import Workflow, action, workflow


@action
async def add(x: int) -> int:
    return x + 1


@workflow
class Adding(Workflow):
    async def run(self, x: int) -> int:
        return await add(x)
"""
BAD = """
from waymark import Workflow, action, workflow


@action
async def add(x: int) -> int:
    return x + 1


@workflow
class Reading(Workflow):
    async def run(self, x: int) -> int:
        return eval("x") + await add(x)
"""
MODULES = {
    "good.py": GOOD,
    "uncompilable.py": BAD,
    "broken.py": "import a_module_that_nobody_has\n",
    "failing.py": "\nSHARE = 1 / 0\n",
    "leaving.py": "raise SystemExit(3)\n",
    "blank.py": "nothing = None\n",
}
# Stands in for a server, and for an installation, that this machine does not have.
OLD_SERVER = "import waymark_schema.database.sessions as room; room.MINIMUM_SERVER = 990_000"
NO_WEB = (
    "import importlib.util; found = importlib.util.find_spec;"
    " importlib.util.find_spec = lambda name, *rest: None if name == 'waymark_web' else found(name, *rest)"
)
RUN = "; from waymark_worker.cli import main; raise SystemExit(main())"


@dataclass(frozen=True)
class Case:
    """One wrong start. ``changes``: variables; ``before``: a statement run in the migrated database first."""

    name: str
    changes: dict[str, str] = field(default_factory=dict)
    migrated: bool = True
    before: str = ""
    stand_in: str = ""


CASES = [
    Case("no_database_url", {"WAYMARK_DATABASE_URL": ""}),
    Case("wrong_database_url", {"WAYMARK_DATABASE_URL": "mysql://app:hush@db/app"}),
    Case(
        "unreachable_server", {"WAYMARK_DATABASE_URL": "postgresql://app:hush@127.0.0.1:{PORT}/app"}
    ),
    Case("unknown_database", {"WAYMARK_DATABASE_URL": "{NOBODYS}"}),
    Case("old_server", stand_in=OLD_SERVER),
    Case("no_create_permission", {"WAYMARK_DATABASE_URL": "{POOR}"}, migrated=False),
    Case("newer_schema", before="update waymark.migrations set minimum_code = 999"),
    Case("no_module", {"WAYMARK_USER_MODULE": ""}),
    Case("unknown_module", {"WAYMARK_USER_MODULE": "goood"}),
    Case("module_with_missing_import", {"WAYMARK_USER_MODULE": "broken"}),
    Case("module_that_fails", {"WAYMARK_USER_MODULE": "failing"}),
    Case("module_that_exits", {"WAYMARK_USER_MODULE": "leaving"}),
    Case("module_without_anything", {"WAYMARK_USER_MODULE": "blank"}),
    Case("uncompilable_workflow", {"WAYMARK_USER_MODULE": "uncompilable"}),
    Case("web_not_installed", {"WAYMARK_WEBAPP_ENABLED": "true"}, stand_in=NO_WEB),
    Case("wrong_web_address", {"WAYMARK_WEBAPP_ENABLED": "yes", "WAYMARK_WEBAPP_ADDR": "here"}),
    Case(
        "busy_port",
        {"WAYMARK_WEBAPP_ENABLED": "true", "WAYMARK_WEBAPP_ADDR": "127.0.0.1:{BUSY}"},
    ),
    Case("wrong_number", {"WAYMARK_WORKER_COUNT": "two"}),
    Case("wrong_bounds", {"WAYMARK_LOCK_TTL_MS": "50"}),
    Case("wrong_heartbeat", {"WAYMARK_LOCK_HEARTBEAT_MS": "12000"}),
    Case("wrong_choice", {"WAYMARK_LOG_LEVEL": "loud"}),
    Case("wrong_truth", {"WAYMARK_AUTO_MIGRATE": "perhaps"}),
]


@dataclass
class Desk:
    """Where wrong starts are made: a folder of modules, a database, ports, a role that may do nothing."""

    folder: Path
    url: str
    server: Server
    processes: Processes
    busy: int
    closed: int

    def start(self, case: Case) -> Child:
        words = {
            "{PORT}": str(self.closed),
            "{BUSY}": str(self.busy),
            "{NOBODYS}": self.server.url_of("nobodys_database"),
            "{POOR}": self.poor_url() if "{POOR}" in case.changes.values() else "",
        }
        changes = dict(case.changes)
        for word, meaning in words.items():
            changes = {name: value.replace(word, meaning) for name, value in changes.items()}
        environment = {
            "WAYMARK_DATABASE_URL": self.url,
            "WAYMARK_USER_MODULE": "good",
            "WAYMARK_DATABASE_WAIT_S": "1",
            "WAYMARK_WORKER_COUNT": "2",
            **changes,
        }
        if case.stand_in:
            return self.processes.start_python(
                "-c", case.stand_in + RUN, environment=environment, cwd=self.folder
            )
        return self.processes.start_command(
            "waymark-start-workers", environment=environment, cwd=self.folder
        )

    def poor_url(self) -> str:
        """Return the same database for a role without any grant."""
        role = f"poor_{uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create role {role} login password 'hush'".encode())
        self.roles.append(role)
        parts = urlsplit(self.url)
        place = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{role}:hush@{place}"))

    roles: list[str] = field(default_factory=list)

    def normal(self, text: str) -> str:
        """Write what belongs to this machine as words."""
        for url, word in (
            (self.url, "{DATABASE}"),
            (self.server.url_of("nobodys_database"), "{NOBODYS}"),
        ):
            target = from_environment({"WAYMARK_DATABASE_URL": url}).target
            for role in self.roles:
                text = text.replace(re.sub(r" as \S+$", f" as {role}", target), "{DATABASE}")
            text = text.replace(target, word)
        text = re.sub(r"was found in .*?…\.", "was found in {FOLDER}, {PATHS}, ….", text)
        text = re.sub(
            r"connection to server (at|on) .*? failed:", "connection to server failed:", text
        )
        for role in self.roles:
            text = text.replace(role, "{ROLE}")
        database = urlsplit(self.url).path[1:]
        text = text.replace(database, "{NAME}").replace(str(self.folder), "{FOLDER}")
        text = text.replace(str(self.closed), "{PORT}").replace(str(self.busy + 1), "{PORT + 1}")
        text = text.replace(str(self.busy), "{PORT}")
        return re.sub(r"PostgreSQL \d+\.\d+", "PostgreSQL {VERSION}", text)

    def close(self) -> None:
        self.processes.end()
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            for role in self.roles:
                connection.execute(f"drop role {role}".encode())


@pytest.fixture
def desk_on(
    test_server: Server, template_database: str, tmp_path: Path
) -> Iterator[Callable[[Case], Desk]]:
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    made: list[Desk] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as busy,
        test_server.database(template=template_database) as migrated,
        test_server.database() as empty,
    ):
        with socket.create_server(("127.0.0.1", 0)) as free:
            closed = free.getsockname()[1]

        def make(case: Case) -> Desk:
            url = migrated if case.migrated else empty
            port = busy.getsockname()[1]
            made.append(Desk(tmp_path, url, test_server, Processes(), port, closed))
            if case.before:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(case.before.encode())
            return made[0]

        yield make
        for desk in made:
            desk.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_start_that_cannot_work_says_what_to_do(
    desk_on: Callable[[Case], Desk], case: Case
) -> None:
    desk = desk_on(case)
    pool = desk.start(case)
    status = pool.wait(seconds=60)
    shown = desk.normal(pool.output) + "\n"
    expected = (MESSAGES / f"pool_{case.name}.txt").read_text(encoding="utf-8")
    assert shown == expected
    assert status == CANNOT_START
    assert len(pool.lines) <= MOST_LINES
    assert "Traceback" not in pool.output
    assert "hush" not in pool.output
    desk.processes.assert_none_left()
    assert _left_in(desk.url) == []


def _left_in(url: str) -> list[str]:
    """Tables of ours that hold a row; what is migrated may be there, nothing else."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'waymark' and table_name <> 'migrations'"
        ).fetchall()
        return [
            name
            for (name,) in tables
            if connection.execute(f"select 1 from waymark.{name} limit 1".encode()).fetchone()
        ]


def test_every_message_is_of_a_case() -> None:
    assert {path.stem for path in MESSAGES.glob("pool_*.txt")} == {
        f"pool_{case.name}" for case in CASES
    }


def test_a_variable_that_nobody_reads_is_warned_of_with_the_nearest_name(
    desk_on: Callable[[Case], Desk],
) -> None:
    case = Case("typing mistake", {"WAYMARK_WORKERS_COUNT": "3"})
    pool = desk_on(case).start(case)
    pool.wait_for_line(r"pool\.ready")
    told = [line for line in pool.lines if "WAYMARK_WORKERS_COUNT" in line]
    assert len(told) == 1, "once for the whole pool"
    assert "did you mean WAYMARK_WORKER_COUNT?" in told[0]
    assert pool.terminate() == 0


def test_the_first_line_says_what_runs_where_and_why(desk_on: Callable[[Case], Desk]) -> None:
    case = Case("fine")
    desk = desk_on(case)
    pool = desk.start(case)
    line = pool.wait_for_line(r"pool\.ready.*")[0]
    assert re.fullmatch(
        r"pool\.ready: pool \d+ on \{DATABASE\}: 2 workers \(WAYMARK_WORKER_COUNT\), 20 slots,"
        r" 1 workflow, 1 action",
        desk.normal(line),
    )
    assert pool.terminate() == 0


def test_a_server_that_may_lose_commits_is_warned_of(desk_on: Callable[[Case], Desk]) -> None:
    case = Case("fine")
    desk = desk_on(case)
    with psycopg.connect(desk.url) as connection:
        (fsync,) = connection.execute("show fsync").fetchone() or ("",)
    pool = desk.start(case)
    pool.wait_for_line(r"pool\.ready")
    assert ("fsync = off" in pool.output) is (fsync == "off")
    assert pool.terminate() == 0
