"""asyncio beyond tasks, timeouts, locks and queues: loops, threads, processes, sockets."""

import asyncio
from asyncio import Barrier, get_event_loop, subprocess
from asyncio import Barrier as MeetingPoint

from tests.language.steps import note
from waymark import Workflow, workflow


LOCK = asyncio.Lock()


def blocking():
    return 1


@workflow
class RunsALoop(Workflow):
    async def run(self):
        return asyncio.run(note("x"))


@workflow
class AsksForTheEventLoop(Workflow):
    async def run(self):
        loop = get_event_loop()
        return await loop.run_in_executor(None, blocking)


@workflow
class UsesAThread(Workflow):
    async def run(self):
        return await asyncio.to_thread(blocking)


@workflow
class OpensAConnection(Workflow):
    async def run(self):
        reader, writer = await asyncio.open_connection("localhost", 80)
        return await reader.read()


@workflow
class StartsAProcess(Workflow):
    async def run(self):
        process = await asyncio.create_subprocess_exec("ls", stdout=subprocess.PIPE)
        return await process.wait()


@workflow
class MakesAFuture(Workflow):
    async def run(self):
        future = asyncio.Future()
        future.set_result(1)
        return await future


@workflow
class UsesABarrier(Workflow):
    async def run(self):
        self.barrier, others = asyncio.Barrier(2), [Barrier(2), MeetingPoint(parties=2)]
        barrier = self.barrier
        await asyncio.gather(barrier.wait(), barrier.wait())


@workflow
class CountsAllTasks(Workflow):
    async def run(self):
        return len(asyncio.all_tasks())


@workflow
class AsksWhetherItIsATask(Workflow):
    async def run(self):
        task = asyncio.create_task(note("x"))
        return isinstance(task, asyncio.Task), await task


@workflow
class CallsBackWhenDone(Workflow):
    async def run(self):
        seen = []
        task = asyncio.create_task(note("x"))
        task.add_done_callback(seen.append)
        add = task.add_done_callback
        add(seen.append)
        getattr(task, "add_done_callback")(print)
        self.task = task
        self.task.remove_done_callback(print)
        called_back(task, seen)
        await task
        return seen


def called_back(each, seen):
    each.add_done_callback(lambda _: seen.append(1))


@workflow
class SharesALockBetweenRuns(Workflow):
    queue = asyncio.Queue()

    async def run(self):
        async with LOCK:
            return await self.queue.get()
