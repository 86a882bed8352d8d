"""Tasks that are cancelled while they enter, use or leave context managers, match, handle groups or iterate."""

import asyncio
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass

from tests.language.steps import boom, double, echo, note, numbers
from waymark import Workflow, workflow


@asynccontextmanager
async def slow(log, enter=0, leave=0):
    log.append("entering")
    try:
        await asyncio.sleep(enter)
        log.append("entered")
        yield log
    except asyncio.CancelledError as error:
        log.append(f"cancelled {error}")
        raise
    finally:
        log.append("leaving")
        await asyncio.sleep(leave)
        log.append("left")


@contextmanager
def noted(log):
    try:
        yield
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    finally:
        log.append("done")


@dataclass
class Gatekeeper:
    log: list
    enter: int = 0
    leave: int = 0
    swallows: bool = False

    async def __aenter__(self):
        self.log.append("enter")
        await asyncio.sleep(self.enter)
        return self

    async def __aexit__(self, kind, error, traceback):
        self.log.append(f"exit {kind.__name__ if kind else None}")
        await asyncio.sleep(self.leave)
        self.log.append("exited")
        return self.swallows


async def cancelled_after(seconds, coroutine, message="stop"):
    """Start something, cancel it after a while, and say how it ended."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(seconds)
    asked = task.cancel(message)
    try:
        return asked, "returned", await task
    except asyncio.CancelledError as error:
        return asked, "cancelled", str(error)
    except Exception as error:
        return asked, "raised", repr(error), repr(error.__context__)


@workflow
class CancelledWhileEntering(Workflow):
    async def use(self, log):
        async with slow(log, enter=10):
            log.append("body")

    async def run(self):
        log = []
        return await cancelled_after(5, self.use(log)), log


@workflow
class CancelledInTheBody(Workflow):
    async def use(self, log):
        with noted(log):
            async with slow(log, leave=3), Gatekeeper(log, leave=2):
                await asyncio.sleep(100)
                log.append("never")

    async def run(self):
        log = []
        return await cancelled_after(5, self.use(log)), log


@workflow
class CancelledWhileLeaving(Workflow):
    async def use(self, log):
        async with slow(log, leave=10):
            log.append("body")
        log.append("after")

    async def run(self):
        log = []
        return await cancelled_after(5, self.use(log)), log


@workflow
class CancelledTwiceOnTheWayOut(Workflow):
    async def use(self, log):
        async with Gatekeeper(log, leave=10):
            await asyncio.sleep(100)

    async def run(self):
        log = []
        task = asyncio.create_task(self.use(log))
        for seconds in (1, 4):
            await asyncio.sleep(seconds)
            log.append(task.cancel(f"after {seconds}"))
        try:
            await task
        except asyncio.CancelledError as error:
            log.append((str(error), repr(error.__context__)))
        return log


@workflow
class ManagerSwallowsTheCancellation(Workflow):
    async def use(self, log):
        async with Gatekeeper(log, swallows=True):
            await asyncio.sleep(100)
        log.append(await note("goes on"))
        return "survived"

    async def run(self):
        log = []
        return await cancelled_after(2, self.use(log)), log


@workflow
class SuppressedCancellation(Workflow):
    async def use(self):
        with suppress(asyncio.CancelledError), nullcontext():
            await asyncio.sleep(50)
        return await double(2)

    async def run(self):
        return await cancelled_after(1, self.use())


@workflow
class FailsWhileItIsCancelled(Workflow):
    async def use(self, log):
        with noted(log):
            async with Gatekeeper(log):
                try:
                    await asyncio.sleep(50)
                finally:
                    await boom("KeyError", "in finally")

    async def run(self):
        log = []
        return await cancelled_after(1, self.use(log)), log


@workflow
class TimeoutsAroundManagers(Workflow):
    async def run(self):
        log = []
        for enter, body, leave in ((9, 0, 0), (0, 9, 0), (0, 0, 9), (1, 1, 1)):
            try:
                async with asyncio.timeout(4):
                    async with slow(log, enter, leave):
                        await asyncio.sleep(body)
                log.append("in time")
            except TimeoutError:
                log.append("too late")
        return log


@workflow
class TimeoutInsideAManager(Workflow):
    async def run(self):
        log = []
        async with slow(log, 1, 1):
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await asyncio.sleep(60)
            log.append(await note("still inside"))
        return log


@workflow
class OneOfAGatherFailsInside(Workflow):
    async def one(self, n, log):
        async with Gatekeeper(log, enter=n, leave=1):
            if n == 2:
                await boom("ValueError", n)
            await asyncio.sleep(10)
            return n

    async def run(self):
        log = []
        try:
            await asyncio.gather(*[self.one(n, log) for n in range(4)])
        except ValueError as error:
            log.append(str(error))
        await asyncio.sleep(20)
        return log


@workflow
class GroupOfTasksWithManagers(Workflow):
    async def one(self, n, log):
        with noted(log):
            async with slow(log, enter=n):
                if n == 1:
                    raise ValueError(n)
                await asyncio.sleep(10)

    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                for n in range(3):
                    group.create_task(self.one(n, log))
        except* ValueError as errors:
            log.append([repr(each) for each in errors.exceptions])
        return log


@workflow
class CancelledInAGroupHandler(Workflow):
    async def use(self, log):
        try:
            raise ExceptionGroup("eg", [ValueError(1), KeyError(2)])
        except* ValueError:
            log.append("first")
            await asyncio.sleep(10)
            log.append("never")
        except* KeyError:
            log.append("second")

    async def run(self):
        log = []
        return await cancelled_after(3, self.use(log)), log


@workflow
class CancelledInAGuard(Workflow):
    async def check(self, seconds):
        await asyncio.sleep(seconds)
        return True

    async def use(self, log):
        match [1, 2]:
            case [x, 3]:
                log.append(x)
            case [x, y] if await self.check(10):
                log.append(y)
            case _:
                log.append("rest")

    async def run(self):
        log = []
        return await cancelled_after(3, self.use(log)), log


@workflow
class CancelledInAnAsyncFor(Workflow):
    async def items(self, log):
        try:
            for n in await numbers(3):
                await asyncio.sleep(2)
                yield n
        finally:
            log.append(await note("items closed"))

    async def use(self, log):
        async for n in self.items(log):
            log.append(n)

    async def run(self):
        log = []
        return await cancelled_after(5, self.use(log)), log


@workflow
class LockInAWith(Workflow):
    async def one(self, n, lock, log):
        async with lock, slow(log, leave=1):
            log.append(n)
            if n == 1:
                raise KeyError(n)
            await echo(n)

    async def run(self):
        log, lock = [], asyncio.Lock()
        results = await asyncio.gather(*[self.one(n, lock, log) for n in range(3)], return_exceptions=True)
        return log, [repr(each) for each in results], lock.locked()
