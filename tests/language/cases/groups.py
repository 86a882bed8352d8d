"""Task groups: their tasks, their failures, who is cancelled, and what is raised at the end."""

import asyncio

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow


@workflow
class GroupOfTasks(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(double(n)) for n in range(3)]
            named = group.create_task(note("x"), name="named")
        return [task.result() for task in tasks], named.get_name(), named.done()


@workflow
class GroupWithoutTasks(Workflow):
    async def run(self):
        async with asyncio.TaskGroup():
            value = await note("inside")
        return value


@workflow
class OneFails(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.part(log, "slow"))
                group.create_task(boom("ValueError", "v"))
                group.create_task(self.part(log, "slower"))
        except ExceptionGroup as error:
            log.append((str(error), [repr(each) for each in error.exceptions]))
            log.append((repr(error.__cause__), error.__suppress_context__))
        return log

    async def part(self, log, name):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            log.append(("cancelled", name))
            await note(name)
            raise


@workflow
class OneFailsUncaught(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(boom("KeyError", "k"))
            group.create_task(asyncio.sleep(50))


@workflow
class BodyIsCancelledByAFailure(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fails())
                try:
                    await asyncio.sleep(100)
                except asyncio.CancelledError:
                    log.append(("body", asyncio.current_task().cancelling()))
                    raise
        except ExceptionGroup as error:
            log.append([str(each) for each in error.exceptions])
        log.append(asyncio.current_task().cancelling())
        log.append(await note("goes on"))
        return log

    async def fails(self):
        await double(1)
        raise LookupError("from a task")


@workflow
class BodyFails(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.part(log))
                await double(1)
                raise ValueError("body")
        except ExceptionGroup as error:
            return log, [repr(each) for each in error.exceptions]

    async def part(self, log):
        try:
            await asyncio.sleep(9)
        finally:
            log.append("cleaned")


@workflow
class BodyAndTasksFail(Workflow):
    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fails_when_cancelled("a"))
                group.create_task(self.fails_when_cancelled("b"))
                await asyncio.sleep(1)
                raise KeyError("body")
        except BaseExceptionGroup as error:
            return type(error).__name__, [repr(each) for each in error.exceptions]

    async def fails_when_cancelled(self, name):
        try:
            await asyncio.sleep(9)
        finally:
            raise RuntimeError(name)


@workflow
class SeveralFail(Workflow):
    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                for kind in ("ValueError", "KeyError", "OSError"):
                    group.create_task(boom(kind, kind))
        except ExceptionGroup as error:
            return sorted(type(each).__name__ for each in error.exceptions), await note("x")


@workflow
class ReturnFromAGroup(Workflow):
    async def run(self):
        log = []
        return await self.inner(log), log

    async def inner(self, log):
        for n in range(3):
            async with asyncio.TaskGroup() as group:
                group.create_task(self.later(log, n))
                if n == 1:
                    return "early"

    async def later(self, log, n):
        log.append(await double(n))


@workflow
class NestedGroups(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.TaskGroup() as outer:
                outer.create_task(self.waits(log, "outer"))
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(self.waits(log, "inner"))
                    inner.create_task(boom("ValueError", "v"))
        except ExceptionGroup as error:
            log.append([(type(each).__name__, len(each.exceptions)) for each in error.exceptions])
        return log

    async def waits(self, log, name):
        try:
            await asyncio.sleep(30)
        finally:
            log.append(name)


@workflow
class GroupIsCancelledFromOutside(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        await asyncio.sleep(1)
        task.cancel("outside")
        try:
            await task
        except asyncio.CancelledError as error:
            log.append(error.args)
        return log, task.cancelled()

    async def work(self, log):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.waits(log, 1))
            group.create_task(self.waits(log, 2))

    async def waits(self, log, n):
        try:
            await asyncio.sleep(30)
        finally:
            log.append(n)
            await echo(n)


@workflow
class CancelledAndATaskFails(Workflow):
    async def run(self):
        task = asyncio.create_task(self.work())
        await asyncio.sleep(1)
        task.cancel()
        try:
            await task
        except ExceptionGroup as error:
            return repr(error.exceptions), task.cancelled()

    async def work(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.bad())
            await asyncio.sleep(30)

    async def bad(self):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise OSError("while cancelled") from None


@workflow
class CancelledTwiceWhileLeaving(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        for _ in range(2):
            await asyncio.sleep(1)
            task.cancel()
        await asyncio.wait([task])
        return log, task.cancelled(), task.cancelling()

    async def work(self, log):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.slow_to_end(log))

    async def slow_to_end(self, log):
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(5)
            log.append("ended")


@workflow
class OneTaskOfAGroupIsCancelled(Workflow):
    async def run(self):
        async with asyncio.TaskGroup() as group:
            first = group.create_task(asyncio.sleep(20))
            second = group.create_task(note("x"))
            await asyncio.sleep(1)
            first.cancel()
        return first.cancelled(), second.result()


@workflow
class TasksThatMakeTasks(Workflow):
    async def run(self):
        log = []
        async with asyncio.TaskGroup() as group:
            group.create_task(self.spread(group, log, 3))
        return log

    async def spread(self, group, log, depth):
        log.append(await double(depth))
        for _ in range(2 if depth > 1 else 0):
            group.create_task(self.spread(group, log, depth - 2))


@workflow
class GroupUsedTooEarlyOrLate(Workflow):
    async def run(self):
        told = []
        group = asyncio.TaskGroup()
        await self.refused(group, told)
        async with group:
            group.create_task(note("n"))
        await self.refused(group, told)
        try:
            async with group:
                told.append("never")
        except RuntimeError as error:
            told.append(str(error))
        return told

    async def refused(self, group, told):
        call = self.nothing()
        try:
            group.create_task(call)
        except RuntimeError as error:
            told.append(str(error))
        try:
            await call
        except RuntimeError:
            await self.nothing()  # 3.13 has closed it

    async def nothing(self):
        return None


@workflow
class GroupThatShutsDown(Workflow):
    async def run(self):
        told = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(boom("ValueError", "v"))
                try:
                    await asyncio.sleep(9)
                finally:
                    late = self.nothing()
                    try:
                        group.create_task(late)
                    except RuntimeError as error:
                        told.append(str(error))
                    try:
                        await late
                    except RuntimeError:
                        await self.nothing()  # 3.13 has closed it
        except ExceptionGroup as error:
            told.append(len(error.exceptions))
        return told

    async def nothing(self):
        return None


@workflow
class TimeoutAroundAGroup(Workflow):
    async def run(self):
        log = []
        try:
            async with asyncio.timeout(5):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.part(log, 1))
                    group.create_task(self.part(log, 20))
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
class TimeoutsInsideAGroup(Workflow):
    async def run(self):
        try:
            async with asyncio.TaskGroup() as group:
                for n in (1, 3):
                    group.create_task(self.limited(n))
        except ExceptionGroup as error:
            return [repr(each) for each in error.exceptions], await note("x")

    async def limited(self, n):
        async with asyncio.timeout(2):
            await asyncio.sleep(n)


@workflow
class GroupInAHandler(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "first")
        except ValueError:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(boom("KeyError", "second"))
            except ExceptionGroup as error:
                return repr(error.__context__), repr(error.exceptions[0].__context__)


@workflow
class GroupAndLock(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        order = []
        async with asyncio.TaskGroup() as group, lock:
            for n in range(3):
                group.create_task(self.locked(lock, order, n))
            await note("holding")
            order.append("body")
        return order

    async def locked(self, lock, order, n):
        async with lock:
            order.append(await double(n))
