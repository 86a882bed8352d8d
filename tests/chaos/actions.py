"""Numbers in, numbers out: the actions of the chaos workflows; each writes into the ledger what it does.

Without a worker around them, as the oracle calls them, they do the same at once and without a trace.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.chaos.ledger import LEDGER, noted, once
from tests.support.processes import descendants
from waymark import WorkerCrashed, action, current_action

attempt_of_oracle: list[Callable[[], int]] = []
"""The oracle's word for which attempt runs, where there is no worker to ask."""


LEAVERS, TRAITORS = 20, 3
"""How many workers, and pools, the actions of one round may end: each costs seconds to replace."""


def _works() -> bool:
    return LEDGER in os.environ


async def _pause(seconds: float) -> None:
    if _works():
        await asyncio.sleep(seconds)


def _attempt() -> int:
    return current_action().attempt if _works() else attempt_of_oracle[0]()


@action
async def add(x: int, y: int) -> int:
    with noted("add", x, y):
        await _pause(0.002 * ((x + y) % 12))
        return x + y


@action
def multiply(x: int, y: int) -> int:
    with noted("multiply", x, y):
        if _works():
            time.sleep(0.002 * ((x + y) % 8))
        return x * y


@action
async def echo(value: Any) -> Any:
    with noted("echo", value):
        await _pause(0.004)
        return value


@action
async def linger(x: int, seconds: float) -> int:
    with noted("linger", x, seconds):
        await _pause(seconds)
        return x


@action
async def flaky(x: int, good_from: int) -> int:
    """Fail with the first attempts; lost ones count for the attempt's number, so at most so often."""
    with noted("flaky", x, good_from):
        await _pause(0.003)
        if _attempt() < good_from:
            raise ConnectionError(f"{x}: not yet")
        return x


@action
async def refuse(x: int) -> int:
    with noted("refuse", x):
        await _pause(0.003)
        raise ValueError(f"{x} is refused")


@action
async def compute(x: int, seconds: float) -> int:
    """Keep the worker's event loop from everything else, as code that should not be async does."""
    with noted("compute", x, seconds):
        until = time.monotonic() + seconds
        while _works() and time.monotonic() < until:
            pass
        return x


@action
async def leave(x: int, *, always: bool) -> int:
    """End the worker process: every time, or the first time only."""
    with noted("leave", x, always):
        if _works() and (always or once("left", LEAVERS)):
            os._exit(3)
        if always:
            raise WorkerCrashed("as every worker that runs this")
        return x


@action
async def betray(x: int) -> int:
    """Kill the whole pool, supervisor first, the first time."""
    with noted("betray", x):
        if _works() and once("betrayed", TRAITORS):
            runloop = os.getppid()
            with open(f"/proc/{runloop}/stat", encoding="utf-8") as status:  # noqa: PTH123, ASYNC230 - one line of the kernel's
                supervisor = int(status.read().rpartition(")")[2].split()[1])
            # This process last; stopping the tree first, as `kill_tree` does, would stop us half-way.
            below = [pid for pid in descendants(supervisor) if pid != os.getpid()]
            for pid in (supervisor, *below, os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return x
