"""Attributes of classes that are made of others of the same class."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from typing import ClassVar

from pydantic import BaseModel

from tests.language.steps import double, echo, note
from waymark import RetryPolicy, Workflow, workflow

OTHER = (1, 2)


def await_longer(n):
    return n * 2


@dataclass
class Rate:
    PERCENT: ClassVar[int] = 3
    BASE: ClassVar[int] = PERCENT * 2
    n: int = BASE

    def of(self, amount):
        return amount * self.BASE + self.n


@workflow
class AttributesOfAttributes(Workflow):
    ATTEMPTS = 3
    POLICY = RetryPolicy(attempts=ATTEMPTS)
    STEP = timedelta(seconds=5)
    LIMIT: ClassVar[timedelta] = STEP * ATTEMPTS
    SECONDS = LIMIT.total_seconds()
    STATES = ("new", "open", "done")
    FINAL = STATES[-1]
    RANKS = {state: rank for rank, state in enumerate(STATES)}
    NAMES = [FINAL, *STATES]
    TEXT = f"{FINAL}: {', '.join(NAMES)}"

    async def run(self):
        got = await self.run_action(double(1), retry=self.POLICY, timeout=self.LIMIT)
        self.NAMES.append(await note("more"))
        return got, self.SECONDS, self.FINAL, self.RANKS, self.NAMES, self.TEXT, Rate().of(2), Rate.BASE


@workflow
class PatternsOfPatterns(Workflow):
    WORD = r"[a-z]+"
    PAIR = re.compile(rf"({WORD})-(\d+)")
    ALL = {"word": re.compile(WORD), "pair": PAIR}
    OTHER = (5,)
    OURS = [n for n in OTHER if n in (1, 2, 5)]
    ADDED = [lambda n, more=OTHER: n + more[0] + len(OTHER)]

    async def run(self):
        text = await note("ab-12, cd")
        return self.PAIR.findall(text), self.ALL["word"].findall(text), self.OURS, self.ADDED[0](1)


@dataclass
class Person:
    class Kind(StrEnum):
        ADULT = "adult"
        CHILD = "child"

    age: int
    kind: Kind = Kind.ADULT


class Place(BaseModel):
    class Country(StrEnum):
        DE = "de"
        US = "us"

    country: Country = Country.DE


@workflow
class ClassesInClasses(Workflow):
    class Mode(Enum):
        FAST = 1
        SLOW = 2

    DEFAULT = Mode.FAST
    WAITS = {Mode.FAST: 1, Mode.SLOW: await_longer}

    async def run(self):
        kept = await echo(self.DEFAULT)
        return self.WAITS[kept], self.WAITS[ClassesInClasses.Mode.SLOW](2), Person(1), Place().country is Place.Country.DE


BASE = [1]


@workflow
class AttributesThatShareObjects(Workflow):
    ROWS = [[0] * 2] * 2
    BY_NAME = {"base": BASE, "rows": ROWS[0][:1]}
    ALONE = {"alone": [3]}

    async def run(self):
        self.ROWS[0][1] = await double(1)
        BASE.append(await double(2))
        self.ALONE["alone"].append(4)
        await note("changed")
        self.BY_NAME["base"].append(5)
        return self.ROWS, self.ROWS[0] is self.ROWS[1], self.BY_NAME, BASE, self.BY_NAME["base"] is BASE, self.ALONE
