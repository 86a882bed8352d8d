"""Lines in; whoever reads them gets them, and nobody waits for him, out.

A pipe that nobody empties would stop the loop that writes to it, and with it the heartbeats; one whose reader has
gone would end the process. Here both cost lines, and nothing else.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from contextlib import suppress

ROOM = 10_000
"""What waits for a reader at most; what comes on top of that is counted."""
LAST_WORD_SECONDS = 1.0
"""For a reader who does not keep up, when a process ends."""


class Outlet:
    """A descriptor that a thread of its own writes to; as much of a text stream as a logger needs."""

    def __init__(self, descriptor: int, *, room: int = ROOM) -> None:
        self._descriptor = descriptor
        self._room = room
        self._texts: deque[tuple[str, int]] = deque()
        """What is to be written, and how many lines are missing if it cannot be."""
        self._missing = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, or leave that to the next line: threads may be short for now."""
        thread = threading.Thread(target=self._run, name="waymark-log", daemon=True)
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def write(self, text: str) -> int:
        """Let a line wait for its turn; where very many do, it is only counted."""
        with self._changed:
            if len(self._texts) < self._room:
                self._texts.append((text, 1))
            else:
                self._missing += 1
            if self._thread is None:
                self.start()
            self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is written is on its way."""

    def settle(self, seconds: float = LAST_WORD_SECONDS) -> None:
        """Return when all has been read, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._texts, seconds)

    # the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._texts)
                text, lines = self._texts[0]
            written = self._put(text)
            with self._changed:
                self._texts.popleft()
                if not written:
                    self._missing += lines
                elif self._missing:
                    told = f"{self._missing} lines are missing here: nobody read them\n"
                    self._texts.append((told, self._missing))
                    self._missing = 0
                self._changed.notify_all()

    def _put(self, text: str) -> bool:
        # Not through a stream of Python's: this would hold its lock while it waits, and the end of the process needs that.
        rest = text.encode(errors="backslashreplace")
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # Whoever shares it has said so for all: it is for us to wait.
                room = select.poll()
                room.register(self._descriptor, select.POLLOUT)
                room.poll()
            except OSError:
                return (
                    False  # nobody reads any more, or the disk is full: told when that has changed
                )
        return True
