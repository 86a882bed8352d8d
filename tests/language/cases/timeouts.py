"""Timeouts: timeout and timeout_at around blocks, each other and tasks, in time, too late, moved."""

import asyncio
from asyncio import timeout

from tests.language.steps import double, note
from waymark import Workflow, workflow


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
        await asyncio.wait([task])
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
