"""Cancellation: of tasks, at every place where they may stand, of gathers, and taken back."""

import asyncio

from tests.language.steps import double, note
from waymark import Workflow, workflow


@workflow
class CancelAtAnAction(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        await asyncio.sleep(0)
        asked = task.cancel()
        again = task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            log.append("cancelled")
        return log, asked, again, task.cancel(), task.cancelled(), task.cancelling()

    async def work(self, log):
        try:
            await double(1)
        finally:
            log.append("cleaning")


@workflow
class CancelBeforeTheFirstStep(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        task.cancel("early")
        try:
            await task
        except asyncio.CancelledError as error:
            return log, error.args

    async def work(self, log):
        log.append("never")


@workflow
class CancelWithAMessage(Workflow):
    async def run(self):
        task = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(1)
        task.cancel(msg="enough")
        try:
            await task
        except asyncio.CancelledError as error:
            return str(error)


@workflow
class CancelIsSwallowed(Workflow):
    async def run(self):
        task = asyncio.create_task(self.stubborn())
        await asyncio.sleep(1)
        task.cancel()
        value = await task
        return value, task.cancelled(), task.cancelling()

    async def stubborn(self):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return await note("went on")


@workflow
class CancelTwiceWhileCleaning(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        await asyncio.sleep(1)
        task.cancel("first")
        await asyncio.sleep(1)
        task.cancel("second")
        try:
            await task
        except asyncio.CancelledError as error:
            log.append(str(error))
        return log

    async def work(self, log):
        try:
            await asyncio.sleep(100)
        finally:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError as error:
                log.append(("in finally", str(error)))
                raise


@workflow
class CancelDuringZeroSleep(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.spin(log))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return log, task.cancelled()

    async def spin(self, log):
        while True:
            log.append(len(log))
            await asyncio.sleep(0)


@workflow
class CancelReachesTheInnermost(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.outer(log))
        await asyncio.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return log

    async def outer(self, log):
        try:
            await self.inner(log)
        finally:
            log.append("outer")

    async def inner(self, log):
        try:
            await asyncio.gather(self.leaf(log, 1), self.leaf(log, 2))
        finally:
            log.append("inner")

    async def leaf(self, log, n):
        try:
            await asyncio.sleep(50)
        except asyncio.CancelledError:
            log.append(n)
            raise


@workflow
class CancelOfATaskThatAwaitsATask(Workflow):
    async def run(self):
        inner = asyncio.create_task(double(1))
        outer = asyncio.create_task(self.waits(inner))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        outer.cancel()
        done, pending = await asyncio.wait([inner, outer])
        return inner.cancelled(), outer.cancelled(), len(done), len(pending)

    async def waits(self, task):
        return await task


@workflow
class UncancelTakesBack(Workflow):
    async def run(self):
        task = asyncio.create_task(self.work())
        await asyncio.sleep(1)
        task.cancel()
        return await task, task.cancelling()

    async def work(self):
        mine = asyncio.current_task()
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            counted = mine.cancelling()
            return counted, mine.uncancel(), mine.uncancel(), mine is not None


@workflow
class CancelAfterLastAwait(Workflow):
    async def run(self):
        tasks = []
        tasks.append(asyncio.create_task(self.cancels(tasks)))
        try:
            return await tasks[0]
        except asyncio.CancelledError:
            return "cancelled all the same"

    async def cancels(self, tasks):
        await note("x")
        tasks[0].cancel()
        return "returned"


@workflow
class CancelAGather(Workflow):
    async def run(self):
        log = []
        both = asyncio.gather(self.part(log, 1), self.part(log, 2))
        await asyncio.sleep(1)
        told = both.cancel(), both.done()
        try:
            await both
        except asyncio.CancelledError:
            log.append("gather cancelled")
        return log, told, both.done(), both.cancelled()

    async def part(self, log, n):
        try:
            await asyncio.sleep(n * 10)
        finally:
            log.append(n)


@workflow
class CancelledChildOfAGather(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n + 5, n)) for n in range(3)]
        both = asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(1)
        tasks[1].cancel("one")
        return [repr(each) for each in await both]


@workflow
class GatherRaisesACancelledChild(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n + 5)) for n in range(2)]
        both = asyncio.gather(*tasks)
        await asyncio.sleep(1)
        tasks[0].cancel()
        try:
            await both
        except asyncio.CancelledError:
            return tasks[1].cancelled(), await tasks[1], both.cancelled()


@workflow
class ShieldOfACancelledInner(Workflow):
    async def run(self):
        inner = asyncio.create_task(asyncio.sleep(9))
        outer = asyncio.shield(inner)
        await asyncio.sleep(1)
        inner.cancel("inner")
        try:
            await outer
        except asyncio.CancelledError as error:
            return error.args, outer.cancelled()


@workflow
class CancelAGatherTwice(Workflow):
    async def run(self):
        seen = []
        task = asyncio.create_task(self.gathers(seen))
        await asyncio.sleep(1)
        for _ in range(2):
            task.cancel()
            for _ in range(3):
                await asyncio.sleep(0)
        await asyncio.wait([task])
        return seen

    async def gathers(self, seen):
        parts = self.cleans(seen), asyncio.sleep(60)
        try:
            await asyncio.gather(*parts, return_exceptions=True)
        except asyncio.CancelledError as error:
            # The error is that of the last argument, whoever ended last.
            seen.append(repr(error.__context__))

    async def cleans(self, seen):
        try:
            await asyncio.sleep(20)
        finally:
            seen.append("cleaning")
            await note("cut short")
