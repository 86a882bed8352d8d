"""In place of loops, threads, processes and sockets."""

import asyncio

from tests.language.steps import double, note
from waymark import Workflow, action, workflow


@action
def blocking(x: int) -> int:
    return x + 1


@action
async def fetched(host: str, port: int) -> str:
    return f"{host}:{port}"


@action
async def listed(folder: str) -> list[str]:
    return [folder, "b"]


@workflow
class RunsALoopRewritten(Workflow):
    async def run(self):
        return await note("x")


@workflow
class AsksForTheEventLoopRewritten(Workflow):
    async def run(self):
        return await blocking(1)


@workflow
class UsesAThreadRewritten(Workflow):
    async def run(self):
        return await asyncio.gather(blocking(1), blocking(2))


@workflow
class OpensAConnectionRewritten(Workflow):
    async def run(self):
        return await fetched("localhost", 80)


@workflow
class StartsAProcessRewritten(Workflow):
    async def run(self):
        return await listed("a")


@workflow
class MakesAFutureRewritten(Workflow):
    async def run(self):
        task = asyncio.create_task(double(1))
        return await task


@workflow
class UsesABarrierRewritten(Workflow):
    async def run(self):
        ready, arrived = asyncio.Event(), []

        async def meet(n):
            arrived.append(await double(n))
            if len(arrived) == 2:
                ready.set()
            await ready.wait()
            return len(arrived)

        return await asyncio.gather(meet(1), meet(2))


@workflow
class CountsAllTasksRewritten(Workflow):
    async def run(self):
        tasks = [asyncio.create_task(double(n)) for n in range(3)]
        return len(tasks), [await task for task in tasks]


@workflow
class AsksWhetherItIsATaskRewritten(Workflow):
    async def run(self):
        tasks = {"mine": asyncio.create_task(note("x"))}
        return "mine" in tasks, await tasks["mine"]


@workflow
class CallsBackWhenDoneRewritten(Workflow):
    async def run(self):
        seen = []

        async def watched():
            try:
                return await note("x")
            finally:
                seen.append("done")

        return await asyncio.create_task(watched()), seen


@workflow
class SharesALockBetweenRunsRewritten(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        self.queue = asyncio.Queue()
        self.queue.put_nowait(await note("x"))
        async with lock:
            return await self.queue.get()
