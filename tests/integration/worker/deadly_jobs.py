"""Actions that end what runs them, and one that is harmless; the pool of another team does not know them."""

import asyncio
import os
import signal
from pathlib import Path

from tests.integration.worker import jobs
from tests.integration.worker.jobs import note
from waymark import action, current_action


@action
async def ends_its_worker() -> None:
    note("ends", current_action().attempt)
    os._exit(3)


@action
async def ends_two_workers() -> int:
    """Each of them while `harmless` runs in it, too; how many it has ended before."""
    earlier = _noted("ends")
    if earlier < 2:
        while _noted("beside") <= earlier:
            await asyncio.sleep(0.02)
        note("ends", current_action().attempt)
        os._exit(3)
    return earlier


def _noted(word: str) -> int:
    lines = Path(os.environ[jobs.LEDGER]).read_text(encoding="utf-8").splitlines()
    return len([line for line in lines if line.split()[0] == word])


@action
async def ends_its_pool() -> None:
    """kill -9 the supervisor, then the runloop, then this worker."""
    note("ends", current_action().attempt)
    runloop = os.getppid()
    for pid in (jobs.parent(runloop), runloop, os.getpid()):
        os.kill(pid, signal.SIGKILL)


@action
async def harmless(x: int) -> int:
    note("beside", x)
    await asyncio.sleep(1.0)
    return x
