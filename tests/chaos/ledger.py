"""What actions do, in; a file that tells it, outside of the database, and its lines read back, out.

A line is written by one ``write``, so that processes do not cut into each other's. Times are those of the
machine's monotonic clock: all processes share it, and no fault moves it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from waymark import current_action

LEDGER = "PYTEST_WAYMARK_LEDGER"
BEGUN, ENDED, RAISED = "begun", "ended", "raised"


class Line(NamedTuple):
    """One thing that one attempt of a call did."""

    word: str
    action: str
    instance: str
    call: int
    attempt: int
    key: str
    pid: int
    at: float
    arguments: str
    """Their digest: attempts of one call have the same."""


def note(word: str, action: str, *arguments: object) -> None:
    """Append one line for the attempt that runs; outside of a worker nothing happens."""
    path = os.environ.get(LEDGER)
    if path is None:
        return
    attempt = current_action()
    digest = hashlib.sha256(repr(arguments).encode()).hexdigest()[:16]
    line = Line(
        word,
        action,
        attempt.instance_id,
        attempt.call_id,
        attempt.attempt,
        attempt.idempotency_key,
        os.getpid(),
        time.monotonic(),
        digest,
    )
    text = " ".join(str(part) for part in line) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


@contextmanager
def noted(action: str, *arguments: object) -> Iterator[None]:
    """Write down that an attempt begins, and how it ends if it does."""
    note(BEGUN, action, *arguments)
    try:
        yield
    except BaseException:
        note(RAISED, action, *arguments)
        raise
    note(ENDED, action, *arguments)


def once(name: str, limit: int) -> bool:
    """Say whether the running call asks for this name for the first time, and no `limit` of others did before."""
    path = os.environ.get(LEDGER)
    if path is None:
        return False
    attempt = current_action()
    place = Path(f"{path}.{name}")
    place.mkdir(exist_ok=True)
    if len(list(place.iterdir())) >= limit:
        return False
    try:
        mark = place / f"{attempt.instance_id}-{attempt.call_id}"
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


def read(path: Path) -> list[Line]:
    """Return all lines, in the order in which they were written."""
    if not path.exists():
        return []
    found: list[Line] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        word, action, instance, call, attempt, key, pid, at, arguments = text.split(" ")
        found.append(
            Line(
                word, action, instance, int(call), int(attempt), key, int(pid), float(at), arguments
            )
        )
    return found
