"""Actions that end what runs them, and one that is harmless; the pool of another team does not know them."""

import asyncio
import os
import signal

from tests.integration.worker import jobs
from tests.integration.worker.jobs import note
from waymark import action, current_action


@action
async def ends_its_worker() -> None:
    note("ends", current_action().attempt)
    os._exit(3)


@action
async def ends_its_pool() -> None:
    """kill -9 the supervisor, then the runloop, then this worker."""
    note("ends", current_action().attempt)
    runloop = os.getppid()
    for pid in (jobs.parent(runloop), runloop, os.getpid()):
        os.kill(pid, signal.SIGKILL)


@action
async def harmless(x: int) -> int:
    await asyncio.sleep(1.0)
    return x
