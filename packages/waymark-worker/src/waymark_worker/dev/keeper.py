"""A command line in; that command, until it or its owner ends, and nothing of what it started left behind, out."""

# Run by path with `python -I -S`: standard library only. SIGTERM ends the command and all its descendants,
# a second one at once; its launcher sends the first when the owner is gone.

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

GRACE_SECONDS = 5.0
NOT_STARTED = 127
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALLED = 128


class Kept:
    """The command, everything it started, and who wants to know how it ended."""

    def __init__(self, command: list[str], status_fd: int) -> None:
        self._status_fd = status_fd
        self._told = 0
        self._wakeup, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._heard)
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def _heard(self, number: int, _frame: object) -> None:
        if number == signal.SIGTERM:
            self._told += 1

    def run(self) -> int:
        """Wait for the end of the command, or for the order to end it; return its exit status."""
        status = self._until_end_or_order()
        if status is not None:
            self._report(status)
        if self._told or _descendants():
            self._until_order()
            self._end_all()
            if status is None:
                status = self._process.wait()
                self._report(status)
        return status if status is not None and status >= 0 else _SIGNALLED - (status or 0)

    def _until_end_or_order(self) -> int | None:
        while not self._told:
            status = self._process.poll()
            if status is not None:
                return status
            self._listen(None)
        return None

    def _until_order(self) -> None:
        while not self._told and _descendants():
            self._listen(None)

    def _end_all(self) -> None:
        """Ask everybody to end, insist after a while, and at once when told again."""
        _signal_all(signal.SIGTERM)
        deadline = GRACE_SECONDS
        while _descendants() and deadline > 0 and self._told == 1:
            deadline -= self._listen(0.05)
        while _descendants():
            _signal_all(signal.SIGKILL)
            self._listen(0.02)

    def _listen(self, seconds: float | None) -> float:
        """Wait for a signal; bury whoever ended and was left to us meanwhile."""
        ready, _, _ = select.select([self._wakeup], [], [], seconds)
        if ready:
            os.read(self._wakeup, 4096)
        _bury(self._process)
        return seconds or 0.0

    def _report(self, status: int) -> None:
        if self._status_fd >= 0:
            os.write(self._status_fd, f"{status}\n".encode())
            os.close(self._status_fd)
            self._status_fd = -1


def _bury(child: subprocess.Popen[bytes]) -> None:
    """Collect orphans that became ours; the command itself is left to its Popen."""
    child.poll()
    for pid in _children(os.getpid()):
        if pid != child.pid:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def _signal_all(number: signal.Signals) -> None:
    for pid in _descendants():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _descendants() -> list[int]:
    found: list[int] = []
    frontier = [os.getpid()]
    while frontier:
        frontier = [child for pid in frontier for child in _children(pid)]
        found += frontier
    return found


def _children(parent: int) -> list[int]:
    """Ids of the living children of a process."""
    if not Path("/proc/self/stat").exists():
        return _children_by_ps(parent)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if int(ppid) == parent and state not in "ZX":
                found.append(int(entry.name))
    return found


def _children_by_ps(parent: int) -> list[int]:
    listed = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,stat=,comm="], capture_output=True, text=True, check=False
    )
    rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
    return [
        int(row[0])
        for row in rows
        if int(row[1]) == parent and "Z" not in row[2] and not row[3].endswith("ps")
    ]


def _adopt_orphans() -> None:
    """Become the parent of descendants whose own parents end, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(argv: list[str]) -> int:
    """Keep a command; ``argv`` is the descriptor for its exit status and the command itself."""
    _adopt_orphans()
    try:
        return Kept(argv[1:], int(argv[0])).run()
    except OSError as error:
        sys.stderr.write(f"waymark dev: cannot run {argv[1]!r}: {error.strerror or error}\n")
        return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
