"""A seed and a folder in; runs started through a bridge, and what their caller was told, out: the load.

Run as `python -m tests.chaos.client FOLDER SEED WINDOW WORKFLOW…`. It keeps WINDOW runs unfinished until the
file `stop` appears in the folder, then waits for those that are left. It writes `client.jsonl`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from tests.chaos.oracle import RAISED, RETURNED, Ending
from tests.chaos.workflows import COMMON, by_name
from tests.support.observing import fault, normal
from waymark import BridgeUnavailable, Run, WorkflowFailed

NUMBERS = 60
"""Runs get numbers below this, so that the oracle is asked for each of them once."""
SHARE = 0.1
"""Of the workflows that a fault brings along."""
GLANCE = 0.05


class Load:
    """Starts runs and waits for them; every event is a line in a file."""

    def __init__(self, folder: Path, seed: str, extra: list[Any]) -> None:
        self._stop = folder / "stop"
        self._events = (folder / "client.jsonl").open("a", encoding="utf-8", buffering=1)
        self._chance = Random(seed)
        self._extra = extra

    async def run(self, window: int) -> None:
        """Keep so many runs unfinished until the stop file is there."""
        async with asyncio.TaskGroup() as group:
            for _ in range(window):
                group.create_task(self._one_after_the_other())

    async def _one_after_the_other(self) -> None:
        while not self._stop.exists():
            special = bool(self._extra) and self._chance.random() < SHARE
            chosen = self._chance.choice(self._extra if special else COMMON)
            number = self._chance.randrange(NUMBERS)
            run = UUID(int=self._chance.getrandbits(128), version=4)
            await self._start_and_wait(chosen, number, run)

    async def _start_and_wait(self, chosen: Any, number: int, run: UUID) -> None:
        about = {"run": str(run), "workflow": chosen.__name__, "n": number}
        self._tell("asked", **about)
        if not await self._started(chosen, number, run):
            return
        self._tell("acknowledged", **about)
        ending = await self._ending(run)
        self._tell("answered", **about, how=ending.how, value=ending.value)

    async def _started(self, chosen: Any, number: int, run: UUID) -> bool:
        """Start it, again if the bridge was killed: under the same id that is the same run."""
        while True:
            try:
                await chosen.options(id=run).start(number)
            except BridgeUnavailable as error:
                self._tell("unavailable", run=str(run), error=str(error))
            except Exception as error:  # noqa: BLE001 - a caller would be told; the round judges
                self._tell("refused", run=str(run), error=f"{type(error).__name__}: {error}")
                return False
            else:
                return True
            await asyncio.sleep(GLANCE)

    async def _ending(self, run: UUID) -> Ending:
        while True:
            try:
                return Ending(RETURNED, repr(normal(await Run.get(run).result())))
            except WorkflowFailed as error:
                return Ending(RAISED, repr(fault(error.__cause__ or error)))
            except BridgeUnavailable as error:
                self._tell("unavailable", run=str(run), error=str(error))
            except Exception as error:  # noqa: BLE001 - a caller would be told; the round judges
                return Ending(type(error).__name__, str(error))
            await asyncio.sleep(GLANCE)

    def _tell(self, event: str, **about: object) -> None:
        self._events.write(json.dumps({"event": event, "at": time.monotonic(), **about}) + "\n")


def main(arguments: list[str]) -> None:
    """Run the load that the command line names."""
    folder, seed, window, *extra = arguments
    load = Load(Path(folder), seed, [by_name(name) for name in extra])
    asyncio.run(load.run(int(window)))


if __name__ == "__main__":
    main(sys.argv[1:])
