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

    __slots__ = ("_ahead",)

    def __init__(self) -> None:
        # Of no run, until the first exchange: it is known before the first claim.
        self._ahead = time.time() - time.monotonic()  # noqa: TID251 - see above

    def set(self, ahead: float) -> None:
        """Learn by how many seconds the database's clock is ahead of the monotonic one."""
        self._ahead = ahead

    def monotonic(self) -> float:
        """Read CLOCK_MONOTONIC."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch by the database."""
        return self._ahead + time.monotonic()


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as a row holds them; whatever no calendar can name becomes its nearest end."""
    return datetime.fromtimestamp(min(max(0.0, seconds), LATEST), UTC)


async def pause(seconds: float) -> None:
    """Wait this long, cancellable: for poll intervals and backoff, which no event announces."""
    await asyncio.sleep(seconds)  # noqa: TID251 - the one place that may
