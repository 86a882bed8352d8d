"""Command lines in; running processes whose output can be awaited, and who is left of them, out.

Every process started here carries a mark in its environment. Whatever it starts inherits the mark, however
far it detaches itself, so that "nothing is left" can be held against the list of all processes.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

MARK = "PYTEST_WAYMARK_MARK"
_GLANCE = 0.02
_PIDFD_GETFD = 438
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Seen:
    """A process of the operating system, as listed at one moment."""

    pid: int
    parent: int
    command: str


class Child:
    """A running command with its output, stdout and stderr together, captured line by line."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        cwd: Path | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self._process = subprocess.Popen(
            self.command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        with self._news:
            return list(self._lines)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for_line(self, pattern: str, *, seconds: float = 120, after: int = 0) -> re.Match[str]:
        """Return the first match in a line, from number `after` on; fail when the output ends without."""
        deadline = time.monotonic() + seconds
        seen = after
        with self._news:
            while True:
                for line in self._lines[seen:]:
                    found = re.search(pattern, line)
                    if found is not None:
                        return found
                seen = max(seen, len(self._lines))
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "its output ended" if self._ended else f"{seconds:g} s passed"
                    raise AssertionError(self._story(f"no line matches {pattern!r}: {why}"))
                self._news.wait(left)

    def wait(self, *, seconds: float = 120) -> int:
        """Return the exit status once the process has ended."""
        try:
            status = self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._story(f"still running after {seconds:g} s")) from None
        # Grandchildren may hold the pipe open for longer; what they say later is not awaited.
        self._reader.join(timeout=1)
        return status

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def terminate(self, *, seconds: float = 120) -> int:
        """Ask for an orderly end and return its status."""
        self.send(signal.SIGTERM)
        return self.wait(seconds=seconds)

    def interrupt(self, *, seconds: float = 120) -> int:
        """End it as Ctrl-C does: SIGINT to the whole foreground group."""
        os.killpg(self.pid, signal.SIGINT)
        return self.wait(seconds=seconds)

    def kill(self) -> None:
        """kill -9 this process alone; its children are not told."""
        self._process.kill()
        self._process.wait()

    def kill_tree(self) -> list[int]:
        """kill -9 this process and all its descendants; return their ids."""
        killed = kill_tree(self.pid)
        self._process.wait()
        return killed

    def close(self) -> None:
        """Give up what is held of it; the process must have ended."""
        self._process.wait()
        self._reader.join(timeout=1)
        if not self._reader.is_alive() and self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                with self._news:
                    self._lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _story(self, what: str) -> str:
        with self._news:
            tail = "\n".join(self._lines[-60:])
        return f"{' '.join(self.command)}: {what}. Output:\n{tail}"


@dataclass(slots=True)
class Processes:
    """All the processes that one test starts, and whatever those start."""

    mark: str = field(default_factory=lambda: uuid4().hex)
    _children: list[Child] = field(default_factory=list)

    def start(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Start a command; `environment` is added to ours."""
        child = Child(command, environment=self.environment(environment or {}), cwd=cwd)
        self._children.append(child)
        return child

    def start_python(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Start this interpreter with these arguments."""
        return self.start([sys.executable, *arguments], environment=environment, cwd=cwd)

    def start_command(
        self,
        name: str,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Start a shipped command, such as `waymark-start-workers`, of this environment."""
        return self.start([installed(name), *arguments], environment=environment, cwd=cwd)

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return our environment with `extra` and the mark, for processes that are started otherwise."""
        return {**os.environ, "PYTHONUNBUFFERED": "1", **extra, MARK: self.mark}

    def left(self) -> list[Seen]:
        """Return every process with the mark that still runs."""
        return [seen for seen in listing() if _has_mark(seen.pid, self.mark)]

    def assert_none_left(self, *, seconds: float = 120) -> None:
        """Wait until no process with the mark runs; fail with their command lines."""

        def told() -> str:
            return "\n".join(
                f"{seen.pid} (child of {seen.parent}) {seen.command}" for seen in self.left()
            )

        wait_until(lambda: not self.left(), seconds=seconds, what=lambda: f"left behind:\n{told()}")

    def end(self, *, seconds: float = 3) -> None:
        """kill -9 what was started here, then what did not end by itself after that."""
        for child in self._children:
            if child.running:
                child.kill()
        # A database server whose owner is gone shuts down by itself; killed, it leaves shared memory.
        deadline = time.monotonic() + seconds
        while left := self.left():
            if time.monotonic() > deadline:
                for seen in left:
                    _kill(seen.pid, signal.SIGKILL)
                wait_for_end([seen.pid for seen in left])
            threading.Event().wait(_GLANCE)
        for child in self._children:
            child.close()


def installed(name: str) -> Path:
    """Return the path of a command that the distributions install."""
    return Path(sys.executable).with_name(name)


def wait_until(
    true: Callable[[], object], *, seconds: float = 120, what: str | Callable[[], str] = "condition"
) -> None:
    """Return as soon as `true()` is; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    glance = threading.Event()
    while not true():
        if time.monotonic() > deadline:
            text = what if isinstance(what, str) else what()
            msg = f"not within {seconds:g} s: {text}"
            raise AssertionError(msg)
        glance.wait(_GLANCE)


def hang_up(pid: int, *, on: str) -> int:
    """Break every connection of a process to a peer whose address contains a word; how many there were.

    The far end goes on with what it was told; the process learns that its connection is lost.
    """
    libc, process, broken = ctypes.CDLL(None), os.pidfd_open(pid), 0
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if not str(entry.readlink()).startswith("socket:"):
                continue
            descriptor = libc.syscall(_PIDFD_GETFD, process, int(entry.name), 0)
            with socket.socket(fileno=descriptor) as ours:
                if on in str(_peer(ours)):
                    ours.shutdown(socket.SHUT_RDWR)
                    broken += 1
    finally:
        os.close(process)
    return broken


def _peer(connection: socket.socket) -> object:
    try:
        return connection.getpeername()
    except OSError:
        return ""


def wait_for_end(pids: Iterable[int], *, seconds: float = 120) -> None:
    """Wait until these processes have ended; they need not be our children."""
    deadline = time.monotonic() + seconds
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([descriptor], [], [], left)[0]:
                msg = f"process {pid} still runs after {seconds:g} s: {_command(pid)}"
                raise AssertionError(msg)
        finally:
            os.close(descriptor)


def running(pid: int) -> bool:
    """Say whether a process runs; one that ended and was not collected yet does not."""
    return any(seen.pid == pid for seen in listing())


def listing() -> list[Seen]:
    """Return every process that has not ended."""
    found: list[Seen] = []
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # The name in parentheses may itself hold parentheses and spaces.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            found.append(Seen(int(entry.name), int(parent), _command(int(entry.name))))
    return found


def descendants(pid: int) -> list[int]:
    """Return the ids of all children, and theirs, of a process."""
    parents = {seen.pid: seen.parent for seen in listing()}
    found: list[int] = []
    frontier = {pid}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier}
        found += sorted(frontier)
    return found


def kill_tree(pid: int) -> list[int]:
    """kill -9 a process and all its descendants; return their ids.

    All are stopped first, so that nobody sees another die and starts a replacement meanwhile.
    """
    stopped: list[int] = []
    while fresh := [each for each in (pid, *descendants(pid)) if each not in stopped]:
        for each in fresh:
            _kill(each, signal.SIGSTOP)
        stopped += fresh
    for each in stopped:
        _kill(each, signal.SIGKILL)
    return stopped


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _command(pid: int) -> str:
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return "(ended)"
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def _has_mark(pid: int, mark: str) -> bool:
    try:
        raw = (_PROC / str(pid) / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return f"{MARK}={mark}".encode() in raw.split(b"\0")
