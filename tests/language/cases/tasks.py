"""Tasks: made, awaited, asked, named, cancelled, shielded."""

import asyncio
from asyncio import create_task

from tests.language.steps import add, boom, double, echo, note
from waymark import Workflow, workflow


@workflow
class TaskRunsBeside(Workflow):
    async def run(self):
        log = []
        task = asyncio.create_task(self.work(log))
        log.append("made")
        log.append(await note("main"))
        log.append(await task)
        return log

    async def work(self, log):
        log.append("started")
        return await double(4)


@workflow
class TaskOfAnAction(Workflow):
    async def run(self):
        first = create_task(double(1))
        second = create_task(coro=add(1, b=2), name="adds")
        return await second + await first, second.get_name()


@workflow
class TaskAwaitedTwice(Workflow):
    async def run(self):
        task = asyncio.create_task(echo([1]))
        first = await task
        second = await task
        first.append(2)
        return second, first is second


@workflow
class FailedTaskAwaitedTwice(Workflow):
    async def run(self):
        task = asyncio.create_task(boom("KeyError", "k"))
        seen = []
        for _ in range(2):
            try:
                await task
            except KeyError as error:
                seen.append(error)
        return [repr(error) for error in seen], seen[0] is seen[1]


@workflow
class AskATask(Workflow):
    async def run(self):
        task = asyncio.create_task(note("x"))
        before = task.done(), task.cancelled()
        await asyncio.sleep(1)
        return before, (task.done(), task.cancelled()), task.result(), task.exception()


@workflow
class AskTooEarly(Workflow):
    async def run(self):
        task = asyncio.create_task(note("x"))
        told = []
        for ask in (task.result, task.exception):
            try:
                ask()
            except asyncio.InvalidStateError as error:
                told.append(str(error))
        await task
        return told


@workflow
class ExceptionOfATask(Workflow):
    async def run(self):
        task = asyncio.create_task(boom("ValueError", "v"))
        await asyncio.wait([task])
        try:
            task.result()
        except ValueError as error:
            return task.exception() is error, task.done(), task.cancelled(), str(error)


@workflow
class ResultRaisesWhileHandling(Workflow):
    async def run(self):
        task = asyncio.create_task(boom("ValueError", "v"))
        await asyncio.wait([task])
        try:
            raise LookupError("outer")
        except LookupError:
            task.result()


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
class LeftTasksEndInFinally(Workflow):
    async def run(self):
        self.seen = []
        for name in "abc":
            asyncio.create_task(self.guard(name))
        await asyncio.sleep(1)
        return self.seen

    async def guard(self, name):
        try:
            await asyncio.sleep(1000)
        finally:
            self.seen.append(name)
            await note(name)
            self.seen.append(name * 2)


@workflow
class NobodyAsksForTheError(Workflow):
    async def run(self):
        asyncio.create_task(boom("ValueError", "lost"))
        asyncio.create_task(self.fails())
        await asyncio.sleep(5)
        return "fine"

    async def fails(self):
        raise LookupError("lost too")


@workflow
class TasksInADict(Workflow):
    async def run(self):
        tasks = {asyncio.create_task(double(n)): n for n in range(4)}
        done, _ = await asyncio.wait(tasks)
        return sorted((tasks[task], task.result()) for task in done), len(tasks)


@workflow
class TasksInASet(Workflow):
    async def run(self):
        tasks = {asyncio.create_task(note(name)) for name in "xyz"}
        first = next(iter(tasks))
        tasks.discard(first)
        results = await asyncio.gather(*tasks)
        return len(tasks), sorted([*results, await first])


@workflow
class GatherOfTasks(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(double(n)) for n in range(3)]
        await tasks[1]
        return await asyncio.gather(*tasks, note("x"), tasks[0])


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
class ShieldKeepsTheInner(Workflow):
    async def run(self):
        inner = asyncio.create_task(self.slow())
        outer = asyncio.create_task(self.waits(inner))
        await asyncio.sleep(1)
        outer.cancel()
        try:
            await outer
        except asyncio.CancelledError:
            return inner.cancelled(), await inner

    async def waits(self, inner):
        return await asyncio.shield(inner)

    async def slow(self):
        await asyncio.sleep(10)
        return await note("kept")


@workflow
class ShieldOfAnAction(Workflow):
    async def run(self):
        return await asyncio.shield(double(4)), await asyncio.shield(asyncio.create_task(note("x")))


@workflow
class ShieldPassesFailures(Workflow):
    async def run(self):
        try:
            await asyncio.shield(boom("ValueError", "v"))
        except ValueError as error:
            first = str(error)
        done = asyncio.create_task(note("x"))
        await done
        return first, asyncio.shield(done) is done


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
class EnsureFuture(Workflow):
    async def run(self):
        task = asyncio.ensure_future(double(2))
        return asyncio.ensure_future(task) is task, await task


@workflow
class NoCoroutine(Workflow):
    async def run(self):
        told = []
        for wrong in (5, None, "x", [1]):
            for make in (asyncio.create_task, asyncio.ensure_future, asyncio.shield):
                try:
                    make(wrong)
                except TypeError as error:
                    told.append(str(error))
        try:
            asyncio.create_task()
        except TypeError as error:
            told.append(str(error))
        return told


@workflow
class RenamedTask(Workflow):
    async def run(self):
        task = asyncio.create_task(note("x"), name=5)
        before = task.get_name()
        task.set_name("other")
        await task
        return before, task.get_name()


@workflow
class MapsCreateTask(Workflow):
    async def run(self):
        tasks = list(map(asyncio.create_task, [double(1), note("x")]))
        return [await task for task in tasks]


@workflow
class CoroutineUsedUpByATask(Workflow):
    async def run(self):
        call = double(3)
        task = asyncio.create_task(call)
        first = await task
        try:
            await call
        except RuntimeError as error:
            return first, str(error)


@workflow
class TaskInsideAHandler(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "v")
        except ValueError as error:
            task = asyncio.create_task(self.wraps(error))
            try:
                await task
            except RuntimeError as other:
                return str(other), str(other.__cause__), repr(other.__context__)

    async def wraps(self, error):
        await note("wrapping")
        raise RuntimeError("wrapped") from error
