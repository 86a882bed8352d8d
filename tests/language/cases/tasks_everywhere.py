"""Tasks, timeouts and locks in every position: closures, comprehensions, handlers, finally, generators, retries."""

import asyncio
from asyncio import Queue as Line
from asyncio import TaskGroup, timeouts
from datetime import timedelta

from tests.language.steps import boom, double, echo, flaky, note
from waymark import RetryPolicy, Workflow, workflow

SINCE = {"RetriedActionAsATask": (3, 12)}
"""Before 3.12 ``wait_for`` made a task of what it is given, so that began later."""


@workflow
class RetriedActionAsATask(Workflow):
    async def run(self):
        retry = RetryPolicy(attempts=3)
        task = asyncio.create_task(self.run_action(flaky(2), retry=retry))
        limited = await asyncio.wait_for(self.run_action(flaky(3), retry=retry), 5)
        async with TaskGroup() as group:
            timed = group.create_task(self.run_action(flaky(1), timeout=timedelta(seconds=3)))
        return await task, limited, timed.result()


@workflow
class ClosuresAsTasks(Workflow):
    async def run(self):
        seen = []

        async def inner(n):
            await asyncio.sleep(3 - n)
            seen.append(n)
            return await double(n)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(inner(n)) for n in range(3)]
        start = lambda n: asyncio.create_task(inner(n))
        return [task.result() for task in tasks], seen, await start(7)


@workflow
class LimitedFanOut(Workflow):
    async def run(self):
        gate = asyncio.Semaphore(2)
        active = {"now": 0, "most": 0}

        async def limited(call):
            async with gate:
                active["now"] += 1
                active["most"] = max(active.values())
                got = await call
                active["now"] -= 1
                return got

        return await asyncio.gather(*(limited(double(n)) for n in range(5))), active


@workflow
class QueueBehindAnAsyncGenerator(Workflow):
    async def run(self):
        line = Line()

        async def produce():
            for n in range(3):
                await line.put(n)
                await asyncio.sleep(1)
            await line.put(None)

        producer = asyncio.create_task(produce())
        got = [await double(n) async for n in self.drain(line)]
        return got, producer.done()

    async def drain(self, line):
        while (item := await line.get()) is not None:
            yield item


@workflow
class TimeoutAroundAsyncFor(Workflow):
    async def run(self):
        seen = []
        try:
            async with timeouts.timeout(5):
                async for n in self.ticks():
                    seen.append(n)
        except TimeoutError:
            seen.append("timeout")
        return seen

    async def ticks(self):
        for n in range(10):
            await asyncio.sleep(2)
            yield await echo(n)


@workflow
class GroupsByKindOfFailure(Workflow):
    async def run(self):
        seen = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.nested())
                for kind in ("KeyError", "OSError"):
                    group.create_task(boom(kind, kind))
        except* KeyError as some:
            seen.append(("key", len(some.exceptions), await note("one")))
        except* OSError as some:
            seen.append(("os", [str(each) for each in some.exceptions]))
        except* ValueError as some:
            seen.append(("value", repr(some)))
        return sorted(seen, key=str)

    async def nested(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(boom("ValueError", 3))


@workflow
class TasksAsKeys(Workflow):
    async def run(self):
        task, other = asyncio.create_task(double(1)), asyncio.create_task(double(2))
        names = {task: "one", other: "two"}
        match task.done():
            case False:
                await task
        facts = task in [task], task == task, task == other, [other, task].index(task), bool(task)
        return names[task], names.get(await other), facts, {task, task, other} == set(names)


@workflow
class UsedUpCoroutines(Workflow):
    async def run(self):
        sleep = asyncio.sleep(1)
        limited = asyncio.wait_for(sleep, 2)
        await limited
        told = []
        for used in (sleep, limited):
            try:
                await used
            except RuntimeError as error:
                told.append(str(error))
        waiting = asyncio.Event().wait()
        asyncio.create_task(waiting)
        await asyncio.sleep(0)
        try:
            await waiting
        except RuntimeError as error:
            told.append(str(error))
        return told


@workflow
class TaskStartedInFinally(Workflow):
    async def run(self):
        seen = []
        try:
            await self.work(seen)
        except KeyError as error:
            seen.append(str(error))
        await asyncio.sleep(5)
        return seen

    async def work(self, seen):
        try:
            await boom("KeyError", "k")
        finally:
            self.cleanup = asyncio.create_task(self.clean(seen))
            await asyncio.shield(self.cleanup)

    async def clean(self, seen):
        seen.append(await note("cleaning"))
        await asyncio.sleep(2)
        seen.append("cleaned")


@workflow
class TimeoutsInAComprehension(Workflow):
    async def run(self):
        async def within(limit, seconds):
            try:
                return await asyncio.wait_for(asyncio.sleep(seconds, "in time"), limit)
            except TimeoutError:
                return "late"

        return {n: await within(3, n) for n in (1, 5)}, [await within(n, 2) for n in (1, 9)]


@workflow
class RaceForTheFirst(Workflow):
    async def run(self):
        async def attempt(name, seconds):
            try:
                await asyncio.sleep(seconds)
                return await note(name)
            except asyncio.CancelledError:
                losers.append(name)
                raise

        losers = []
        racers = [asyncio.create_task(attempt(n, s)) for n, s in (("a", 9), ("b", 2), ("c", 5))]
        winner = await next(iter(asyncio.as_completed(racers)))
        cancelled = [task.cancel() for task in racers]
        await asyncio.wait(racers)
        return winner, losers, cancelled


@workflow
class LockAroundYield(Workflow):
    async def run(self):
        self.lock = asyncio.Lock()
        seen = []
        async for item in self.locked_items():
            seen.append((item, self.lock.locked()))
        return seen, self.lock.locked()

    async def locked_items(self):
        async with self.lock:
            for n in range(2):
                yield await double(n)


@workflow
class HeartbeatWhileAnActionRuns(Workflow):
    async def run(self):
        beats = []
        work = asyncio.create_task(self.long())
        while True:
            done, _ = await asyncio.wait([work], timeout=2)
            if done:
                break
            beats.append(await note(f"beat {len(beats)}"))
        return work.result(), beats

    async def long(self):
        await asyncio.sleep(7)
        return await double(21)


@workflow
class CoroutinesInConditionals(Workflow):
    async def run(self):
        flag = await echo(True)
        value = await (asyncio.shield(double(1)) if flag else asyncio.sleep(1, "no"))
        text = f"{await asyncio.wait_for(note('in text'), 5)!r:>12}"
        return value, text, (await asyncio.wait_for(double(3), 1)) if value else None
