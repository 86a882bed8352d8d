"""A moment of real time, which no patched clock can stop, in; a ring on an event loop when it has come, out."""

from __future__ import annotations

import sys
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

IDLE = 1.0
"""Seconds for which the thread of an alarm waits for more to do."""


class _Real:
    """The clock itself: freezegun swaps what it finds in modules, and nothing that classes hold."""

    __slots__ = ()
    # time-machine moves the other clocks in their place, but not this one.
    now: ClassVar[Callable[[], float]] = staticmethod(
        getattr(sys.modules.get("freezegun.api"), "real_perf_counter", time.perf_counter)
    )


def real_time() -> float:
    """Seconds of real time since some moment."""
    return _Real.now()


class Alarm:
    """Rings on an event loop, whose own clock may stand still: a thread of its own waits."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._changed = threading.Condition()
        self._due = float("inf")
        self._loop: AbstractEventLoop | None = None
        self._waiting = False
        self._closed = False

    def set(self, due: float, loop: AbstractEventLoop) -> None:
        """Ring at this moment of real time, instead of at the one set before."""
        with self._changed:
            self._due, self._loop = due, loop
            if self._waiting:
                self._changed.notify()
            elif not self._closed:
                self._waiting = True
                threading.Thread(target=self._wait, name="waymark-alarm", daemon=True).start()

    def close(self) -> None:
        """Never ring again."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _wait(self) -> None:
        with self._changed:
            while not self._closed:
                left = self._due - real_time()
                if left <= 0:
                    self._due = float("inf")
                    self._tell()
                elif not self._changed.wait(min(left, IDLE)) and self._due == float("inf"):
                    break
            self._waiting = False

    def _tell(self) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # it was closed; whoever waits next looks for himself
            self._loop.call_soon_threadsafe(self._ring)
