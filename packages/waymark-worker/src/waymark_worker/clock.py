"""Time: a moment asked for in, the database's idea of it out."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""The last day that Python and Postgres can both name; what lies behind it never comes."""


class Clock(Protocol):
    """What waits or stamps takes one of these, so that tests can set the time."""

    def monotonic(self) -> float:
        """Seconds that never go back; the same clock in every process of a host."""
        ...

    def now(self) -> float:
        """Seconds since the epoch as the database sees it, as well as this process can tell."""
        ...


class SystemClock:
    """Monotonic time of this host, and its own wall clock: before any database has answered."""

    def monotonic(self) -> float:
        """Read CLOCK_MONOTONIC."""
        return time.monotonic()

    def now(self) -> float:
        """Read the wall clock."""
        return time.time()  # noqa: TID251 - the one place that may


class DatabaseClock:
    """The database's clock at the last exchange, carried on by monotonic time: wall clocks decide nothing."""

    __slots__ = ("_base", "_base_at")

    def __init__(self) -> None:
        self._base = time.time()  # noqa: TID251 - until the first exchange
        self._base_at = time.monotonic()

    def set(self, *, database: float, asked_at: float, answered_at: float) -> None:
        """Learn the offset: the server read ``database`` somewhere between the two monotonic moments."""
        self._base = database
        self._base_at = (asked_at + answered_at) / 2

    def monotonic(self) -> float:
        """Read CLOCK_MONOTONIC."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch by the database."""
        return self._base + (time.monotonic() - self._base_at)


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as a row holds them; whatever no calendar can name becomes its nearest end."""
    return datetime.fromtimestamp(min(max(0.0, seconds), LATEST), UTC)


async def pause(seconds: float) -> None:
    """Wait this long, cancellable: for poll intervals and backoff, which no event announces."""
    await asyncio.sleep(seconds)  # noqa: TID251 - the one place that may
