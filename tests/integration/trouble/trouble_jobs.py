"""A few small workflows, so that pools under test start soon; every action writes what it does into a ledger."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.support.noting import note
from waymark import Workflow, action, current_action, workflow


@action
async def step(x: int, seconds: float) -> int:
    attempt = current_action()
    note("began", attempt.instance_id, attempt.call_id, attempt.attempt)
    await asyncio.sleep(seconds)
    note("ended", attempt.instance_id, attempt.call_id, attempt.attempt)
    return x + 1


@action
async def endless(x: int) -> int:
    note("endless", current_action().instance_id, x)
    await asyncio.sleep(600)
    return x


@action
async def fails_when_told(flag: str) -> int:
    while not Path(flag).exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.02)
    raise ValueError("told")


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


@workflow
class TimesOut(Workflow):
    async def run(self, width: int) -> int:
        """How many calls failed."""
        calls = [self.run_action(endless(x), timeout=timedelta(seconds=0.5)) for x in range(width)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        return len([one for one in ended if isinstance(one, Exception)])


@workflow
class GivesUpEarly(Workflow):
    async def run(self, flag: str, width: int) -> str:
        """The first error ends the run while all the others are still on their way."""
        try:
            await asyncio.gather(fails_when_told(flag), *[endless(x) for x in range(width)])
        except ValueError as error:
            return str(error)
        return "no error"
