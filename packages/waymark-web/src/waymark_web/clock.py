"""Nothing in; the moment it is out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What pages take the time from, so that tests can set it."""

    def now(self) -> datetime:
        """The moment, with its time zone."""
        ...


class SystemClock:
    """The wall clock of this host."""

    def now(self) -> datetime:
        """Read the wall clock, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that may
