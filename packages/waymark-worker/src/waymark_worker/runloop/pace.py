"""How fast instances end: endings in, a recent rate out."""

from __future__ import annotations

from collections.abc import Callable

WINDOW_SECONDS = 0.5


class Pace:
    """Counts in windows of half a second; an estimate is the better of the last window and the current one."""

    __slots__ = ("_count", "_rate", "_since", "_time")

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._since = time()
        self._count = 0
        self._rate = 0.0

    def count(self) -> None:
        """One more has ended."""
        self._count += 1
        self._roll()

    def per(self, seconds: float) -> int:
        """How many end in this time at the present rate."""
        self._roll()
        return int(self._rate * seconds)

    def _roll(self) -> None:
        elapsed = self._time() - self._since
        if elapsed >= WINDOW_SECONDS:
            self._rate = self._count / elapsed
            self._count = 0
            self._since += elapsed
