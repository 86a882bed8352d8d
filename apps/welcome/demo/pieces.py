"""The pieces of the deployment as processes of their own: environments in, things to stop or kill out."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 180.0
KILLED_WITHIN_SECONDS = 10.0


class PieceFailed(Exception):
    """A process did not come up; the message holds the end of its log."""


class Piece:
    """One process, in a session of its own, with its output in a file."""

    def __init__(
        self, name: str, command: list[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self._offset = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        """What this process has written."""
        with self.log.open("rb") as written:
            written.seek(self._offset)
            return written.read().decode(errors="replace")

    def await_line(self, wanted: str) -> None:
        """Return when a line with these words was written; raises PieceFailed when the process ends first."""
        deadline = time.monotonic() + START_SECONDS
        while wanted not in self.text():
            self._check(deadline)
            time.sleep(0.02)

    def await_url(self, url: str) -> None:
        """Return when the address answers."""
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            self._check(deadline)
            time.sleep(0.02)

    def _check(self, deadline: float) -> None:
        if self.process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(self.text().splitlines()[-12:])
            raise PieceFailed(f"{self.name} did not start; the end of {self.log}:\n{tail}")

    def members(self) -> set[int]:
        """Process ids of its whole session."""
        return {pid for pid in _processes() if _session(pid) == self.process.pid}

    def kill_all(self) -> set[int]:
        """Kill -9 the process and everything it started, at once; the process ids that were killed."""
        members = self.members()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        # The others end in their own time, and nobody here is their parent.
        deadline = time.monotonic() + KILLED_WITHIN_SECONDS
        while alive(members) and time.monotonic() < deadline:
            time.sleep(0.01)
        return members

    def stop(self, seconds: float = 20.0) -> None:
        """Ask it to end, then insist."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill_all()


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=2)
    except httpx.TransportError:
        return False
    return True


def _processes() -> Iterator[int]:
    proc = Path("/proc")
    if proc.is_dir():
        yield from (int(entry.name) for entry in proc.iterdir() if entry.name.isdigit())
        return
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True
    )
    yield from (int(word) for word in listed.stdout.split())


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


def alive(pids: set[int]) -> set[int]:
    """Those of the processes that still run (a zombie does not)."""
    living = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            living.add(pid)
    return living


def free_port(wanted: int = 0) -> int:
    """The wanted port of 127.0.0.1 if it is free, else another."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port of 127.0.0.1 is free")


def start_pool(environment: Mapping[str, str], log: Path) -> Piece:
    """Start a worker pool and return at once; ``await_line("pool.ready")`` tells when it works."""
    return Piece("the worker pool", [sys.executable, "-m", "waymark_worker"], environment, log)


def start_app(environment: Mapping[str, str], port: int, log: Path) -> Piece:
    """Start the FastAPI service."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "welcome.web:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    return Piece("the app", command, environment, log)


@contextmanager
def stopping(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Stop whatever was added, newest first, however this ends."""
    try:
        yield pieces
    finally:
        for piece in reversed(pieces):
            piece.stop()
