"""Abstract classes of ``collections.abc`` and ``numbers``, asked of every kind of value and class."""

import asyncio
import collections
import functools
import re
import typing
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Container,
    Coroutine,
    Generator,
    Hashable,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    MappingView,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Reversible,
    Sequence,
    Set,
    Sized,
    ValuesView,
)
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntFlag, StrEnum
from fractions import Fraction
from numbers import Complex, Integral, Number, Rational, Real
from typing import Any, NamedTuple

from pydantic import BaseModel

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow

COLLECTIONS = (
    Collection,
    Container,
    Iterable,
    Reversible,
    Sized,
    Sequence,
    MutableSequence,
    Set,
    MutableSet,
    Mapping,
    MutableMapping,
)
VIEWS = (MappingView, KeysView, ItemsView, ValuesView)
NUMBERS = (Number, Complex, Real, Rational, Integral)
RUNNING = (
    Iterator,
    Generator,
    Callable,
    Awaitable,
    Coroutine,
    AsyncIterable,
    AsyncIterator,
    AsyncGenerator,
)


class Empty(BaseModel):
    n: int = 0


class Frozen(BaseModel, frozen=True):
    n: int = 0


@dataclass
class Plain:
    n: int = 0


@dataclass(frozen=True)
class Fixed:
    n: int = 0


@dataclass
class Shelf:
    books: list = field(default_factory=list)

    def __len__(self):
        return len(self.books)

    def __iter__(self):
        return iter(self.books)

    def __contains__(self, book):
        return book in self.books


@dataclass
class Countdown:
    n: int = 3

    def __iter__(self):
        return self

    def __next__(self):
        if not self.n:
            raise StopIteration
        self.n -= 1
        return self.n


@dataclass
class Stream:
    n: int = 2

    def __aiter__(self):
        return self

    async def __anext__(self):
        raise StopAsyncIteration


@dataclass
class Adder:
    n: int = 0

    def __call__(self, other):
        return self.n + other

    def __eq__(self, other):
        return isinstance(other, Adder)


@dataclass
class Amount:
    n: int = 0


Real.register(Amount)
Sequence.register(Amount)


@dataclass
class Catalogue(Collection):
    names: tuple = ("a", "b")

    def __len__(self):
        return len(self.names)

    def __iter__(self):
        return iter(self.names)

    def __contains__(self, name):
        return name in self.names


class Pair(NamedTuple):
    a: int = 1
    b: int = 2


class Tone(Enum):
    LOW = 1


class Word(StrEnum):
    ONE = "one"


class Mode(IntFlag):
    ON = 1


class Failed(Exception):
    pass


class Long(Exception):
    def __len__(self):
        return 3


def plain():
    return 1


def counted():
    yield 1


async def streamed():
    yield 1


async def later():
    return await double(1)


def names_of(value, kinds):
    return " ".join(kind.__name__ for kind in kinds if isinstance(value, kind))


@workflow
class KindsOfContainers(Workflow):
    async def run(self):
        asked = (*COLLECTIONS, *VIEWS, Hashable)
        log = []
        known = {1: [2]}
        for value in (
            None,
            "text",
            b"b",
            bytearray(b"b"),
            [1],
            (1,),
            {1},
            frozenset({1}),
            known,
            range(3),
            slice(1),
            known.keys(),
            known.values(),
            known.items(),
            deque([1]),
            Counter("aa"),
            OrderedDict(),
            defaultdict(list),
            memo(3),
            Pair(),
            object,
        ):
            log.append(names_of(value, asked))
            await note("recovered")
        return log


def memo(n):
    return {number: number * 2 for number in range(n)}


@workflow
class KindsOfNumbers(Workflow):
    async def run(self):
        await note("numbers")
        values = (
            True,
            1,
            10**30,
            1.5,
            float("nan"),
            2j,
            Decimal("1.5"),
            Fraction(1, 3),
            Mode.ON,
            Word.ONE,
            Tone.LOW,
            "1",
            timedelta(1),
        )
        return [(names_of(value, NUMBERS), isinstance(value, Hashable)) for value in values]


@workflow
class KindsOfWhatRuns(Workflow):
    async def run(self):
        held = [
            plain, counted, later, lambda: 1, len, "".join, [].append, plain.__name__.upper, counted(), streamed(),
            iter([1]), iter({1}), iter({1: 2}.items()), iter("a"), reversed([1]), zip([1]), enumerate("a"), map(len, []),
            filter(None, []), functools.partial(plain), functools.cmp_to_key(lambda a, b: 0), double, echo, self.step, re.compile("a"),
            int, Plain, Tone, asyncio.Lock(), asyncio.Event(), asyncio.Queue(),
        ]  # fmt: skip
        task, sleeping, call, made = (
            asyncio.create_task(later()),
            asyncio.sleep(0),
            double(3),
            later(),
        )
        held += [task, asyncio.gather(task), sleeping, call, made]
        log = [names_of(value, (*RUNNING, Iterable, Hashable, Sized, Container)) for value in held]
        return log, await sleeping, await call, await made, await task

    async def step(self):
        return 1


@workflow
class KindsOfObjects(Workflow):
    async def run(self):
        asked = (*COLLECTIONS, *NUMBERS, *RUNNING, Hashable)
        log = []
        for value in (
            Empty(),
            Frozen(),
            Plain(),
            Fixed(),
            Shelf([1]),
            Countdown(),
            Stream(),
            Adder(),
            Amount(),
            Catalogue(),
            Pair(),
            Tone.LOW,
            Word.ONE,
            Mode.ON,
            Failed(),
            Long(),
            ValueError("x"),
            date(2024, 1, 2),
            datetime(2024, 1, 2, tzinfo=UTC),
            timedelta(1),
        ):
            log.append((type(value).__name__, names_of(value, asked)))
        back = [await echo(value) for value in (Shelf([2]), Frozen(n=3), Amount(), Adder(1))]
        return log, [names_of(value, asked) for value in back]


@workflow
class SubclassesOfAbstractOnes(Workflow):
    async def run(self):
        await note("classes")
        kinds = (
            int,
            bool,
            str,
            list,
            dict,
            set,
            frozenset,
            range,
            float,
            Decimal,
            Counter,
            type,
            object,
            ValueError,
            Empty,
            Frozen,
            Plain,
            Fixed,
            Shelf,
            Countdown,
            Adder,
            Amount,
            Pair,
            Tone,
            Word,
            Failed,
            Long,
            Sequence,
            Integral,
        )
        asked = (
            Sequence,
            Mapping,
            Set,
            Real,
            Number,
            Hashable,
            Iterable,
            Sized,
            Callable,
            Iterator,
        )
        several = [issubclass(kind, (int, Sized | Iterator)) for kind in kinds]
        return [
            [kind.__name__ for kind in kinds if issubclass(kind, one)] for one in asked
        ], several
