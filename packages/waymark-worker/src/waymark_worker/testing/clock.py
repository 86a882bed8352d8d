"""Virtual time of a test: a moment to move to in, the engine's idea of now out."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waymark_worker.testing.alarm import real_time

FIRST, DEADLINE, TARGET = range(3)
"""Ranks of events that are due at the same moment: what a run does; who gives up waiting; ``advance``."""


class VirtualClock:
    """A clock that stands still until it is moved, and never goes back; a ``Clock`` of the worker.

    It starts when it is first read: a fixture that is set up before a test travels in time starts none.
    """

    __slots__ = ("_begin", "_now", "_started")

    def __init__(self, begin: Callable[[], float]) -> None:
        """``begin`` says where it starts, in seconds since the epoch."""
        self._begin = begin
        self._started: float | None = None
        self._now = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        if self._started is None:
            self._started = self._now = self._begin()
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was started."""
        now = self.now()
        assert self._started is not None
        return now - self._started

    @property
    def moment(self) -> datetime:
        """Now, aware."""
        return datetime.fromtimestamp(self.now(), UTC)

    @property
    def elapsed(self) -> timedelta:
        """How far the clock has been moved."""
        return timedelta(seconds=round(self.monotonic(), 6))

    def move_to(self, seconds: float) -> None:
        """Move to a moment; one that has passed changes nothing."""
        self._now = max(self.now(), seconds)


@dataclass(order=True, slots=True)
class Event:
    """Something that happens when the clock gets there, unless it was called off."""

    due_at: float
    rank: int
    number: int
    happen: Callable[[], None] = field(compare=False)
    own_time: bool = field(default=False, compare=False)
    """The deadline of an attempt: real time that passes while it runs counts at once."""
    planned: float = field(default_factory=real_time, compare=False)
    """Real time at which it was planned."""
    off: bool = field(default=False, compare=False)

    def call_off(self) -> None:
        """It does not happen any more."""
        self.off = True


class Agenda:
    """Events in the order in which they happen: by time, then rank, then in the order they were put in."""

    __slots__ = ("_events", "_number")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._number = 0

    def put(
        self,
        due_at: float,
        happen: Callable[[], None],
        *,
        rank: int = FIRST,
        own_time: bool = False,
    ) -> Event:
        """Plan an event."""
        self._number += 1
        event = Event(due_at, rank, self._number, happen, own_time)
        heapq.heappush(self._events, event)
        return event

    def first(self) -> Event | None:
        """Return the next event, without taking it."""
        while self._events and self._events[0].off:
            heapq.heappop(self._events)
        return self._events[0] if self._events else None

    def take(self) -> Event:
        """Take the next event; there is one."""
        event = self.first()
        assert event is not None
        heapq.heappop(self._events)
        return event
