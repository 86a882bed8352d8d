"""Workflows that fan out wider than one pool, for tests of several."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

from tests.integration.worker.jobs import note
from waymark import RetryPolicy, Workflow, action, current_action, workflow


def _me() -> str:
    attempt = current_action()
    return f"{attempt.instance_id} {attempt.call_id} {attempt.attempt} {attempt.idempotency_key}"


@action
async def nap(x: int, seconds: float) -> int:
    note("nap", _me(), os.getpid(), x, time.time())
    await asyncio.sleep(seconds)
    note("napped", _me(), os.getpid(), x, time.time())
    return x + 1


@action
async def gate(flag: str, x: int, seconds: float = 0.0) -> int:
    """End some seconds after a file appears, or after the start if it was there."""
    note("gate", _me(), os.getpid(), x)
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    await asyncio.sleep(seconds)
    note("gated", _me(), os.getpid(), x)
    return x


@action
async def refuses(x: int) -> int:
    note("refuses", _me(), os.getpid(), x)
    await asyncio.sleep(0.2)
    if current_action().attempt < 2:
        raise ConnectionError(f"no {x}")
    return x


@action
async def stalls(x: int, flag: str) -> int:
    """Outlive every timeout until a file appears."""
    note("stalls", _me(), os.getpid(), x)
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    return x


@action
async def echo(flag: str, x: int, value: bytes) -> bytes:
    """Give back what came, when a file appears."""
    note("echo", _me(), os.getpid(), x)
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    note("echoed", _me(), os.getpid(), x)
    return value


@workflow
class Wide(Workflow):
    async def run(self, width: int, seconds: float) -> int:
        return sum(await asyncio.gather(*[nap(x, seconds) for x in range(width)]))


@workflow
class Gated(Workflow):
    async def run(self, flag: str, width: int, seconds: float = 0.0) -> int:
        return sum(await asyncio.gather(*[gate(flag, x, seconds) for x in range(width)]))


@workflow
class Echoed(Workflow):
    async def run(self, flag: str, width: int, value: bytes) -> list[str]:
        """How many bytes came back from each, or why none did."""
        calls = [echo(flag, x, value) for x in range(width)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        return [str(one) if isinstance(one, BaseException) else str(len(one)) for one in ended]


@workflow
class Refused(Workflow):
    async def run(self, width: int) -> int:
        calls = [
            self.run_action(refuses(x), retry=RetryPolicy(attempts=3, backoff_seconds=0.01))
            for x in range(width)
        ]
        return sum(await asyncio.gather(*calls))


@workflow
class Stalled(Workflow):
    async def run(self, flag: str, width: int) -> int:
        calls = [
            self.run_action(stalls(x, flag), timeout=timedelta(seconds=1)) for x in range(width)
        ]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        return len([one for one in ended if isinstance(one, Exception)])


@workflow
class GivesUp(Workflow):
    async def run(self, flag: str, width: int) -> str:
        """The first error ends the run while the others are still on their way."""
        try:
            await asyncio.gather(nap(1, 1.0), *[gate(flag, x) for x in range(width)], fails(2.0))
        except ValueError as error:
            return str(error)
        return "no error"


@action
async def fails(seconds: float) -> int:
    await asyncio.sleep(seconds)
    raise ValueError("as it should")
