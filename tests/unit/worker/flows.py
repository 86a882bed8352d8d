"""Workflows for tests of the runloop; their actions are never run."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from waymark import Backoff, RetryPolicy, Workflow, action, workflow


@action
async def step(x: int) -> int:
    return x


@workflow
class Two(Workflow):
    async def run(self, x: int) -> int:
        return await step(await step(x))


@workflow
class BothAtOnce(Workflow):
    async def run(self) -> list[int]:
        return await asyncio.gather(*[step(x) for x in (1, 2)])


@workflow
class Naps(Workflow):
    async def run(self, seconds: float) -> int:
        await asyncio.sleep(seconds)
        return await step(1)


@workflow
class Tries(Workflow):
    async def run(self, attempts: int) -> Any:
        policy = RetryPolicy(attempts=attempts, backoff=Backoff(base=5.0))
        return await self.run_action(step(1), retry=policy, timeout=3.0)


@workflow
class Prints(Workflow):
    async def run(self) -> int:
        print("hello")  # noqa: T201 - what is tested
        return await step(1)


@workflow
class AtOnce(Workflow):
    async def run(self, x: int) -> int:
        return x


@workflow
class TriesLate(Workflow):
    async def run(self) -> Any:
        policy = RetryPolicy(attempts=2, exception_types=["ActionTimeout"])
        return await self.run_action(step(1), retry=policy, timeout=3.0)


@workflow
class Gathers(Workflow):
    """Keeps every result, whatever it is."""

    async def run(self, steps: int) -> int:
        return len([await step(1) for _ in range(steps)])


@workflow
class Long(Workflow):
    """Keeps every result if it is told to."""

    async def run(self, steps: int, keep: bool) -> int:
        kept = []
        x = 0
        for _ in range(steps):
            x = await step(x)
            if keep:
                kept.append(x)
        return sum(kept)


@workflow
class WideFan(Workflow):
    async def run(self, width: int) -> int:
        return sum(await asyncio.gather(*[step(x) for x in range(width)]))


@workflow
class Hurries(Workflow):
    async def run(self) -> int:
        async with asyncio.timeout(3_600):
            return await step(1)


@workflow
class HeldBack(Workflow):
    async def run(self) -> None:
        await asyncio.Event().wait()


@workflow
class StepsAndNaps(Workflow):
    async def run(self) -> list[Any]:
        return list(await asyncio.gather(step(1), asyncio.sleep(600)))


@workflow
class Moments(Workflow):
    async def run(self) -> list[float]:
        told = [time.time(), asyncio.get_running_loop().time()]
        await step(1)
        told += [datetime.now(UTC).timestamp(), time.time_ns() / 1e9]
        await step(2)
        return [*told, time.time()]


@workflow
class LocalTime(Workflow):
    async def run(self) -> float:
        started = datetime.now()  # noqa: DTZ005 - what is tested
        await step(started.second)
        return time.time()
