"""Clocks, ids and random numbers: other values in every run, the same ones after every recovery."""

import asyncio
import datetime as dt
import random
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from random import choice, randint
from uuid import uuid4
from zoneinfo import ZoneInfo

from tests.language.steps import boom, echo, note
from waymark import Workflow, workflow


@workflow
class NowOfAZone(Workflow):
    async def run(self):
        started = datetime.now(UTC)
        there = datetime.now(ZoneInfo("Europe/Berlin"))
        await echo(started)
        later = datetime.now(tz=UTC)
        return started, there, later, later > started, there.tzinfo


@workflow
class NaiveNow(Workflow):
    async def run(self):
        now, today = datetime.now(), datetime.today()
        await echo(1)
        return now.tzinfo, today - now < timedelta(seconds=1), datetime.utcnow(), now


@workflow
class NowOfTheModule(Workflow):
    async def run(self):
        first = dt.datetime.now(UTC)
        day = dt.date.today()
        return await echo([first, day, isinstance(first, dt.datetime), type(first).__name__])


@workflow
class Today(Workflow):
    async def run(self):
        deadline = date.today() + timedelta(days=30)
        await echo(deadline)
        return deadline, deadline.isoformat(), isinstance(deadline, date)


@workflow
class SecondsSinceTheEpoch(Workflow):
    async def run(self):
        begun = time.time()
        await asyncio.sleep(3600)
        passed = time.time() - begun
        return begun, round(passed), passed > 3600, time.time_ns()


@workflow
class IdsForCalls(Workflow):
    async def run(self):
        keys = [uuid4() for _ in range(3)]
        sent = [await echo(key) for key in keys]
        return sent == keys, len(set(keys)), uuid.uuid4().version, str(keys[0])


@workflow
class IdInEveryPosition(Workflow):
    async def run(self):
        made = {uuid.uuid4(): await echo(uuid.uuid4()) for _ in range(2)}
        text = f"{uuid.uuid4()}:{await note(str(uuid.uuid4()))}"
        return made, text


@workflow
class ClockInAHandler(Workflow):
    async def run(self):
        times = []
        try:
            times.append(time.time())
            await boom("ValueError", time.time())
        except ValueError as error:
            times.append(error.args[0])
            times.append(time.time())
        finally:
            times.append(time.time())
            await note("done")
            times.append(time.time())
        return times, times == sorted(times)


@workflow
class ChildrenTakeTheirOwn(Workflow):
    async def stamp(self, number):
        before = time.time(), random.random()
        await echo(number)
        return before, time.time(), random.random()

    async def run(self):
        return await asyncio.gather(*[self.stamp(number) for number in range(4)])


@workflow
class Draws(Workflow):
    async def run(self):
        drawn = [
            random.random(),
            random.uniform(1, 2),
            random.randint(1, 6),
            random.randrange(0, 100, 5),
        ]
        await echo(drawn)
        drawn += [random.gauss(0, 1), random.normalvariate(1, 2), random.expovariate(1.5)]
        await echo(drawn)
        drawn += [random.triangular(0, 1), random.betavariate(1, 2), random.getrandbits(70)]
        drawn.append(random.randbytes(5))
        return drawn


@workflow
class MoreDistributions(Workflow):
    async def run(self):
        return [
            random.gammavariate(2, 1),
            random.lognormvariate(0, 1),
            random.paretovariate(3),
            random.vonmisesvariate(1, 2),
            random.weibullvariate(1, 2),
        ]


@workflow
class Choices(Workflow):
    async def run(self):
        colours = ["red", "green", "blue"]
        first = choice(colours)
        await note(first)
        many = random.choices(colours, weights=[1, 2, 3], k=5)
        few = random.sample(range(10**9), 3)
        return first in colours, many, few, random.sample(colours, k=2), choice("abc")


@workflow
class Shuffled(Workflow):
    async def run(self):
        deck = list(range(20))
        same = deck
        random.shuffle(deck)
        await echo(deck)
        random.shuffle(deck)
        return same, same is deck, sorted(deck) == list(range(20))


@workflow
class DrawsInALoop(Workflow):
    async def run(self):
        total = 0
        while total < 20:
            total += await echo(randint(1, 6)) if random.random() < 0.5 else randint(1, 3)
        return total


@workflow
class RetryWithJitter(Workflow):
    async def run(self):
        waits = []
        for attempt in range(4):
            try:
                await boom("ConnectionError", attempt)
            except ConnectionError:
                waits.append(2**attempt * random.uniform(0.5, 1.5))
                await asyncio.sleep(waits[-1])
        return waits, datetime.now(UTC)


@workflow
class WrongClockArguments(Workflow):
    async def run(self, which):
        try:
            if which == 0:
                return time.time(1)
            if which == 1:
                return datetime.now("utc")
            if which == 2:
                return random.randint(2, 1)
            if which == 3:
                return random.choice([])
            if which == 4:
                return random.sample([1, 2], 3)
            if which == 5:
                return random.randrange()
            return random.random(1)
        except (TypeError, ValueError, IndexError) as error:
            return type(error).__name__, str(error)


@workflow
class ClocksAsValues(Workflow):
    async def run(self):
        clock, make = time.time, uuid4
        draw = random.random
        before = clock()
        await echo(make())
        return clock() > before, make(), draw()


@workflow
class ClockOfAClassInAVariable(Workflow):
    async def run(self):
        kind = datetime
        return kind.now(UTC), (lambda: time.time_ns())()


@workflow
class DefaultedClock(Workflow):
    async def run(self, now=None):
        when = now or datetime.now(UTC)
        await echo(when)
        return when.isoformat()


INPUTS = {
    "WrongClockArguments": [{"which": which} for which in range(7)],
    "DefaultedClock": [{}, {"now": datetime(2026, 1, 2, tzinfo=UTC)}],
}
