"""The workflows of the workloads, around one action that does nothing."""

import asyncio
import os
import time

from waymark import Workflow, action, workflow


@action
async def increment(x: int) -> int:
    """Add one."""
    return x + 1


@action
async def slow(x: int) -> int:
    """Add one, in a fifth of a second."""
    await asyncio.sleep(0.2)
    return x + 1


@action
async def pause(seconds: float) -> tuple[int, float]:
    """Return who ran it, and when it began."""
    began = time.time()
    await asyncio.sleep(seconds)
    return os.getpid(), began


@workflow
class Pauses(Workflow):
    """Calls side by side that only take time."""

    async def run(self, width: int, seconds: float) -> list[tuple[int, float]]:
        return await asyncio.gather(*[pause(seconds) for _ in range(width)])


@workflow
class One(Workflow):
    """Workload A: one action."""

    async def run(self, x: int) -> int:
        return await increment(x)


@workflow
class Chain(Workflow):
    """Workload B: actions in sequence."""

    async def run(self, steps: int) -> int:
        x = 0
        for _ in range(steps):
            x = await increment(x)
        return x


@workflow
class Fan(Workflow):
    """Workload C: actions side by side."""

    async def run(self, width: int) -> int:
        return sum(await asyncio.gather(*[increment(x) for x in range(width)]))


@workflow
class Three(Workflow):
    """Workload D: three actions in sequence."""

    async def run(self, x: int) -> int:
        x = await increment(x)
        x = await increment(x)
        return await increment(x)


@workflow
class Nap(Workflow):
    """Workload E: a durable sleep between two actions."""

    async def run(self, x: int, seconds: float) -> int:
        x = await increment(x)
        await asyncio.sleep(seconds)
        return await increment(x)


@workflow
class Slow(Workflow):
    """Workload F: five actions that take their time."""

    async def run(self, x: int) -> int:
        for _ in range(5):
            x = await slow(x)
        return x
