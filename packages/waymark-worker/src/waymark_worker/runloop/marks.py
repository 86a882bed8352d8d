"""Where a claim need not look again: claimed runs in, the stretches of the queue that the next claim reads out.

While a long transaction holds old rows back, every run that was ever claimed stays in front of the queue as a
dead row. A claim that begins where the last one ended stays as cheap as the first one; once a second all is
read again, for what became visible late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from waymark_schema.ids import ProgramId
from waymark_schema.tables.instances import HIGHEST, LOWEST, Claimed, Stretch

FULL_SECONDS = 1.0
"""Between two claims that read everything."""
SLACK = timedelta(seconds=1)
"""Runs that were queued at the same time are committed in any order: a claim looks back as far as this."""
MOST_PRIORITIES = 8
"""A program with runs of more priorities than this is always read as a whole."""


class Marks:
    """The newest claimed run of each program and priority, and whose turn it is."""

    def __init__(self) -> None:
        self._marks: dict[ProgramId, dict[int, datetime]] = {}
        self._served: dict[ProgramId, int] = {}
        self._count = 0
        self._full_at = float("-inf")

    def note(self, claimed: Iterable[Claimed]) -> None:
        """Remember how far the queue is claimed; who got something is served last the next time."""
        self._count += 1
        for row in claimed:
            self._served[row.program] = self._count
            marks = self._marks.setdefault(row.program, {})
            known = marks.get(row.priority)
            if known is None or known < row.ready_at:
                marks[row.priority] = row.ready_at
            if len(marks) > MOST_PRIORITIES:
                marks.clear()

    def stretches(self, programs: Iterable[ProgramId], *, now: float) -> list[Stretch]:
        """What the next claim reads, in the order of whose turn it is; ``now`` is monotonic."""
        full = now - self._full_at >= FULL_SECONDS
        if full:
            self._full_at = now
        in_turn = sorted(programs, key=lambda program: self._served.get(program, 0))
        return [
            stretch
            for program in in_turn
            for stretch in _of_program(program, {} if full else self._marks.get(program, {}))
        ]


def _of_program(program: ProgramId, marks: dict[int, datetime]) -> Iterator[Stretch]:
    """From the highest priority down: what lies above a mark as a whole, then the runs of its own priority."""
    high = HIGHEST
    for priority in sorted(marks, reverse=True):
        if priority < high:
            yield Stretch(program, priority + 1, high)
        yield Stretch(program, priority, priority, marks[priority] - SLACK)
        high = priority - 1
    if high >= LOWEST:
        yield Stretch(program, LOWEST, high)
