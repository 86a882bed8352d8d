"""Tasks: made, awaited, asked, named, shielded, left behind."""

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
            [].pop()
        except IndexError:
            task.result()


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
