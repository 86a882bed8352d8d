"""Attempts that wait for a slot: first in, first out; the last ones may be given up to other pools."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from waymark_worker.pool.attempts import Attempt


class Waiting(deque[Attempt[Any]]):
    """The queue of a pool."""

    def steal(self, room: int, wanted: Callable[[Attempt[Any]], bool]) -> list[Attempt[Any]]:
        """Give up at most ``room`` wanted attempts, the last ones first; the others keep their places."""
        given: list[Attempt[Any]] = []
        kept: list[Attempt[Any]] = []
        while self and len(given) < room:
            attempt = self.pop()
            (given if wanted(attempt) else kept).append(attempt)
        self.extend(reversed(kept))
        return given
