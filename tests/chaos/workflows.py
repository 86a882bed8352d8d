"""A number in, a result that plain CPython gives as well out: the workflows that run while faults strike.

Their order of outcomes may differ from run to run, their results not.
"""

import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.actions import (
    add,
    betray,
    compute,
    echo,
    flaky,
    leave,
    linger,
    multiply,
    refuse,
)
from waymark import Backoff, RetryPolicy, Workflow, workflow


@workflow
class ChaosChain(Workflow):
    """Strictly one call after the other."""

    async def run(self, n: int) -> list[int]:
        seen = []
        x = n
        for step in range(3 + n % 5):
            x = await add(x, step)
            seen.append(x)
        return seen


@workflow
class ChaosGather(Workflow):
    async def run(self, n: int) -> list[Any]:
        parts = await asyncio.gather(*[add(n, k) for k in range(2 + n % 9)])
        total = await add(sum(parts), 1)
        return [parts, total]


@workflow
class ChaosWide(Workflow):
    """More calls at once than one pool has slots."""

    async def run(self, n: int) -> list[int]:
        lingering = await asyncio.gather(*[linger(n + k, 0.02) for k in range(40)])
        return [sum(lingering), max(lingering)]


@workflow
class ChaosSleeps(Workflow):
    """One call after the other, durable sleeps in between; the longer ones park."""

    async def run(self, n: int) -> int:
        x = await add(n, 1)
        await asyncio.sleep(0.05 + (n % 5) * 0.01)
        x = await add(x, 2)
        await asyncio.sleep(0.3 + (n % 7) * 0.05)
        return await add(x, 3)


@workflow
class ChaosRetries(Workflow):
    async def run(self, n: int) -> list[Any]:
        patient = RetryPolicy(attempts=6, backoff=Backoff(base=0.02, factor=1.5))
        first = await self.run_action(flaky(n, 1 + n % 4), retry=patient)
        try:
            await self.run_action(
                refuse(n), retry=RetryPolicy(attempts=2, backoff=Backoff(base=0.05))
            )
        except ValueError as error:
            return [first, type(error).__name__, str(error)]
        return [first]


async def twice(x: int) -> int:
    return await add(x, await add(x, 0))


async def factorial(n: int) -> int:
    if n < 2:
        return 1
    return await echo(n * await factorial(n - 1))  # type: ignore[no-any-return] # what goes in comes out


def odd(numbers: list[int]) -> Any:
    for number in numbers:
        if number % 2:
            yield number


@workflow
class ChaosHelpers(Workflow):
    """Strictly one call after the other, in functions that call functions."""

    async def run(self, n: int) -> list[Any]:
        doubled = await twice(n)
        product = await factorial(2 + n % 4)
        return [doubled, product, list(odd(list(range(n % 6))))]


@workflow
class ChaosFinally(Workflow):
    """Strictly one call after the other, on the way out as well."""

    async def run(self, n: int) -> list[Any]:
        told: list[Any] = []
        for k in range(1 + n % 3):
            try:
                try:
                    told.append(await add(n, k))
                    await refuse(n + k)
                finally:
                    told.append(await add(k, 100))
            except ValueError as error:
                told.append(str(error))
            else:
                told.append("never")
        return told


@workflow
class ChaosGroup(Workflow):
    async def run(self, n: int) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(twice(n + k)) for k in range(2 + n % 3)]
        results = [task.result() for task in tasks]
        try:
            async with asyncio.timeout(0.1):
                await asyncio.sleep(600)
        except TimeoutError:
            results.append(-1)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(refuse(n))
                group.create_task(asyncio.sleep(600))
        except* ValueError as errors:
            results.append(len(errors.exceptions))
        results.append(await asyncio.wait_for(add(n, 7), 3600))
        return results


@workflow
class ChaosRecorded(Workflow):
    """Strictly one call after the other; values of chance must be the same whenever they are asked for."""

    async def run(self, n: int) -> list[bool]:
        key = uuid.uuid4()
        began = time.time()
        same = [await echo(str(key)) == str(key)]
        draw = random.random()
        await asyncio.sleep(0.02)
        same.append(await echo(draw) == draw)
        other = uuid.uuid4()
        same.append(other != key and await echo([str(key), draw]) == [str(key), draw])
        same.append(time.time() >= began)
        return same


@dataclass
class Basket:
    owner: str
    items: list[int] = field(default_factory=list)


@workflow
class ChaosAliases(Workflow):
    """Mutation of what several names share, across awaits."""

    async def run(self, n: int) -> list[Any]:
        basket = Basket("first")
        shared = basket.items
        baskets = {"a": basket, "b": basket}

        async def put(k: int) -> None:
            found = await add(n, k)
            shared.append(found)

        await asyncio.gather(*[put(k) for k in range(3)])
        baskets["b"].items.append(await add(n, 10))
        basket.owner = "second"
        await asyncio.sleep(0.25)
        copied = await echo(shared)
        copied.append(0)
        return [sorted(shared), baskets["a"].owner, baskets["a"] is baskets["b"], len(copied)]


@workflow
class ChaosFails(Workflow):
    """Strictly one call after the other; the error reaches whoever started it."""

    async def run(self, n: int) -> int:
        x = await add(n, 1)
        try:
            return await refuse(x)
        finally:
            await add(x, 1)


@workflow
class ChaosMixture(Workflow):
    """A bit of everything, sync actions too."""

    async def run(self, n: int) -> list[Any]:
        x = n
        for step in range(3):
            x = await add(x, step)
        products: list[int] = await asyncio.gather(*[multiply(x, k) for k in range(4)])  # type: ignore[call-overload] # to a type checker a sync action is no awaitable
        await asyncio.sleep(0.05)
        policy = RetryPolicy(attempts=8, backoff=Backoff(base=0.02))
        tried = await self.run_action(flaky(x, 2), retry=policy)
        return [x, products, await add(sum(products), tried)]


@workflow
class ChaosComputes(Workflow):
    """Blocks the loop of one worker."""

    async def run(self, n: int) -> list[int]:
        blocking, beside = await asyncio.gather(compute(n, 0.5 + (n % 3) * 0.5), add(n, 1))
        return [blocking, beside]


@workflow
class ChaosLeaves(Workflow):
    """Its worker dies the first time, or every time."""

    async def run(self, n: int) -> list[Any]:
        x = await leave(n, always=False)
        if n % 4:
            return [x]
        try:
            await leave(n, always=True)
        except Exception as error:  # noqa: BLE001 - its type is the result
            return [x, type(error).__name__]
        return [x, "survived"]


@workflow
class ChaosBetrays(Workflow):
    """Its pool dies the first time."""

    async def run(self, n: int) -> list[int]:
        before = await add(n, 1)
        return [before, await betray(n), await add(n, 2)]


COMMON: list[Any] = [
    ChaosChain,
    ChaosGather,
    ChaosWide,
    ChaosSleeps,
    ChaosRetries,
    ChaosHelpers,
    ChaosFinally,
    ChaosGroup,
    ChaosRecorded,
    ChaosAliases,
    ChaosFails,
    ChaosMixture,
]
"""What runs in every round."""

SPECIAL: list[Any] = [ChaosComputes, ChaosLeaves, ChaosBetrays]
"""What a fault may add to the load."""

SEQUENTIAL: list[Any] = [
    ChaosChain,
    ChaosSleeps,
    ChaosHelpers,
    ChaosFinally,
    ChaosRecorded,
    ChaosFails,
    ChaosBetrays,
]
"""No call of theirs begins before the outcome of the one before it is committed."""


def by_name(name: str) -> Any:
    """Return the workflow of a class name."""
    return next(found for found in [*COMMON, *SPECIAL] if found.__name__ == name)
