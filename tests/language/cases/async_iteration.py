"""``async for``, asynchronous comprehensions, async generators and what can be sent and thrown into them."""

import asyncio
from dataclasses import dataclass

from tests.language.steps import boom, double, echo, note, numbers
from waymark import Workflow, workflow


async def doubled(values):
    for value in values:
        yield await double(value)


async def counting(log, stop):
    n = 0
    try:
        while n < stop:
            got = yield n
            log.append(("got", got))
            n += 1
    finally:
        log.append(await note("closed"))


async def nested(depth):
    yield depth
    if depth:
        async for each in nested(depth - 1):
            yield each
            yield await echo(-each)


async def failing():
    yield 1
    await boom("ValueError", "inside")
    yield 2


async def sync_items():
    yield "a"
    yield "b"


async def ends_badly(kind):
    yield 1
    raise kind


@dataclass
class Countdown:
    n: int

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        return await double(self.n)


@dataclass
class Collection:
    items: list

    async def __aiter__(self):
        for each in self.items:
            yield await echo(each)


@dataclass
class Halfway:
    def __aiter__(self):
        return 5


@workflow
class AsyncForOverAGenerator(Workflow):
    async def run(self):
        out = []
        async for value in doubled([1, 2, 3]):
            out.append(value)
        else:
            out.append(await note("else"))
        async for out[0], *rest in sync_pairs():
            out.append(rest)
        return out, value


async def sync_pairs():
    yield 1, 2, 3
    yield "xy"


@workflow
class AsyncForLeftEarly(Workflow):
    async def run(self):
        out = []
        async for value in doubled(range(10)):
            if value == 2:
                continue
            if value > 5:
                break
            out.append(value)
        else:
            out.append("else")
        return out, value


@workflow
class AsyncForReturns(Workflow):
    async def first(self, values):
        async for value in doubled(values):
            if value > 2:
                return value
        return None

    async def run(self):
        return await self.first([1, 2, 3]), await self.first([0]), await self.first([])


@workflow
class AsyncComprehensions(Workflow):
    async def run(self):
        a = [x async for x in doubled([1, 2, 3]) if x != 4]
        b = {x: y async for x in doubled([1, 2]) for y in await numbers(x) if y}
        c = sorted({x % 3 async for x in doubled(range(5))})
        d = [[x + y async for x in doubled([y])] for y in range(2)]
        e = [(x, y) async for x in sync_items() async for y in doubled([len(x)])]
        return a, b, c, d, e


@workflow
class RecursiveGenerators(Workflow):
    async def run(self):
        return [each async for each in nested(3)]


@workflow
class FailsInTheMiddle(Workflow):
    async def run(self):
        out = []
        try:
            async for each in failing():
                out.append(each)
        except ValueError as error:
            out.append((str(error), repr(error.__context__)))
        try:
            async for each in doubled([1, 2]):
                raise KeyError(each)
        except KeyError as error:
            out.append(str(error))
        return out


@workflow
class StopInsideAGenerator(Workflow):
    async def run(self):
        out = []
        for kind in (StopIteration, StopAsyncIteration, GeneratorExit):
            try:
                async for each in ends_badly(kind):
                    out.append(each)
            except RuntimeError as error:
                out.append((str(error), repr(error.__cause__)))
            except GeneratorExit as error:
                out.append(repr(error))
        return await echo(out)


@workflow
class AnextAndDefault(Workflow):
    async def run(self):
        items = doubled([1, 2])
        out = [await anext(items), await anext(items, "d"), await anext(items, "default")]
        try:
            await anext(items)
        except StopAsyncIteration as error:
            out.append(repr(error))
        same = aiter(items) is items
        pending = anext(sync_items())
        out.append(await pending)
        return out, same


@workflow
class SentAndThrown(Workflow):
    async def run(self):
        log = []
        generator = counting(log, 3)
        out = [await generator.asend(None), await generator.asend("x"), await anext(generator)]
        try:
            await generator.athrow(ValueError("thrown"))
        except ValueError as error:
            out.append(str(error))
        try:
            await generator.asend(None)
        except StopAsyncIteration:
            out.append("ended")
        return out, log


@workflow
class Closed(Workflow):
    async def run(self):
        log = []
        generator = counting(log, 3)
        await anext(generator)
        await generator.aclose()
        await generator.aclose()
        fresh = counting(log, 1)
        await fresh.aclose()
        return log, [each async for each in generator], [each async for each in fresh]


@workflow
class SentTooEarly(Workflow):
    async def run(self):
        try:
            await counting([], 1).asend("early")
        except TypeError as error:
            return str(error), await note("x")


@workflow
class NotAsynchronous(Workflow):
    async def run(self):
        out = []
        for value in ([1], 5, "ab", Halfway()):
            try:
                async for each in value:
                    out.append(each)
            except TypeError as error:
                out.append(str(error))
        for make in (lambda: [x for x in sync_items()], lambda: list(sync_items()), lambda: len(sync_items()), lambda: next(sync_items())):
            try:
                out.append(make())
            except TypeError as error:
                out.append(str(error))
        try:
            await sync_items()
        except TypeError as error:
            out.append(str(error))
        try:
            await anext([1])
        except TypeError as error:
            out.append(str(error))
        return await echo(out)


@workflow
class ClassesThatIterate(Workflow):
    async def run(self):
        out = [each async for each in Countdown(3)]
        async for each in Countdown(2):
            out.append(("loop", each))
        out += [each async for each in Collection([1, "b"])]
        return out, await anext(Countdown(5))


@workflow
class GeneratorsInParallel(Workflow):
    async def total(self, values):
        total = 0
        async for value in doubled(values):
            total += value
            await asyncio.sleep(1)
        return total

    async def run(self):
        return await asyncio.gather(self.total([1, 2]), self.total([5]), self.total([]), anext(doubled([9])))


@workflow
class SharedByTwoTasks(Workflow):
    async def take(self, generator):
        return [each async for each in generator]

    async def run(self):
        generator = doubled([1, 2, 3])
        try:
            return await asyncio.gather(self.take(generator), self.take(generator))
        except RuntimeError as error:
            return str(error)


@workflow
class InsideWithAndFinally(Workflow):
    async def run(self):
        log = []
        try:
            async for each in counting(log, 2):
                try:
                    if each:
                        continue
                    log.append(await double(each))
                finally:
                    log.append(("finally", each))
        finally:
            log.append("end")
        return log


@workflow
class NestedFunctionsThatYield(Workflow):
    async def run(self):
        factor = await double(2)

        async def scaled(*values):
            for value in values:
                yield value * factor
                factor_now = await echo(factor)
                if factor_now > 100:
                    return

        return [x async for x in scaled(1, 2)], [x async for x in scaled()]


@workflow
class LeftEarlyAndClosed(Workflow):
    async def run(self):
        log = []
        items = counting(log, 5)
        try:
            async for each in items:
                if each == 2:
                    break
        finally:
            await items.aclose()
        return each, log
