"""A few small workflows, so that pools under test start soon; every action writes what it does into a ledger."""

import asyncio

from tests.support.noting import note
from waymark import Workflow, action, current_action, workflow


@action
async def step(x: int, seconds: float) -> int:
    attempt = current_action()
    note("began", attempt.instance_id, attempt.call_id, attempt.attempt)
    await asyncio.sleep(seconds)
    note("ended", attempt.instance_id, attempt.call_id, attempt.attempt)
    return x + 1


@workflow
class Steps(Workflow):
    async def run(self, count: int, seconds: float) -> int:
        x = 0
        for _ in range(count):
            x = await step(x, seconds)
        return x


@workflow
class TroubledFan(Workflow):
    async def run(self, width: int, seconds: float = 0.0) -> int:
        return sum(await asyncio.gather(*[step(x, seconds) for x in range(width)]))


@workflow
class Sleeps(Workflow):
    async def run(self, seconds: float) -> int:
        x = await step(1, 0.0)
        await asyncio.sleep(seconds)
        return await step(x, 0.0)
