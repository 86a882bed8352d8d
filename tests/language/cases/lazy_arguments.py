"""Builtins and methods that take items from generators, ``map``, ``filter`` and ``zip``: when, and how many."""

import itertools
import math
import operator
import statistics
import sys
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

from pydantic import BaseModel, field_validator

from tests.language.steps import double, echo
from waymark import Workflow, workflow


class Doubled(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def twice(cls, v):
        return v * 2


@dataclass
class Countdown:
    """An iterator that says whenever it is asked for itself."""

    log: list
    left: int

    def __iter__(self):
        self.log.append("iter")
        return self

    def __next__(self):
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return self.left


@dataclass
class OnlyNext:
    def __next__(self):
        return 1


@workflow
class SetMethodsTakeEveryLazyArgument(Workflow):
    async def run(self, rows: list):
        kept = {0}
        kept.update((x for x in rows), map(int, "23"), filter(None, [4, 0]))
        both = (x for x in rows)
        fixed = frozenset([1, 2, 3, 4])
        return [
            kept,
            set().union(*(map(str, part) for part in [rows, [await double(3)]])),
            {0}.union(both, both),
            fixed.intersection((x for x in rows), (x for x in [2, 1, 9])),
            fixed.difference(map(int, "1"), (x for x in [3])),
        ]


@workflow
class SetMethodsWhileItemsNeedAWorker(Workflow):
    async def run(self, rows: list):
        made = (Doubled(n=x).n for x in rows)
        kept = {100}
        kept.difference_update((Doubled(n=x).n for x in [50]), [1])
        kept.update((Doubled(n=x).n for x in rows), map(lambda x: Doubled(n=x).n, [7]))
        first, second = (Doubled(n=x).n for x in rows)
        return [kept, {0}.union(made, made), first, second, await echo(1)]


@workflow
class OnlyItemsThatNeedAWorkerAreMadeAhead(Workflow):
    async def run(self, rows: list):
        unique: list = []
        unique.extend(x for x in rows if x not in unique)
        unique.extend(zip(rows, (len(unique) for _ in rows), strict=True))
        unique += filter(lambda x: x not in unique, rows)
        shared = iter(rows)
        nested = [[Doubled(n=x)] for x in rows]
        models = [model.n for model in itertools.chain(*nested)]
        sums = sum(Doubled(n=len(unique) + x).n for x in rows)
        return [unique, 1 in map(int, shared), list(shared), models, sums, await echo(1)]


if sys.version_info >= (3, 12):

    @workflow
    class NumbersOfTwoLazyArguments(Workflow):
        async def run(self, rows: list):
            asked: list = []
            paired = math.sumprod(
                (asked.append(x) or x for x in rows), (asked.append(x) or x for x in [10, 20])
            )
            try:
                statistics.correlation((x for x in rows), (x for x in rows))
            except TypeError as error:
                asked.append(str(error))
            return [
                paired,
                asked,
                math.dist((x for x in rows), map(int, "45")),
                statistics.fmean((x for x in rows), weights=(x for x in [3, await echo(4)])),
            ]


@workflow
class ListsThatGrowWhileTheyAreRead(Workflow):
    async def run(self, rows: list):
        def pairs(of):
            for x in rows:
                yield x, len(of)

        unique: list = []
        unique.extend(x for x in rows if x not in unique)
        added: list = []
        added += filter(lambda x: x not in added, rows)
        running = [1]
        running.extend(map(lambda x: sum(running) + x, rows))
        zipped: list = [await echo(0)]
        zipped.extend(zip((len(zipped) for _ in rows), "abc"))
        zipped.extend(enumerate(len(zipped) for _ in rows[:2]))
        zipped.extend(pairs(zipped))
        return [unique, added, running, zipped]


@workflow
class OtherContainersThatGrowWhileTheyAreRead(Workflow):
    async def run(self, rows: list):
        sizes = {await echo(1)}
        sizes.update(len(sizes) + x for x in rows)
        named: dict = {}
        named.update((len(named), x) for x in "abc")
        ordered: OrderedDict = OrderedDict()
        ordered.update((len(ordered), x) for x in rows)
        ring = deque([1])
        ring.extend(len(ring) for _ in rows)
        ring.extendleft(-len(ring) for _ in rows)
        ring += (len(ring) * 10 for _ in rows)
        counted: Counter = Counter()
        counted.update(sum(counted.values()) // 2 for _ in "abcd")
        counted.subtract(sum(counted.values()) for _ in "ab")
        left = {1, 2, 3}
        common = left.intersection(left.discard(2) or x for x in [2, 3])
        toggled = left.symmetric_difference(left.discard(x) or x for x in [3, 9])
        return [sizes, named, ordered, list(ring), dict(counted), common, toggled, left]


@workflow
class WhatCameBeforeAFailureStays(Workflow):
    async def run(self, rows: list):
        kept, named, ring, counted = {0}, {}, deque(), Counter()
        found = []
        for broken in (
            lambda: kept.update([8], 5),
            lambda: kept.update(10 // (2 - x) for x in rows),
            lambda: named.update((x, 1 // (2 - x)) for x in rows),
            lambda: ring.extendleft(1 // (2 - x) for x in rows),
            lambda: counted.update(x if x < 2 else [] for x in rows),
            lambda: bytearray(b"a").extend(len(kept)),
        ):
            try:
                broken()
            except (TypeError, ZeroDivisionError) as error:
                found.append(str(error))
        return [kept, named, list(ring), dict(counted), found, await echo(2)]


@workflow
class UnpackingTakesOneItemTooMany(Workflow):
    async def run(self, rows: list):
        texts = []
        for endless in (
            (x for x in itertools.count()),
            map(str, itertools.count()),
            range(10**12),
        ):
            try:
                _first, _second = endless
            except ValueError as error:
                texts.append(str(error))
        shared = iter(rows)
        try:
            _a, _b = (x for x in shared)
        except ValueError:
            texts.append(list(shared))
        return [texts, await echo(0)]


@workflow
class BuiltinsThatStopEarlyLeaveTheRest(Workflow):
    async def run(self, rows: list):
        rests = []
        for ask in (
            lambda taken: {1}.isdisjoint(taken),
            lambda taken: {1}.issuperset(taken),
            lambda taken: {1: 0}.keys().isdisjoint(taken),
            lambda taken: operator.indexOf(taken, 2),
            lambda taken: 2 in taken,
            lambda taken: any(taken),
        ):
            shared = iter(rows)
            rests.append((ask(x for x in shared), list(shared)))
        return [rests, await echo(0)]


@workflow
class SetMethodsThatFoundAllOfTheirOwnLeaveTheRest(Workflow):
    async def run(self, rows: list):
        mine, shared = {1, 2}, iter(rows)
        mine.intersection_update(x for x in shared)
        rests = [list(shared), {1}.intersection([3, 1, []]), set().intersection(rows)]
        for ask in (frozenset([3, 1]).intersection, {2}.issubset):
            shared = iter(rows)
            rests.append((ask(map(int, shared)), await echo(list(shared))))
        return [rests, mine, {1}.issubset([1, {}]), {7}.issubset(rows), set().issubset(x for x in rows)]


@workflow
class BuiltinsThatFailEarlyLeaveTheRest(Workflow):
    async def run(self, rows: list):
        rests = []
        for ask in (
            sum,
            min,
            set,
            dict,
            bytes,
            lambda taken: {*taken},
            lambda taken: int.from_bytes(taken, "big"),
            lambda taken: max(taken, key=lambda x: x + 1),
            lambda taken: dict.fromkeys(taken, 0),
        ):
            shared = iter(rows)
            try:
                ask(x for x in shared)
            except (TypeError, ValueError) as error:
                rests.append((str(error), list(shared)))
        return [rests, await echo(0)]


@workflow
class IteratorsOfTheProgramAreAskedForThemselvesOnce(Workflow):
    async def run(self, start: int):
        log: list = []
        made = [
            any(Countdown(log, start)),
            all(Countdown(log, start)),
            list(Countdown(log, start)),
            sum(Countdown(log, start)),
            min(Countdown(log, start)),
            {1}.union(Countdown(log, start), [await echo(9)]),
            list(zip(Countdown(log, start), Countdown(log, 1))),
            list(enumerate(Countdown(log, start))),
            [*Countdown(log, start)],
            2 in Countdown(log, start),
        ]
        for ask in (any, lambda it: 2 in it, list):
            try:
                ask(OnlyNext())
            except TypeError as error:
                made.append(str(error))
        return [made, log]


@workflow
class AGeneratorAsAnItemIsNotConsumed(Workflow):
    async def run(self, start: int):
        inner = (x for x in range(start))
        outer = [await echo(0), inner]
        return [outer.index(inner), outer.count(inner), list(inner)]


INPUTS = {
    "SetMethodsTakeEveryLazyArgument": [{"rows": [1, 2]}],
    "SetMethodsWhileItemsNeedAWorker": [{"rows": [1, 2]}],
    "OnlyItemsThatNeedAWorkerAreMadeAhead": [{"rows": [1, 2, 1]}],
    "NumbersOfTwoLazyArguments": [{"rows": [1, 2]}],
    "ListsThatGrowWhileTheyAreRead": [{"rows": [1, 2, 1, 3]}],
    "OtherContainersThatGrowWhileTheyAreRead": [{"rows": [1, 1, 5]}],
    "WhatCameBeforeAFailureStays": [{"rows": [0, 1, 2, 3]}],
    "UnpackingTakesOneItemTooMany": [{"rows": [1, 2, 3, 4, 5]}],
    "BuiltinsThatStopEarlyLeaveTheRest": [{"rows": [1, 2, 3, 4]}],
    "SetMethodsThatFoundAllOfTheirOwnLeaveTheRest": [{"rows": [1, 2, 3, 4]}],
    "BuiltinsThatFailEarlyLeaveTheRest": [{"rows": [1, [], 3, 4]}],
    "IteratorsOfTheProgramAreAskedForThemselvesOnce": [{"start": 3}],
    "AGeneratorAsAnItemIsNotConsumed": [{"start": 3}],
}

# sumprod is of 3.12, and so is that issuperset and issubset stop early.
SINCE = {
    "NumbersOfTwoLazyArguments": (3, 12),
    "BuiltinsThatStopEarlyLeaveTheRest": (3, 12),
    "SetMethodsThatFoundAllOfTheirOwnLeaveTheRest": (3, 12),
}
