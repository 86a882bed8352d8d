"""Concurrency: gather in every mixture, sleep, tasks that fail, order of results."""

import asyncio
from asyncio import gather, sleep

from tests.language.steps import add, boom, double, echo, flaky, note, numbers
from waymark import RetryPolicy, Workflow, workflow

INPUTS = {
    "FanOut": [{"n": 0}, {"n": 1}, {"n": 7}],
    "GatherFails": [{"tolerant": False}, {"tolerant": True}],
}


@workflow
class FanOut(Workflow):
    async def run(self, n):
        return await asyncio.gather(*[double(i) for i in range(n)])


@workflow
class FanOutThenIn(Workflow):
    async def run(self):
        xs = await numbers(4)
        squares = await asyncio.gather(*(double(x) for x in xs))
        return sum(squares), await add(*squares[:2])


@workflow
class GatherMixture(Workflow):
    async def run(self):
        a, b, (c, d), e = await asyncio.gather(
            double(1),
            self.helper(2),
            asyncio.gather(note("x"), self.helper(3)),
            asyncio.sleep(5, result="slept"),
        )
        return a, b, c, d, e

    async def helper(self, n):
        first = await double(n)
        second = await double(first)
        return first + second


@workflow
class GatherSpread(Workflow):
    async def run(self):
        pair = [double(1), double(2)]
        return await gather(note("a"), *pair, note("b"), *[self.late(i) for i in range(2)])

    async def late(self, n):
        await sleep(n + 1)
        return await note(f"late {n}")


@workflow
class GatherFails(Workflow):
    async def run(self, tolerant):
        try:
            got = await asyncio.gather(
                double(1), boom("ValueError", "x"), self.slow(), boom("KeyError", "y"), return_exceptions=tolerant
            )
        except ValueError as e:
            return "failed", str(e), await note("went on")
        return [repr(x) for x in got]

    async def slow(self):
        await asyncio.sleep(10)
        return await note("slow done")


@workflow
class SiblingsGoOn(Workflow):
    async def run(self):
        log = []
        try:
            await asyncio.gather(self.fails(log), self.works(log))
        except ValueError:
            log.append("caught")
        await asyncio.sleep(1)
        await note("later")
        return log

    async def fails(self, log):
        await boom("ValueError", "x")

    async def works(self, log):
        for i in range(3):
            log.append(await double(i))
        return "done"


@workflow
class LeftOverIsCancelled(Workflow):
    async def run(self):
        log = []
        try:
            await asyncio.gather(self.fails(), self.cleans(log))
        except ValueError:
            return log

    async def fails(self):
        await boom("ValueError", "x")

    async def cleans(self, log):
        try:
            await asyncio.sleep(1000)
        finally:
            log.append("cleaning")
            await note("cleaned")


@workflow
class GatherOfHelpersInterleaves(Workflow):
    async def run(self):
        log = []
        await asyncio.gather(*[self.steps(name, log) for name in "abc"])
        return log

    async def steps(self, name, log):
        for i in range(3):
            log.append((name, i))
            await note(f"{name}{i}")


@workflow
class SharedStateAcrossTasks(Workflow):
    async def run(self):
        self.total = 0
        box = {"n": 0}
        await asyncio.gather(*[self.bump(box, i) for i in range(5)])
        return self.total, box

    async def bump(self, box, i):
        before = box["n"]
        value = await double(i)
        box["n"] = before + value
        self.total += value


@workflow
class GatherSameTwice(Workflow):
    async def run(self):
        helper = self.once()
        return await asyncio.gather(helper, helper)

    async def once(self):
        return await note("once")


@workflow
class EmptyGather(Workflow):
    async def run(self):
        return await asyncio.gather()


@workflow
class GatherResultIsList(Workflow):
    async def run(self):
        got = await asyncio.gather(echo(1), echo(2))
        got.append(3)
        return type(got).__name__, got


@workflow
class SleepOrder(Workflow):
    async def run(self):
        log = []
        await asyncio.gather(*[self.after(s, log) for s in (3, 1, 2, 1, 0, -1)])
        return log

    async def after(self, seconds, log):
        await asyncio.sleep(seconds)
        log.append(seconds)


@workflow
class SleepResult(Workflow):
    async def run(self):
        a = await asyncio.sleep(0)
        b = await asyncio.sleep(0.5, "r")
        c = await asyncio.sleep(0, result=[1])
        return a, b, c


@workflow
class SleepBetweenSteps(Workflow):
    async def run(self):
        out = []
        for i in range(3):
            out.append(await double(i))
            await asyncio.sleep(2**i)
        return out


@workflow
class CallsBeforeTimers(Workflow):
    async def run(self):
        log = []
        await asyncio.gather(self.timer(log), self.calls(log))
        return log

    async def timer(self, log):
        await asyncio.sleep(1)
        log.append("timer")

    async def calls(self, log):
        for i in range(4):
            await double(i)
            log.append(i)


@workflow
class AwaitTwice(Workflow):
    async def run(self):
        call = double(3)
        first = await call
        try:
            await call
        except RuntimeError as e:
            return first, str(e)


@workflow
class HelperAwaitedTwice(Workflow):
    async def run(self):
        call = self.helper()
        first = await call
        try:
            await call
        except RuntimeError as e:
            return first, str(e)

    async def helper(self):
        return 5


@workflow
class AwaitNonAwaitable(Workflow):
    async def run(self):
        out = []
        for value in (5, None, "x", [1]):
            try:
                await value
            except TypeError as e:
                out.append(str(e))
        return out


@workflow
class GatherNonAwaitable(Workflow):
    async def run(self):
        try:
            await asyncio.gather(echo(1), 5)
        except TypeError as e:
            return str(e)


@workflow
class CallsStoredAndAwaitedLater(Workflow):
    async def run(self):
        calls = {"a": note("a"), "b": note("b")}
        last = await calls["b"]
        first = await calls["a"]
        return last, first


@workflow
class GatherStoredAndAwaitedLater(Workflow):
    async def run(self):
        both = asyncio.gather(note("a"), note("b"))
        c = await note("c")
        return c, await both


@workflow
class NestedGather(Workflow):
    async def run(self):
        return await asyncio.gather(
            *[asyncio.gather(*[add(i, j) for j in range(2)]) for i in range(2)], self.inner()
        )

    async def inner(self):
        return await asyncio.gather(double(1), asyncio.gather(double(2), return_exceptions=True))


@workflow
class GatherRetries(Workflow):
    async def run(self):
        got = await asyncio.gather(
            *[self.run_action(flaky(n), retry=RetryPolicy(attempts=2)) for n in (1, 2, 3)], return_exceptions=True
        )
        return [repr(x) for x in got]


@workflow
class ExceptionOrder(Workflow):
    async def run(self):
        try:
            await asyncio.gather(self.fail_after(3, "late"), self.fail_after(1, "early"))
        except RuntimeError as e:
            return str(e)

    async def fail_after(self, steps, name):
        for _ in range(steps):
            await echo(name)
        raise RuntimeError(name)


@workflow
class ReturnExceptionsNested(Workflow):
    async def run(self):
        got = await asyncio.gather(
            asyncio.gather(boom("ValueError", 1), double(2)), self.raises(), return_exceptions=True
        )
        return [(type(x).__name__, str(x)) for x in got]

    async def raises(self):
        raise LookupError("own")


@workflow
class FinallyInTask(Workflow):
    async def run(self):
        log = []
        got = await asyncio.gather(self.guarded(log, True), self.guarded(log, False), return_exceptions=True)
        return [repr(x) for x in got], log

    async def guarded(self, log, fail):
        try:
            if fail:
                await boom("ValueError", "f")
            return await note("fine")
        finally:
            log.append(await echo(("finally", fail)))


@workflow
class SleepNegativeAndFloat(Workflow):
    async def run(self):
        await asyncio.sleep(-3)
        await asyncio.sleep(0.25)
        try:
            await asyncio.sleep("x")
        except TypeError as e:
            return str(e)
