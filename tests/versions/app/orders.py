"""A workflow with steps, a fan-out, a sleep, retries and a handled error, in words that every release understands."""

import asyncio
import os
from pathlib import Path

from waymark import Backoff, RetryPolicy, Workflow, action, current_action, workflow


def note(*words: object) -> None:
    """Append one line to the ledger; a single write, so that processes do not cut into each other's."""
    line = " ".join(str(word) for word in words) + "\n"
    descriptor = os.open(os.environ["ORDERS_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _me() -> str:
    me = current_action()
    return f"{me.instance_id} {me.call_id} {me.attempt} {me.idempotency_key}"


@action
async def step(x: int, seconds: float) -> int:
    note("begin", _me(), os.getpid())
    await asyncio.sleep(seconds)
    note("end", _me(), os.getpid())
    return x + 1


@action
async def flaky(x: int) -> int:
    note("begin", _me(), os.getpid())
    if current_action().attempt < 3:
        raise ConnectionError("not yet")
    note("end", _me(), os.getpid())
    return x + 1


@action
async def refuses(x: int) -> int:
    note("begin", _me(), os.getpid())
    raise ValueError(x)


@action
async def gate(flag: str) -> int:
    """End when a file appears."""
    note("begin", _me(), os.getpid())
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    note("end", _me(), os.getpid())
    return 1


@workflow
class MixedOrder(Workflow):
    async def run(self, n: int, seconds: float) -> list[int]:
        x = n
        for _ in range(3):
            x = await step(x, seconds)
        parts = await asyncio.gather(*[step(x + k, seconds) for k in range(4)])
        await asyncio.sleep(seconds)
        policy = RetryPolicy(attempts=50, backoff=Backoff(base=0.05, factor=1.0))
        x = await self.run_action(flaky(sum(parts)), retry=policy)
        try:
            await refuses(x)
        except ValueError:
            x = await step(x, seconds)
        return [n, x, *parts]


def mixed(n: int) -> list[int]:
    """What MixedOrder returns."""
    parts = [n + 4 + k for k in range(4)]
    return [n, sum(parts) + 2, *parts]


@workflow
class NappingOrder(Workflow):
    """Parked with a snapshot between its steps."""

    async def run(self, n: int, seconds: float) -> int:
        kept = [n]
        kept.append(await step(kept[-1], 0.0))
        await asyncio.sleep(seconds)
        return await step(sum(kept), 0.0)


def napping(n: int) -> int:
    """What NappingOrder returns."""
    return 2 * n + 2


@workflow
class GatedOrder(Workflow):
    async def run(self, flag: str, width: int) -> int:
        first = await step(0, 0.0)
        opened = await asyncio.gather(*[gate(flag) for _ in range(width)])
        return await step(first + sum(opened), 0.0)
