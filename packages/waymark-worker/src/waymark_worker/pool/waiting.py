"""Attempts that wait for a slot: runs take turns, each run's in their order; the last may be given up to other pools."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from waymark_worker.pool.attempts import Attempt

_Line = OrderedDict[Attempt[Any], None]


class Waiting:
    """The queue of a pool.

    The calls of one run stand in one line; the lines take turns. A run that fans out into 10,000 calls thus
    delays the single call of another by one turn, not by 10,000 calls.
    """

    __slots__ = ("_count", "_lines")

    def __init__(self, attempts: Iterable[Attempt[Any]] = ()) -> None:
        self._lines: OrderedDict[bytes, _Line] = OrderedDict()
        self._count = 0
        for attempt in attempts:
            self.append(attempt)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Attempt[Any]]:
        """Every attempt, line by line; not the order in which they leave."""
        for line in self._lines.values():
            yield from line

    def append(self, attempt: Attempt[Any]) -> None:
        """Let it wait behind what its run has here already."""
        line = self._lines.get(attempt.instance)
        if line is None:
            line = self._lines[attempt.instance] = OrderedDict()
        line[attempt] = None
        self._count += 1

    def put_back(self, attempts: list[Attempt[Any]]) -> None:
        """Let them wait in front of all others, in this order within each run."""
        for attempt in reversed(attempts):
            self.append(attempt)
            self._lines[attempt.instance].move_to_end(attempt, last=False)
            self._lines.move_to_end(attempt.instance, last=False)

    def next(self) -> Attempt[Any]:
        """Take out the one whose turn it is; its run is now the last in turn. ``StopIteration`` if nothing waits."""
        instance, line = next(iter(self._lines.items()))
        attempt, _ = line.popitem(last=False)
        self._count -= 1
        if line:
            self._lines.move_to_end(instance)
        else:
            del self._lines[instance]
        return attempt

    def remove(self, attempt: Attempt[Any]) -> bool:
        """Take one out; False if it does not wait here."""
        line = self._lines.get(attempt.instance)
        if line is None or attempt not in line:
            return False
        self._take(line, attempt)
        return True

    def clear(self) -> None:
        """Forget all."""
        self._lines.clear()
        self._count = 0

    def steal(self, room: int, wanted: Callable[[Attempt[Any]], bool]) -> list[Attempt[Any]]:
        """Give up at most ``room`` wanted attempts, the last ones first; the others keep their places."""
        last = (each for line in reversed(self._lines.values()) for each in reversed(line))
        given = list(islice(filter(wanted, last), room))
        for attempt in given:
            self._take(self._lines[attempt.instance], attempt)
        return given

    def _take(self, line: _Line, attempt: Attempt[Any]) -> None:
        del line[attempt]
        self._count -= 1
        if not line:
            del self._lines[attempt.instance]
