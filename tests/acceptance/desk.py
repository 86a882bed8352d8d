"""Wrong starts of shipped commands and users' programs in; their screens, fit to be compared, out.

What differs from machine to machine is written as {DATABASE}, {FOLDER}, {PATHS} and {PORT} in `messages/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from tests.support.databases import Server
from tests.support.processes import Child, Processes
from waymark_schema.database.settings import from_environment

MESSAGES = Path(__file__).parent / "messages"
CANNOT_START = 78
MOST_LINES = 15
RUN = "; from waymark_worker.cli import main; raise SystemExit(main())"

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
    "starting.py": GOOD + "\n\nAdding().run_sync(1)\n",
    "awaiting.py": GOOD + "\n\nimport asyncio\nasyncio.run(Adding().run(1))\n",
    "endless.py": "import threading\nthreading.Event().wait()\n",
    "blank.py": "nothing = None\n",
}


@dataclass(frozen=True)
class Case:
    """One wrong start. ``changes``: variables; ``before``: a statement run in the migrated database first.

    ``command`` is what is started, ``program`` a user's script instead, ``stand_in`` what is executed before
    the pool's own ``main``.
    """

    name: str
    changes: dict[str, str] = field(default_factory=dict)
    migrated: bool = True
    before: str = ""
    stand_in: str = ""
    command: tuple[str, ...] = ("waymark-start-workers",)
    program: str = ""


@dataclass
class Desk:
    """Where wrong starts are made: a folder of modules, a database, ports, a role that may do nothing."""

    folder: Path
    runtime: Path
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
            "WAYMARK_RUNTIME_DIR": str(self.runtime),
            "WAYMARK_BRIDGE_IDLE_EXIT_S": "0.5",
            "WAYMARK_WEBAPP_ADDR": f"127.0.0.1:{self.closed}",
            **changes,
        }
        if case.program:
            script = self.folder / "app.py"
            script.write_text(case.program)
            return self.processes.start_python(
                script.name, environment=environment, cwd=self.folder
            )
        if case.stand_in:
            return self.processes.start_python(
                "-c", case.stand_in + RUN, environment=environment, cwd=self.folder
            )
        return self.processes.start_command(*case.command, environment=environment, cwd=self.folder)

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
        text = re.sub(r"was found in .*?\. (?=D)", "was found in {FOLDER}, {PATHS}. ", text)
        text = re.sub(
            r"connection to server (at|on) .*? failed:", "connection to server failed:", text
        )
        # A patient command may run out of time in the middle of its last try.
        refused = "connection failed: connection to server failed: Connection refused"
        text = text.replace("said: connection timeout expired", f"said: {refused}")
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


def left_in(url: str) -> list[str]:
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
