"""``bisect``, ``heapq``, ``calendar`` and ``random.Random``: state in plain values."""

import bisect
import calendar
import heapq
import random
import uuid
from random import Random

from tests.language.steps import double, echo, numbers
from waymark import Workflow, workflow


@workflow
class BinarySearch(Workflow):
    async def run(self):
        marks = [1, 3, 3, 5]
        await echo(marks)
        places = [
            bisect.bisect_left(marks, 3),
            bisect.bisect_right(marks, 3),
            bisect.bisect(marks, 9),
        ]
        bisect.insort(marks, await double(2))
        bisect.insort_left(marks, 3.0)
        return (
            places,
            marks,
            bisect.bisect_left(marks, 3, 2),
            bisect.bisect("abd", "c"),
            bisect.bisect(marks, 3, hi=1),
        )


@workflow
class BinarySearchFailures(Workflow):
    async def run(self, which):
        try:
            if which == 0:
                return bisect.bisect([1, 2], "a")
            if which == 1:
                return bisect.bisect([1], 1, -1)
            if which == 2:
                return bisect.bisect([1])
            return bisect.insort((1,), 1)
        except (TypeError, ValueError, AttributeError) as error:
            return type(error).__name__, str(error)


@workflow
class PriorityQueue(Workflow):
    async def run(self):
        jobs = []
        for priority, name in [(3, "c"), (1, "a"), (2, "b"), (1, "d")]:
            heapq.heappush(jobs, (priority, await echo(name)))
        order = []
        while jobs:
            order.append(heapq.heappop(jobs))
            await echo(order[-1])
        return order


@workflow
class HeapsOfNumbers(Workflow):
    async def run(self):
        heap = [9, 4, 7, 1, 8, 2]
        heapq.heapify(heap)
        first = list(heap)
        await echo(first)
        swapped = heapq.heapreplace(heap, 5), heapq.heappushpop(heap, 0), heapq.heappushpop(heap, 6)
        return (
            first,
            swapped,
            heap,
            heapq.nlargest(2, heap),
            heapq.nsmallest(3, [3, 1, 2, 1]),
            heapq.nlargest(9, "abc"),
        )


@workflow
class StableSelections(Workflow):
    async def run(self):
        values = [1, True, 1.0, 0, False, 0.0]
        await echo(1)
        return heapq.nlargest(3, values), heapq.nsmallest(3, values)


@workflow
class EmptyHeap(Workflow):
    async def run(self):
        try:
            heapq.heappop([])
        except IndexError as error:
            return str(error)


@workflow
class Calendars(Workflow):
    async def run(self):
        year = await double(1012)
        return (
            calendar.isleap(year),
            calendar.leapdays(2000, 2025),
            calendar.timegm((2026, 1, 1, 0, 0, 0)),
        )


@workflow
class NamedIds(Workflow):
    async def run(self):
        key = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com")
        await echo(key)
        return key, uuid.uuid3(uuid.NAMESPACE_DNS, "example.com"), uuid.uuid5(key, "a") != key


@workflow
class SeededGenerator(Workflow):
    async def run(self):
        dice = random.Random(42)
        first = [dice.randint(1, 6) for _ in range(3)]
        await echo(first)
        return (
            first,
            dice.random(),
            dice.choice("abc"),
            dice.sample(range(100), 3),
            dice.gauss(0, 1),
        )


@workflow
class GeneratorStateSurvives(Workflow):
    async def run(self):
        dice, twin = Random("seed"), Random("seed")
        dice.gauss(0, 1)
        twin.gauss(0, 1)
        values = []
        for _ in range(3):
            values.append(
                (dice.random(), dice.gauss(0, 1)) == (await echo(twin.random()), twin.gauss(0, 1))
            )
        deck = await numbers(8)
        dice.shuffle(deck)
        return values, deck, isinstance(dice, Random), dice.choices([1, 2], k=2)


INPUTS = {"BinarySearchFailures": [{"which": which} for which in range(4)]}
