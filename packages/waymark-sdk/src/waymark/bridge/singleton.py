"""The place of a bridge in; its lock and its listening socket out, for exactly one process at a time."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from waymark.bridge.place import Place

_BACKLOG = 512


class Singleton:
    """Holds the place of the one bridge; the kernel releases the lock when the process ends, however it does."""

    __slots__ = ("_descriptor", "_place")

    def __init__(self, place: Place, descriptor: int) -> None:
        self._place = place
        self._descriptor = descriptor

    @classmethod
    def take(cls, place: Place) -> Singleton | None:
        """Become the bridge of a place; None when another process is."""
        descriptor = os.open(
            place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(place, descriptor)

    def listen(self) -> socket.socket:
        """Bind the place's socket. What a bridge that was killed left there is removed: the lock is ours."""
        self._place.socket.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Bound elsewhere first: whoever finds the name finds somebody listening behind it.
        draft = self._place.socket.with_suffix(".new")
        draft.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening.bind(str(draft))
        finally:
            os.umask(before)
        listening.listen(_BACKLOG)
        listening.settimeout(0)
        draft.rename(self._place.socket)
        return listening

    def leave(self) -> None:
        """Remove the socket and release the lock, in this order: nobody may find the socket of the next one."""
        if self._is_in_place():
            self._place.socket.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _is_in_place(self) -> bool:
        """Whether the lock is still the one that others find: else the socket belongs to the next bridge."""
        try:
            found = self._place.lock.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))


def holder(lock: Path) -> int | None:
    """Return the pid that a lock file names, for messages."""
    try:
        text = lock.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None
