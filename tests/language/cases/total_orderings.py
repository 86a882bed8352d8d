"""Comparisons that ``functools.total_ordering`` makes, of each of the four that it starts from."""

import functools
from dataclasses import dataclass
from enum import Enum
from functools import total_ordering

from pydantic import BaseModel

from tests.language.steps import echo, note
from waymark import Workflow, workflow


@total_ordering
@dataclass
class Version:
    major: int
    minor: int = 0

    def __lt__(self, other):
        if not isinstance(other, Version):
            return NotImplemented
        return (self.major, self.minor) < (other.major, other.minor)


@functools.total_ordering
@dataclass
class Weight:
    grams: int

    def __gt__(self, other):
        return self.grams > other.grams if isinstance(other, Weight) else NotImplemented


@dataclass
class Parcel(Weight):
    to: str = ""


@dataclass(order=True)
class Ordered(Weight):
    more: int = 0


@total_ordering
@dataclass
class Label:
    text: str
    number: int = 0

    def __le__(self, other):
        return self.text <= other.text

    def __eq__(self, other):
        return isinstance(other, Label) and self.text == other.text


@total_ordering
@dataclass(frozen=True)
class Rank:
    n: int

    def __ge__(self, other):
        return self.n >= other.n


@total_ordering
class Score(BaseModel):
    points: int

    def __lt__(self, other):
        return self.points < other.points if isinstance(other, Score) else NotImplemented


class Golf(Score):
    def __lt__(self, other):
        return self.points > other.points


@total_ordering
class Priority(Enum):
    LOW = 1
    HIGH = 2

    def __lt__(self, other):
        if self.__class__ is other.__class__:
            return self.value < other.value
        return NotImplemented


@total_ordering
class Delay(Exception):
    def __init__(self, seconds):
        super().__init__(seconds)
        self.seconds = seconds

    def __lt__(self, other):
        return self.seconds < other.seconds

    def __eq__(self, other):
        return self.seconds == other.seconds


@total_ordering
@dataclass
class Strange:
    n: int

    def __lt__(self, other):
        if self.n > 5:
            raise ValueError("no order")
        return [self.n] if self.n else []


def compared(a, b):
    row = []
    for compare in (lambda: a < b, lambda: a <= b, lambda: a > b, lambda: a >= b, lambda: a == b):
        try:
            row.append(compare())
        except (TypeError, AttributeError, ValueError) as e:
            row.append(str(e))
    return row


@workflow
class ComparesInAllWays(Workflow):
    async def run(self):
        log = []
        for group in (
            [Version(1), Version(1, 2), Version(1)],
            [Weight(1), Weight(2), Parcel(1, "x"), Parcel(2)],
            [Ordered(1, 2), Ordered(1, 3)],
            [Label("a"), Label("b"), Label("a", 3)],
            [Rank(1), Rank(2)],
            [Score(points=1), Score(points=2), Golf(points=1), Golf(points=3)],
            [Priority.LOW, Priority.HIGH],
            [Delay(1), Delay(2), Delay(1)],
            [Strange(0), Strange(1), Strange(6)],
            [Version(1), 3, "x", None, Weight(1), Priority.LOW],
        ):
            log.append([compared(a, b) for a in group for b in group])
            await note("group")
        return log


@workflow
class SortsByOrderings(Workflow):
    async def run(self):
        versions = [Version(2), Version(1, 5), await echo(Version(1, 4))]
        versions.sort(reverse=True)
        heaviest = max([Weight(3), Parcel(9, "y"), Weight(4)], default=None)
        scores = sorted([Score(points=3), Score(points=1)])
        ranked = sorted([(Priority.HIGH, 1), (Priority.LOW, 2), (Priority.LOW, 1)])
        first, *others = sorted([Delay(3), Delay(2)])
        return versions, heaviest, scores, ranked, first.seconds, len(others), min(Rank(4), Rank(2)), sorted(Priority)[-1]
