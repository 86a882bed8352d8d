"""What a runloop was doing when it died in, the runs that must not be tried again out."""

from __future__ import annotations

from uuid import UUID

from waymark_worker.board import Board


class Deaths:
    """A run whose code was being advanced at the same place in ``limit`` deaths in a row is poison."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[UUID, tuple[int, int]] = {}
        """Instance → position of its newest entry, deaths there."""
        self.poison: set[UUID] = set()

    def note(self, board: Board) -> None:
        """Take from the page of a dead runloop whose code it was advancing, and clear it for the next one."""
        last = board.last_advancing()
        board.advanced()
        if last is None:
            return
        instance, position = last
        before = self._counts.get(instance, (position, 0))
        deaths = before[1] + 1 if before[0] == position else 1
        self._counts[instance] = (position, deaths)
        if deaths >= self._limit:
            self.poison.add(instance)
