"""Timeouts: wait_for, timeout, timeout_at, around actions, sleeps, gathers and each other."""

import asyncio
from asyncio import timeout, wait_for

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow

INPUTS = {"WaitForInTime": [{"limit": 5}, {"limit": None}, {"limit": 2.5}]}


@workflow
class WaitForInTime(Workflow):
    async def run(self, limit):
        return await wait_for(self.slow(), limit), await wait_for(double(2), timeout=limit)

    async def slow(self):
        await asyncio.sleep(2)
        return await note("in time")


@workflow
class WaitForTooLate(Workflow):
    async def run(self):
        log = []
        try:
            await asyncio.wait_for(self.slow(log), 3)
        except TimeoutError as error:
            log.append((repr(error), repr(error.__cause__), error.__suppress_context__))
        return log

    async def slow(self, log):
        try:
            await asyncio.sleep(10)
        finally:
            log.append(await note("cleaned"))


@workflow
class WaitForUncaught(Workflow):
    async def run(self):
        await note("before")
        await asyncio.wait_for(asyncio.sleep(10), timeout=1)


@workflow
class WaitForATask(Workflow):
    async def run(self):
        task = asyncio.create_task(asyncio.sleep(10))
        try:
            await asyncio.wait_for(task, 1)
        except asyncio.TimeoutError:
            return task.cancelled()


@workflow
class WaitForAShieldedTask(Workflow):
    async def run(self):
        task = asyncio.create_task(self.slow())
        for limit in (1, 2, 30):
            try:
                return limit, await asyncio.wait_for(asyncio.shield(task), limit)
            except TimeoutError:
                await note(f"not in {limit}")

    async def slow(self):
        await asyncio.sleep(10)
        return await double(5)


@workflow
class WaitForNothing(Workflow):
    async def run(self):
        log = []
        for limit in (0, -1):
            try:
                await asyncio.wait_for(self.work(log), limit)
            except TimeoutError as error:
                log.append(repr(error.__cause__))
        done = asyncio.create_task(note("done"))
        await done
        log.append(await asyncio.wait_for(done, 0))
        running = asyncio.create_task(self.work(log))
        await asyncio.sleep(1)
        try:
            await asyncio.wait_for(running, 0)
        except TimeoutError:
            log.append(running.cancelled())
        return log

    async def work(self, log):
        log.append("begun")
        try:
            await asyncio.sleep(5)
        finally:
            log.append("ended")


@workflow
class WaitForNothingOfASwallower(Workflow):
    async def run(self):
        task = asyncio.create_task(self.stubborn())
        await asyncio.sleep(1)
        return await asyncio.wait_for(task, 0)

    async def stubborn(self):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return "late result"


@workflow
class WaitForAFailure(Workflow):
    async def run(self):
        for limit in (4, None, 0):
            task = asyncio.create_task(boom("ValueError", limit))
            if limit == 0:
                await asyncio.wait([task])
            try:
                await asyncio.wait_for(task, limit)
            except ValueError as error:
                await echo([str(error), repr(error.__context__)])
        return "all failed"


@workflow
class WaitForSwallowsTheCancellation(Workflow):
    async def run(self):
        return await asyncio.wait_for(self.stubborn(), 1)

    async def stubborn(self):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return await note("finished anyway")


@workflow
class WaitForIsCancelled(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        await asyncio.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            log.append("not a timeout")
        return log

    async def work(self, log):
        try:
            await asyncio.wait_for(asyncio.sleep(50), 10)
        except TimeoutError:
            log.append("wrong")
            raise


@workflow
class WaitForInGather(Workflow):
    async def run(self):
        got = await asyncio.gather(
            *[asyncio.wait_for(self.slow(n), 3) for n in range(1, 6, 2)], return_exceptions=True
        )
        return [repr(each) for each in got]

    async def slow(self, n):
        await asyncio.sleep(n)
        return await double(n)


@workflow
class NestedWaitFor(Workflow):
    async def run(self):
        try:
            await asyncio.wait_for(asyncio.wait_for(asyncio.sleep(9), 5), 3)
        except TimeoutError as error:
            outer = repr(error.__context__)
        try:
            await asyncio.wait_for(asyncio.wait_for(asyncio.sleep(9), 3), 5)
        except TimeoutError as error:
            return outer, repr(error.__context__)


@workflow
class WrongTimeouts(Workflow):
    async def run(self):
        told = []
        for wrong in ("5", [1]):
            try:
                await asyncio.wait_for(note("x"), wrong)
            except TypeError as error:
                told.append(str(error))
            try:
                async with asyncio.timeout(wrong):
                    await note("y")
            except TypeError as error:
                told.append(str(error))
        try:
            await asyncio.wait_for(5, 1)
        except TypeError as error:
            told.append(str(error))
        try:
            asyncio.wait_for(note("z"))
        except TypeError as error:
            told.append(str(error))
        return told


@workflow
class TimeoutAroundABlock(Workflow):
    async def run(self):
        log = []
        try:
            async with timeout(5) as guard:
                log.append(await note("one"))
                await asyncio.sleep(3)
                log.append(guard.expired())
                await asyncio.sleep(3)
                log.append("never")
        except TimeoutError as error:
            log.append((repr(error.__cause__), guard.expired()))
        return log


@workflow
class TimeoutNotNeeded(Workflow):
    async def run(self):
        async with asyncio.timeout(5) as guard:
            value = await double(3)
        await asyncio.sleep(20)
        return value, guard.expired()


@workflow
class TimeoutAroundAnAction(Workflow):
    async def run(self):
        try:
            async with asyncio.timeout(0):
                await note("cancelled at once")
        except TimeoutError:
            return await note("after")


@workflow
class TimeoutZeroWithoutAwait(Workflow):
    async def run(self):
        async with asyncio.timeout(0) as guard:
            value = 1
        async with asyncio.timeout(-5):
            value += 1
        return value, guard.expired(), await note("not cancelled")


@workflow
class TimeoutNone(Workflow):
    async def run(self):
        async with asyncio.timeout(None) as guard:
            await asyncio.sleep(1000)
            return guard.when(), guard.expired()


@workflow
class NestedTimeouts(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(10) as outer:
                try:
                    async with asyncio.timeout(3) as inner:
                        await asyncio.sleep(5)
                except TimeoutError:
                    log.append((inner.expired(), outer.expired()))
                await asyncio.sleep(20)
        except TimeoutError:
            log.append((inner.expired(), outer.expired()))
        return log


@workflow
class OuterTimeoutFirst(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(2) as outer:
                try:
                    async with asyncio.timeout(5) as inner:
                        await asyncio.sleep(9)
                except TimeoutError:
                    log.append("inner")
        except TimeoutError:
            log.append(("outer", inner.expired(), outer.expired()))
        return log


@workflow
class TimeoutAndReturn(Workflow):
    async def run(self):
        for n in range(4):
            try:
                return await self.once(n)
            except TimeoutError:
                await note(f"attempt {n}")

    async def once(self, n):
        async with asyncio.timeout(n + 0.5):
            await asyncio.sleep(2)
            return n


@workflow
class TimeoutInALoop(Workflow):
    async def run(self):
        log = []
        for n in (1, 5, 2, 9):
            try:
                async with asyncio.timeout(3):
                    await asyncio.sleep(n)
                    if n == 2:
                        continue
            except TimeoutError:
                log.append(n)
                if n == 9:
                    break
            else:
                log.append(str(n))
        return log


@workflow
class TimeoutWhoseBodyFails(Workflow):
    async def run(self):
        try:
            async with asyncio.timeout(3) as guard:
                try:
                    await asyncio.sleep(9)
                except asyncio.CancelledError:
                    raise ValueError("own error") from None
        except ValueError as error:
            return str(error), guard.expired(), asyncio.current_task().cancelling()


@workflow
class TimeoutCleanup(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(3):
                try:
                    await asyncio.sleep(9)
                finally:
                    log.append(await note("in finally"))
                    await asyncio.sleep(9)
                    log.append("slept")
        except TimeoutError:
            log.append("timeout")
        return log


@workflow
class Reschedule(Workflow):
    async def run(self):
        loop = asyncio.get_running_loop()
        log = []
        async with asyncio.timeout(3) as guard:
            await asyncio.sleep(2)
            guard.reschedule(guard.when() + 10)
            await asyncio.sleep(5)
            log.append(guard.when() - loop.time())
            guard.reschedule(None)
            await asyncio.sleep(50)
            log.append(guard.when())
        try:
            async with asyncio.timeout(None) as guard:
                await note("x")
                guard.reschedule(loop.time() + 2)
                await asyncio.sleep(9)
        except TimeoutError:
            log.append("late")
        try:
            async with asyncio.timeout(5) as guard:
                guard.reschedule(loop.time() - 1)
                await asyncio.sleep(9)
        except TimeoutError:
            log.append("at once")
        return log


@workflow
class RescheduleTooLate(Workflow):
    async def run(self):
        told = []
        guard = asyncio.timeout(5)
        try:
            guard.reschedule(1)
        except RuntimeError as error:
            told.append(str(error))
        async with guard:
            await asyncio.sleep(1)
        try:
            guard.reschedule(1)
        except RuntimeError as error:
            told.append(str(error))
        try:
            async with guard:
                told.append("never")
        except RuntimeError as error:
            told.append(str(error))
        try:
            async with asyncio.timeout(1) as late:
                await asyncio.sleep(2)
        except TimeoutError:
            pass
        try:
            late.reschedule(None)
        except RuntimeError as error:
            told.append(str(error))
        return told


@workflow
class TimeoutMadeEarlier(Workflow):
    async def run(self):
        guard = asyncio.timeout(5)
        await asyncio.sleep(3)
        try:
            async with guard:
                await asyncio.sleep(1)
                await note("one")
                await asyncio.sleep(2)
        except TimeoutError:
            return "counted from where it was made"


@workflow
class TimeoutAt(Workflow):
    async def run(self):
        loop = asyncio.get_running_loop()
        start = loop.time()
        ends = start + 4
        log = []
        for n in (1, 2, 3):
            try:
                async with asyncio.timeout_at(ends):
                    await asyncio.sleep(n)
            except TimeoutError:
                log.append("late")
            log.append(loop.time() - start)
        async with asyncio.timeout_at(None):
            await asyncio.sleep(1)
        return log


@workflow
class TimeoutAroundAGather(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(4):
                await asyncio.gather(self.part(log, 1), self.part(log, 8), asyncio.sleep(20))
        except TimeoutError:
            log.append("timeout")
        return log

    async def part(self, log, n):
        try:
            await asyncio.sleep(n)
            log.append(await double(n))
        except asyncio.CancelledError:
            log.append(("cancelled", n))
            raise


@workflow
class CancelledInsideATimeout(Workflow):
    async def run(self):
        task = asyncio.create_task(self.work())
        await asyncio.sleep(1)
        task.cancel("outside")
        try:
            await task
        except asyncio.CancelledError as error:
            return error.args, task.cancelled()

    async def work(self):
        async with asyncio.timeout(10):
            await asyncio.sleep(20)


@workflow
class CancelledAndTimedOut(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        await asyncio.sleep(3)
        task.cancel()
        done, _ = await asyncio.wait([task])
        return log, task.cancelled()

    async def work(self, log):
        try:
            async with asyncio.timeout(2):
                try:
                    await asyncio.sleep(20)
                finally:
                    await asyncio.sleep(20)
        except TimeoutError:
            log.append("timeout")
        except asyncio.CancelledError:
            log.append(asyncio.current_task().cancelling())
            raise
