"""A workflow that no pool under test imports: its actions live in the modules of two."""

import asyncio

from tests.integration.worker.deadly_jobs import (
    ends_its_pool,
    ends_its_worker,
    ends_two_workers,
    harmless,
)
from tests.integration.worker.left_jobs import left
from tests.integration.worker.right_jobs import right
from waymark import Workflow, workflow


@workflow
class Both(Workflow):
    async def run(self, x: int, rounds: int) -> int:
        for _ in range(rounds):
            x = await left(x)
            x = await right(x)
        return x


@workflow
class EndsWorkers(Workflow):
    async def run(self, others: int) -> int:
        """How many failed."""
        await left(1)
        calls = [harmless(x) for x in range(others)]
        ended = await asyncio.gather(ends_its_worker(), *calls, return_exceptions=True)
        return len([one for one in ended if isinstance(one, Exception)])


@workflow
class EndsPools(Workflow):
    async def run(self, others: int) -> int:
        """How many failed."""
        await left(1)
        calls = [harmless(x) for x in range(others)]
        ended = await asyncio.gather(ends_its_pool(), *calls, return_exceptions=True)
        return len([one for one in ended if isinstance(one, Exception)])


@workflow
class OutlivesTwo(Workflow):
    async def run(self) -> list[int]:
        await left(1)
        earlier, other = await asyncio.gather(ends_two_workers(), harmless(5))
        return [earlier, other]
