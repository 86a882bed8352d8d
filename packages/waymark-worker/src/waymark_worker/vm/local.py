"""A recorded value is asked for by kind; its wire form comes out, from the journal or freshly made."""

from __future__ import annotations

import datetime as dt
import random
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from waymark_schema.values.codec import Codec
from waymark_worker.vm.types import ShadowTypes

_NANOSECONDS = 1_000_000_000
_codec = Codec(ShadowTypes([]))
_encode = _codec.encode


class LocalSource(Protocol):
    """Where recorded values come from: those in the journal first, fresh ones stored with the entry."""

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Durable wire form of the next recorded value of ``kind`` (a name of ``ir.language.RECORDED``)."""
        ...


_moment = dt.datetime.fromtimestamp
"""Taken from the class itself: freezegun puts another in its place."""


_CLOCKS: dict[str, Callable[..., Any]] = {
    "datetime.datetime.now": _moment,
    "datetime.datetime.today": _moment,
    "datetime.datetime.utcnow": lambda now: _moment(now, dt.UTC).replace(tzinfo=None),
    "datetime.date.today": lambda now: _moment(now).date(),
    "time.time": float,
    "time.time_ns": lambda now: int(now) * _NANOSECONDS + round(now % 1 * _NANOSECONDS),
}
"""What each kind of clock makes of the seconds since the epoch."""
_SECONDS: dict[str, Callable[[Any], float]] = {
    # Without a zone it is that of the host which recorded it, and nobody here knows which.
    "datetime.datetime.now": lambda at: at.timestamp() if at.tzinfo is not None else 0.0,
    "datetime.datetime.utcnow": lambda at: at.replace(tzinfo=dt.UTC).timestamp(),
    "time.time": float,
    "time.time_ns": lambda at: at / _NANOSECONDS,
    "asyncio.time": float,
}
"""The other way round, as far as that can be told."""


class FreshLocals:
    """Makes recorded values and keeps them for the entry.

    ``now`` gives seconds since the epoch: a pool passes the database's, a test one of its own. ``bits``
    gives an integer of so many random bits, ``loop`` the time of the event loop. Time never goes back behind
    ``told_at``, what the run was told last: two pools do not know the database's time to the millisecond.
    """

    __slots__ = ("_bits", "_loop", "_now", "_recorded", "told_at")

    def __init__(
        self,
        now: Callable[[], float] = time.time,  # noqa: TID251 - where no engine gives a better one
        bits: Callable[[int], int] = secrets.randbits,
        loop: Callable[[], float] | None = None,
        told_at: float = 0.0,
    ) -> None:
        self._now = now
        self._loop = loop
        self.told_at = told_at
        self._bits = bits
        self._recorded: list[bytes] = []

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Make the next value. Raises NotImplementedError for a kind of a newer language."""
        wire = _encode(self._make(kind, args, keywords))
        self._recorded.append(wire)
        return wire

    def _make(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        clock = _CLOCKS.get(kind)
        if clock is not None:
            return clock(self._time(), *args, **keywords)
        if kind == "asyncio.time":
            return float(self._time() if self._loop is None else self._loop())
        if kind == "uuid.uuid4":
            return uuid.UUID(int=self._bits(128), version=4)
        if kind == "random.seed":
            return self._bits(128)
        msg = f"the program records {kind!r}, which this pool cannot make; upgrade waymark-worker"
        raise NotImplementedError(msg)

    def _time(self) -> float:
        self.told_at = max(self.told_at, self._now())
        return self.told_at

    def recorded(self) -> list[bytes]:
        """Return what was taken, in order, for the journal."""
        return self._recorded


class Recording:
    """The recorded values of one advance: those of a source, and the generator that its seed makes."""

    __slots__ = ("_source", "random")

    def __init__(self, source: LocalSource) -> None:
        self._source = source
        self.random: random.Random | None = None
        """Where this advance's random numbers come from, if it has asked for one: its seed is recorded."""

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Durable wire form of the next recorded value of ``kind``."""
        return self._source.take(kind, args, keywords)


class RecordedLocals:
    """Gives back what a journal entry recorded, in order."""

    __slots__ = ("_asked", "_values", "told_at")

    def __init__(self, values: list[bytes], told_at: float = 0.0) -> None:
        self._values = values
        self.told_at = told_at
        """The latest moment that the run was told."""
        self._asked: list[str] = []

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Return the next one. Raises LookupError when the entry holds no more."""
        self._asked.append(kind)
        if len(self._asked) > len(self._values):
            raise LookupError(self.mismatch())
        value = self._values[len(self._asked) - 1]
        seconds = _SECONDS.get(kind)
        if seconds is not None:
            self.told_at = max(self.told_at, seconds(_codec.decode(value)))
        return value

    def mismatch(self) -> str | None:
        """Say how what the program asked for differs from what the entry holds, if it does."""
        asked, held = len(self._asked), len(self._values)
        if asked == held:
            return None
        last = f", the last one {self._asked[-1]!r}" if asked else ""
        return f"the journal entry holds {held} recorded values; the program asks for {asked}{last}"
