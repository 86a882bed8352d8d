"""The page of memory that supervisor and runloop share: what one writes, the other reads, without a message.

Each field has exactly one writer and is 8 bytes at an 8-byte offset, so a read never sees half a write.
The page is an unnamed file: nothing is left behind when both are killed.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from contextlib import suppress
from uuid import UUID

_INTEGERS = (
    "tick", "lease", "generation", "lost", "fenced", "asks", "still", "hush", "granted",
)  # fmt: skip
"""``lease`` and its ``generation`` are written by the supervisor, ``tick`` and ``lost`` (the generation
that the runloop gave up) by the runloop; ``fenced`` is the generation that the supervisor found fenced.
``asks`` (it wants to run a call with nothing beside it) and ``still`` (it was asked to keep still, and nothing
runs in it) are the runloop's, ``hush`` (keep still) and ``granted`` (the others do) the supervisor's."""
_TIMES = ("beat_at", "database_ahead")
"""By the supervisor: when the last confirmed heartbeat was sent, and what the database's clock then was ahead of the
monotonic one. It is one number, so that nobody reads the one clock of one heartbeat and the other of another."""
_SIZE = 8 * (len(_INTEGERS) + len(_TIMES) + 3)
_NOBODY = bytes(24)


def create_page() -> int:
    """Return a file descriptor of a fresh page; children inherit it."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("waymark-runloop", 0)
    else:
        fd, path = tempfile.mkstemp(prefix="waymark-")
        os.unlink(path)  # noqa: PTH108 - by descriptor from here on
    os.ftruncate(fd, _SIZE)
    os.set_inheritable(fd, True)  # noqa: FBT003
    return fd


class Board:
    """One runloop's page, mapped. Integers by ``get``/``put``, moments by ``time``/``put_time``."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, _SIZE)
        view = memoryview(self._map)
        self._integers = view.cast("q")
        self._floats = view.cast("d")
        self._at = {name: index for index, name in enumerate(_INTEGERS)}
        self._time_at = {name: len(_INTEGERS) + index for index, name in enumerate(_TIMES)}
        self._instance_at = 8 * (len(_INTEGERS) + len(_TIMES))

    def get(self, name: str) -> int:
        """Read a counter or a flag."""
        return self._integers[self._at[name]]

    def put(self, name: str, value: int) -> None:
        """Write a counter or a flag."""
        self._integers[self._at[name]] = value

    def time(self, name: str) -> float:
        """Read a moment; 0.0 before it was ever written."""
        return self._floats[self._time_at[name]]

    def put_time(self, name: str, value: float) -> None:
        """Write a moment."""
        self._floats[self._time_at[name]] = value

    def tick(self) -> None:
        """Say that the runloop's loop lives."""
        self._integers[0] += 1

    def advancing(self, instance: bytes, position: int) -> None:
        """Name the instance whose code is being advanced, and its newest entry, for whoever finds us dead."""
        at = self._instance_at
        self._map[at : at + 24] = instance + position.to_bytes(8, "little")

    def advanced(self) -> None:
        """Say that no instance's code is being advanced."""
        at = self._instance_at
        self._map[at : at + 24] = _NOBODY

    def last_advancing(self) -> tuple[UUID, int] | None:
        """The instance that was being advanced, and the position of its newest entry; None if none was."""
        raw = bytes(self._map[self._instance_at : self._instance_at + 24])
        return (UUID(bytes=raw[:16]), int.from_bytes(raw[16:], "little")) if any(raw) else None

    def close(self) -> None:
        """Unmap the page."""
        with suppress(BufferError):
            self._integers.release()
            self._floats.release()
            self._map.close()
