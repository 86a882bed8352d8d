"""A place without a bridge in; a bridge process of its own session out, and what it said if it died."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from waymark import settings
from waymark.bridge.place import Place
from waymark.errors import BridgeUnavailable

TAIL_LINES = 20
_TAIL_BYTES = 16_384
_INTERPRETERS = ("python", "pypy")
_own: set[int] = set()
"""Bridges that this process started and that a thread waits for."""


@dataclass(slots=True, eq=False)
class Booted:
    """A bridge that this process started; ``status`` is its exit status once it has ended."""

    pid: int
    log: Path
    log_from: int
    status: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def said(self) -> str:
        """Return the last lines that it wrote."""
        return tail(self.log, start=self.log_from)


def command(boot_command: str | None) -> list[str]:
    """Return what starts a bridge: ``WAYMARK_BOOT_COMMAND``, or this interpreter with our module."""
    if boot_command:
        return shlex.split(boot_command)
    # -P: the current directory, which is / then, must not shadow modules.
    return [_interpreter(), "-P", "-m", "waymark.bridge", "--detached"]


def boot(place: Place, *, boot_command: str | None) -> Booted:
    """Start a bridge that outlives this process and inherits nothing of it but the environment.

    Raises:
        BridgeUnavailable: the command cannot be started.

    """
    words = command(boot_command)
    log = os.open(
        place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        written = os.fstat(log).st_size
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            env=settings.environment_for_child(),
            start_new_session=True,
            close_fds=True,
        )
    except (OSError, ValueError) as error:
        msg = (
            f"the bridge cannot be started: {shlex.join(words)}: {error}.\n"
            "Set WAYMARK_BOOT_COMMAND to a command that runs waymark-bridge in the application's environment."
        )
        raise BridgeUnavailable(msg) from error
    finally:
        os.close(log)
    booted = Booted(process.pid, place.log, written)
    # It outlives us by design; Popen must not complain of that when it is thrown away.
    process.returncode = 0
    _own.add(process.pid)
    threading.Thread(target=_collect, args=(booted,), name="waymark-reaper", daemon=True).start()
    return booted


def tail(path: Path, *, start: int = 0) -> str:
    """Return the last lines of a log, those from byte ``start`` on."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(start if start <= size else 0, size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def collect_adopted(pid: int) -> None:
    """Collect a bridge that ends now if it became our child: we are PID 1 and whoever booted it is gone."""
    if os.getpid() == 1 and pid not in _own:
        threading.Thread(target=_wait_for, args=(pid,), name="waymark-reaper", daemon=True).start()


class BootLock:
    """Held by the one client of a host that boots a bridge; the others wait for what it boots."""

    __slots__ = ("_descriptor",)

    def __init__(self, place: Place) -> None:
        self._descriptor = os.open(
            place.boot_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )

    def taken(self) -> bool:
        """Try to take it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Release it; by name, because a process forked meanwhile holds the descriptor too."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def _collect(booted: Booted) -> None:
    """Wait for its end in a thread: whatever our pid is, no zombie stays."""
    booted.status = _wait_for(booted.pid)
    _own.discard(booted.pid)
    booted.ended.set()


def _wait_for(pid: int) -> int | None:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        # Not our child, or the application collects children that it did not start, as PID 1 should.
        return None


def _interpreter() -> str:
    """Return this Python, also inside programs that embed one and call themselves ``sys.executable``."""
    own = Path(sys.executable or "")
    if own.name.startswith(_INTERPRETERS):
        return str(own)
    for name in (f"python{sys.version_info.major}.{sys.version_info.minor}", "python3", "python"):
        candidate = Path(sys.exec_prefix) / "bin" / name
        if candidate.exists():
            return str(candidate)
    msg = (
        f"no Python interpreter was found to run the bridge with (sys.executable is {sys.executable!r}).\n"
        "Set WAYMARK_BOOT_COMMAND to a command that runs waymark-bridge."
    )
    raise BridgeUnavailable(msg)
