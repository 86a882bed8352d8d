"""wait and as_completed: who is done, who is not, in which order results come."""

import asyncio

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow

SINCE = {"CompletedTasks": (3, 13), "CompletedTasksTooLate": (3, 13), "CompletedCalls": (3, 13)}
"""``async for`` over ``as_completed`` came with 3.13; the machine has it everywhere."""
INPUTS = {
    "WaitReturns": [
        {"when": asyncio.ALL_COMPLETED},
        {"when": asyncio.FIRST_COMPLETED},
        {"when": asyncio.FIRST_EXCEPTION},
    ]
}


@workflow
class WaitReturns(Workflow):
    async def run(self, when):
        tasks = {n: asyncio.create_task(self.part(n)) for n in (3, 1, 2)}
        done, pending = await asyncio.wait(tasks.values(), return_when=when)
        first = sorted(n for n, task in tasks.items() if task in done)
        if pending:
            more, none = await asyncio.wait(pending)
            return first, len(more), len(none)
        return first, len(done)

    async def part(self, n):
        await asyncio.sleep(n)
        if n == 2:
            raise ValueError(n)
        return await double(n)


@workflow
class WaitWithATimeout(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (1, 5, 9)]
        seen = []
        for limit in (0, 2, 4, None):
            done, pending = await asyncio.wait(tasks, timeout=limit)
            seen.append((len(done), len(pending)))
        return seen, [task.result() for task in tasks]


@workflow
class WaitUntilAllAreDone(Workflow):
    async def run(self):
        pending = {asyncio.create_task(self.part(n)) for n in range(5)}
        order = []
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            order.append(sorted(task.result() for task in done))
        return order

    async def part(self, n):
        await asyncio.sleep(10 - n)
        return await double(n)


@workflow
class WaitForTheDone(Workflow):
    async def run(self):
        task = asyncio.create_task(note("x"))
        await task
        done, pending = await asyncio.wait([task, task])
        return len(done), len(pending), done == {task}, type(done).__name__


@workflow
class WaitPolls(Workflow):
    async def run(self):
        task = asyncio.create_task(self.steps())
        polls = 0
        while not task.done():
            polls += 1
            await asyncio.wait([task], timeout=0)
        return polls, task.result()

    async def steps(self):
        for _ in range(4):
            await asyncio.sleep(0)
        return "done"


@workflow
class WaitIsCancelled(Workflow):
    async def run(self):
        inner = asyncio.create_task(asyncio.sleep(10, "slept"))
        outer = asyncio.create_task(asyncio.wait([inner], timeout=50))
        await asyncio.sleep(1)
        outer.cancel()
        try:
            await outer
        except asyncio.CancelledError:
            return inner.done(), await inner


@workflow
class WaitForWhatCannotBe(Workflow):
    async def run(self):
        told = []
        call = note("x")
        for wrong in ([], [call], call, [5], 5):
            try:
                await asyncio.wait(wrong)
            except (TypeError, ValueError, AttributeError) as error:
                told.append((type(error).__name__, str(error)))
        task = asyncio.create_task(call)
        for wrong in (task, "ab"):
            try:
                await asyncio.wait(wrong)
            except (TypeError, AttributeError) as error:
                told.append(str(error))
        try:
            await asyncio.wait([task], return_when="SOMETIMES")
        except ValueError as error:
            told.append(str(error))
        try:
            asyncio.wait([task], 5)
        except TypeError as error:
            told.append(str(error))
        await task
        return told


@workflow
class WaitForAnIterator(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(double(n)) for n in range(3)]
        done, _ = await asyncio.wait(filter(lambda task: task is not tasks[1], tasks))
        return len(done), await tasks[1]


@workflow
class WaitForGathers(Workflow):
    async def run(self):
        gathers = [asyncio.gather(double(n), note(str(n))) for n in range(2)]
        done, _ = await asyncio.wait(gathers)
        return sorted(one.result() for one in done)


@workflow
class FirstOfTwo(Workflow):
    async def run(self):
        fast = asyncio.create_task(self.work(1, "fast"))
        slow = asyncio.create_task(self.work(50, "slow"))
        done, pending = await asyncio.wait({fast, slow}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        return done.pop().result(), slow.cancelled()

    async def work(self, seconds, name):
        await asyncio.sleep(seconds)
        return await note(name)


@workflow
class AsCompletedInOrder(Workflow):
    async def run(self):
        out = []
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (5, 1, 3)]
        for one in asyncio.as_completed(tasks):
            out.append(await one)
            await echo(out[-1])
        return out


@workflow
class AsCompletedOfCalls(Workflow):
    async def run(self):
        return sorted([await one for one in asyncio.as_completed([double(7)])])


@workflow
class AsCompletedWithFailures(Workflow):
    async def run(self):
        out = []
        tasks = [asyncio.create_task(self.part(n)) for n in (4, 2, 6)]
        for one in asyncio.as_completed(tasks):
            try:
                out.append(await one)
            except ValueError as error:
                out.append(str(error))
        return out

    async def part(self, n):
        await asyncio.sleep(n)
        if n == 2:
            raise ValueError("two")
        return await double(n)


@workflow
class AsCompletedTooLate(Workflow):
    async def run(self):
        out = []
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (1, 9, 5)]
        for one in asyncio.as_completed(tasks, timeout=3):
            try:
                out.append(await one)
            except TimeoutError as error:
                out.append(repr(error))
        return out, [task.done() for task in tasks], await asyncio.gather(*tasks)


@workflow
class AsCompletedLeftEarly(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (7, 2, 4)]
        for one in asyncio.as_completed(tasks, timeout=20):
            first = await one
            break
        else:
            first = None
        return first, [task.done() for task in tasks], await tasks[0]


@workflow
class AsCompletedTakenApart(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (3, 1, 2)]
        one, two, three = asyncio.as_completed(tasks)
        last = await three
        return last, await two, await one


@workflow
class AsCompletedGathered(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (3, 1, 2)]
        return await asyncio.gather(*asyncio.as_completed(tasks)), list(asyncio.as_completed([]))


@workflow
class AsCompletedEnumerated(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(self.part(n)) for n in range(3)]
        return [(place, await one) for place, one in enumerate(asyncio.as_completed(tasks))]

    async def part(self, n):
        await asyncio.sleep(3 - n)
        return await double(n)


@workflow
class AsCompletedOfNonsense(Workflow):
    async def run(self):
        told = []
        task = asyncio.create_task(note("x"))
        for wrong in (task, 5, [5], [[1]]):
            try:
                list(asyncio.as_completed(wrong))
            except TypeError as error:
                told.append(
                    str(error).replace(
                        "expects an iterable of awaitables", "expect an iterable of futures"
                    )
                )
        await task
        return told


@workflow
class AsCompletedWaiterCancelled(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (2, 4)]
        out = []
        for one in asyncio.as_completed(tasks):
            try:
                out.append(await asyncio.wait_for(one, 1))
            except TimeoutError:
                out.append("too late")
        return out, await asyncio.gather(*tasks)


@workflow
class FailuresAsTheyCome(Workflow):
    async def run(self):
        calls = [boom("ValueError", 1), double(2)]
        tasks = [asyncio.create_task(call) for call in calls]
        seen = []
        for one in asyncio.as_completed(tasks):
            try:
                seen.append(await one)
            except ValueError as error:
                seen.append(repr(error))
        return sorted(seen, key=str)


@workflow
class CompletedTasks(Workflow):
    async def run(self):
        tasks = {asyncio.create_task(asyncio.sleep(n, n)): n for n in (5, 1, 3)}
        out = []
        async for task in asyncio.as_completed(tasks):
            out.append((tasks[task], task.result(), await double(tasks[task])))
        return out


@workflow
class CompletedTasksTooLate(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(asyncio.sleep(n, n)) for n in (5, 1, 3)]
        out = []
        try:
            async for task in asyncio.as_completed(tasks, timeout=2):
                out.append(await task)
        except TimeoutError as error:
            out.append(repr(error))
        return out, [task.done() for task in tasks]


@workflow
class CompletedCalls(Workflow):
    async def run(self):
        completed = asyncio.as_completed([double(3)])
        one = await anext(aiter(completed))
        try:
            await anext(completed)
        except StopAsyncIteration:
            return await one, [task async for task in asyncio.as_completed([])]
