"""A number comes in; clocks, ids and random numbers that two runs share, one in plain CPython, go out."""

from __future__ import annotations

import datetime as dt
import random
import time
import types
import uuid
from collections.abc import Callable
from typing import Any

from waymark_worker.vm.local import FreshLocals

EPOCH = 1_789_000_000.123456
_RANDOM = [name for name in dir(random.Random) if name.islower() and not name.startswith("_")]


class Chance:
    """Where recorded values come from in a test: the n-th of a run is the same in every run."""

    def __init__(self) -> None:
        self.taken = 0
        self.virtual: Callable[[], float] = float
        """Seconds that the run's own clock has moved."""

    def now(self) -> float:
        """Seconds since the epoch; a little later each time."""
        self.taken += 1
        return EPOCH + self.virtual() + self.taken * 0.001

    def bits(self, count: int) -> int:
        """So many bits that depend only on how many values were taken before."""
        self.taken += 1
        return random.Random(self.taken).getrandbits(count)

    def locals(self) -> FreshLocals:
        """What one advance of a machine takes its values from."""
        return FreshLocals(self.now, self.bits, self.virtual)


class _Moments(type):
    """Stands in for ``datetime`` and ``date``: everything of theirs, with another clock."""

    real: type

    def __call__(cls, *args: Any, **keywords: Any) -> Any:
        return cls.real(*args, **keywords)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.real)


def _checked(host: Callable[..., Any], made: Callable[[], Any]) -> Callable[..., Any]:
    """``made``, with the host's own complaints about arguments."""

    def call(*args: Any, **keywords: Any) -> Any:
        host(*args, **keywords)
        return made()

    return call


class PlainChance:
    """The names of the standard library that plain CPython sees in place of clocks and chance."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._random: random.Random | None = None
        moments = self._moments()
        names: list[tuple[Any, str, Any]] = [
            (time, "time", _checked(time.time, chance.now)),  # noqa: TID251 - for its complaints
            (time, "time_ns", _checked(time.time_ns, self._nanoseconds)),
            (uuid, "uuid4", _checked(uuid.uuid4, self._id)),
            (dt, "datetime", moments[0]),
            (dt, "date", moments[1]),
            *((random, name, self._drawing(name)) for name in _RANDOM if hasattr(random, name)),
        ]
        self._stand_ins = {id(getattr(module, name)): made for module, name, made in names}
        for module in (time, uuid, dt, random):
            proxy = types.SimpleNamespace(**vars(module))
            for owner, name, made in names:
                if owner is module:
                    setattr(proxy, name, made)
            self._stand_ins[id(module)] = proxy

    def for_value(self, value: Any) -> Any:
        """What a global of a case means for this run: itself, or its stand-in."""
        return self._stand_ins.get(id(value), value)

    def advanced(self) -> None:
        """Begin another advance: the machine records one seed for each that draws."""
        self._random = None

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self._chance.bits(128), version=4)

    def _nanoseconds(self) -> int:
        now = self._chance.now()
        return int(now) * 10**9 + round(now % 1 * 10**9)

    def _drawing(self, name: str) -> Callable[..., Any]:
        def draw(*args: Any, **keywords: Any) -> Any:
            if self._random is None:
                self._random = random.Random(self._chance.bits(128))
            return getattr(self._random, name)(*args, **keywords)

        return draw

    def _moments(self) -> tuple[type, type]:
        chance = self._chance

        class Moment(dt.datetime, metaclass=_Moments):
            real = dt.datetime

            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Any:
                dt.datetime.now(tz)  # noqa: TID251 - for its complaints
                return dt.datetime.fromtimestamp(chance.now(), tz)

            @classmethod
            def today(cls) -> Any:
                return dt.datetime.fromtimestamp(chance.now())  # noqa: DTZ006 - as asked for

            @classmethod
            def utcnow(cls) -> Any:
                return dt.datetime.fromtimestamp(chance.now(), dt.UTC).replace(tzinfo=None)

        class Day(dt.date, metaclass=_Moments):
            real = dt.date

            @classmethod
            def today(cls) -> Any:
                return dt.date.fromtimestamp(chance.now())  # noqa: DTZ012 - as asked for

        return Moment, Day
