"""Attributes of classes that are made of others of the same class."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from tests.language.steps import double, note
from waymark import RetryPolicy, Workflow, workflow

OTHER = (1, 2)


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
