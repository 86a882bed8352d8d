"""wait_for: in time, too late, at once, of tasks, failures and each other."""

import asyncio
from asyncio import wait_for

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
        except TimeoutError:
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
                await asyncio.wait_for(asyncio.gather(), wrong)
            except TypeError as error:
                told.append(str(error))
            try:
                async with asyncio.timeout(wrong):
                    await note("y")
            except TypeError as error:
                told.append(str(error))
        try:
            asyncio.wait_for(asyncio.gather())
        except TypeError as error:
            told.append(str(error))
        return told
