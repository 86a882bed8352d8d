"""The children of a pool that is PID 1 in; those that it only adopted and that have ended collected, out."""

from __future__ import annotations

import os
from pathlib import Path

from waymark_worker.clock import pause

LOOK_SECONDS = 1.0
_PROC = Path("/proc")


async def collect() -> None:
    """Collect adopted children that have ended, until cancelled; does nothing unless this process is PID 1.

    As PID 1 of a container a pool becomes the parent of whatever actions start and leave behind. A child of its
    own is collected by whoever waits for it, within moments: one that is still there at the second look is nobody's.
    """
    if os.getpid() != 1 or not (_PROC / "self/stat").exists():
        return
    seen: set[int] = set()
    while True:
        await pause(LOOK_SECONDS)
        if _any_has_ended():
            ended = _ended_children()
            for pid in ended & seen:
                _wait_for(pid)
            seen = ended - seen
        else:
            seen.clear()


def _any_has_ended() -> bool:
    """Look without collecting: cheap while there is nothing."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def _ended_children() -> set[int]:
    found: set[int] = set()
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue  # it went away meanwhile
        if state == "Z" and int(parent) == os.getpid():
            found.add(int(entry.name))
    return found


def _wait_for(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # somebody waited for it after all
