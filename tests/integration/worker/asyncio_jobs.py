"""Workflows of tasks, timeouts and groups, for pools under test; their actions write into the ledger."""

import asyncio
from pathlib import Path
from typing import Any

from tests.integration.worker.jobs import note
from waymark import Workflow, action, current_action, workflow


@action
async def hang(name: str) -> None:
    """Never end by itself; say that a cancellation arrived."""
    attempt = current_action()
    note("hangs", attempt.instance_id, name)
    try:
        await asyncio.sleep(600)
    finally:
        note("let-go", attempt.instance_id, name)


@action
async def say(word: str) -> str:
    note("said", current_action().instance_id, word)
    return word


@action
async def fail_when(flag: str) -> None:
    """Fail when a file appears."""
    note("waits", current_action().instance_id)
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    msg = "the flag appeared"
    raise ValueError(msg)


@action
async def until(flag: str, result: int) -> int:
    """End when a file appears."""
    note("waits", current_action().instance_id, result)
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    return result


@workflow
class WaitsForTheHanging(Workflow):
    async def run(self, seconds: float) -> list[Any]:
        log: list[Any] = []
        try:
            await asyncio.wait_for(hang("one"), seconds)
        except TimeoutError as error:
            log.append(type(error.__cause__).__name__)
        log.append(await say("after"))
        log.append(await asyncio.wait_for(say("in time"), 60))
        return log


@workflow
class SleepsTooLong(Workflow):
    async def run(self, limit: float, sleep: float) -> list[Any]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        log: list[Any] = []
        guard = asyncio.timeout(limit)
        try:
            async with guard:
                await say("sleeping")
                await asyncio.sleep(sleep)
                log.append("slept")
        except TimeoutError:
            log.append("timeout")
        log += [guard.expired(), loop.time() - began]
        return log


@workflow
class Group(Workflow):
    async def run(self, flag: str) -> list[Any]:
        log: list[Any] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_when(flag))
                group.create_task(self.sibling(log))
                await asyncio.sleep(600)
        except ExceptionGroup as error:
            log.append([str(each) for each in error.exceptions])
        log.append(await say("after"))
        return log

    async def sibling(self, log: list[Any]) -> None:
        try:
            await hang("sibling")
        except asyncio.CancelledError:
            log.append(await say("cancelled"))
            raise


@workflow
class Crowd(Workflow):
    async def run(self, flag: str, size: int) -> list[Any]:
        lock = asyncio.Lock()
        order: list[int] = []
        async with asyncio.timeout(300), asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.member(lock, order, flag, n)) for n in range(size)]
        return [sorted(order), [task.result() for task in tasks], lock.locked()]

    async def member(self, lock: asyncio.Lock, order: list[int], flag: str, n: int) -> int:
        await say(f"begins-{n}")
        got = await until(flag, n)
        async with lock:
            order.append(n)
            await say(f"ends-{n}")
        return got * 2


@workflow
class TaskPipeline(Workflow):
    async def run(self, items: int) -> list[Any]:
        queue: asyncio.Queue[int] = asyncio.Queue(2)
        results: list[str] = []
        workers = [asyncio.create_task(self.work(queue, results)) for _ in range(3)]
        for n in range(items):
            await queue.put(n)
        await queue.join()
        for worker in workers:
            worker.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
        return [sorted(results), [type(each).__name__ for each in ended]]

    async def work(self, queue: asyncio.Queue[int], results: list[str]) -> None:
        while True:
            item = await queue.get()
            results.append(await say(f"item-{item}"))
            queue.task_done()
