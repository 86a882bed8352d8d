"""Nothing in; a project directory with one module of workflows out."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Child, Processes

_MODULE = """
from waymark import Workflow, action, workflow


@action
async def add(left: int, right: int) -> int:
    return left + right


@workflow
class Adding(Workflow):
    async def run(self, number: int) -> int:
        return await add(left=number, right=1)
"""


class Project:
    """A directory as a user has it, and `waymark dev` in it."""

    def __init__(self, directory: Path, processes: Processes) -> None:
        self.directory = directory
        self.address = f"127.0.0.1:{_free_port()}"
        self._processes = processes

    def dev(self, *arguments: str, database_url: str = "") -> Child:
        return self._start("waymark", "dev", *arguments, database_url=database_url)

    def python(self, code: str, *, database_url: str, name: str = "script") -> Child:
        """Run a script; it lies where nobody follows files."""
        (self.directory / ".scripts").mkdir(exist_ok=True)
        script = self.directory / ".scripts" / f"{name}.py"
        script.write_text(f"import sys\nsys.path.insert(0, {str(self.directory)!r})\n{code}")
        return self._start("python", str(script), database_url=database_url)

    def save(self, name: str, text: str) -> None:
        """Write a file as editors do: aside first, then renamed into its place."""
        path = self.directory / name
        aside = path.with_name(f"{path.name}.tmp")
        aside.write_text(text)
        aside.rename(path)

    def environment(self, database_url: str = "") -> dict[str, str]:
        """What everything here is started with."""
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "WAYMARK_DATABASE_URL": database_url,
            "WAYMARK_USER_MODULE": "",
            "WAYMARK_WEBAPP_ADDR": self.address,
            "WAYMARK_WORKER_COUNT": "1",
            "WAYMARK_BRIDGE_MODE": "inprocess",
            "WAYMARK_PG_BIN": os.environ.get("WAYMARK_TEST_PG_BIN", ""),
        }

    def _start(self, name: str, *arguments: str, database_url: str) -> Child:
        environment = self.environment(database_url)
        return self._processes.start_command(
            name, *arguments, environment=environment, cwd=self.directory
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def project(processes: Processes) -> Iterator[Project]:
    # Short, for the socket's sake, and of a mode that lets any identity of Postgres in.
    directory = Path(tempfile.mkdtemp(prefix="wm-"))
    directory.chmod(0o755)
    (directory / "flows.py").write_text(_MODULE)
    try:
        yield Project(directory, processes)
    finally:
        processes.end()
        shutil.rmtree(directory)
