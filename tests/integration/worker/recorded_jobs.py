"""Workflows that read clocks and chance, and hostile ones, for pools under test; actions write into the ledger."""

import asyncio
import random
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.integration.worker.jobs import note
from waymark import Workflow, action, current_action, workflow


@action
async def witness(what: str, value: Any) -> Any:
    """Write down what arrived; a call that runs again writes it again."""
    note(what, current_action().instance_id, repr(value).replace(" ", ""))
    return value


@action
async def held(what: str, value: Any, flag: str) -> Any:
    """Write down what arrived and end when a file appears."""
    note(what, current_action().instance_id, repr(value).replace(" ", ""))
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    return value


@workflow
class Chancy(Workflow):
    """Every kind of recorded value is used in a call before and after a step, some before the very first one."""

    async def run(self, flag: str) -> list[Any]:
        key, at, lucky = uuid.uuid4(), datetime.now(UTC), random.random()
        sent = await held("first", [str(key), at.isoformat(), lucky], flag)
        again = [str(uuid.uuid4()), time.time(), random.sample(range(1000), 5)]
        back = await held("second", again, flag + "-2")
        deck = list(range(10))
        random.shuffle(deck)
        await witness("third", deck)
        return [sent == [str(key), at.isoformat(), lucky], back == again, str(key), deck]


@workflow
class Innocent(Workflow):
    async def run(self, rounds: int) -> int:
        total = 0
        for number in range(rounds):
            total += await witness("innocent", number)
        return total


@workflow
class Hostile(Workflow):
    async def run(self, how: str) -> Any:
        await witness("hostile", how)
        if how in {"loop", "memory"}:
            kept: list[Any] = [0]
            while True:
                kept += kept if how == "memory" else []
        if how == "number":
            return 10**10**8
        if how == "text":
            return f"{1:>{10**9}}"
        if how == "lazy":
            return sum(x for x in range(10**12))
        if how == "deep":
            return self.deep(0)
        if how == "bomb":
            return self.bomb()
        grown: list[str] = []
        while True:
            grown.append("x" * 1_000_000 + str(len(grown)))
            await witness("grows", len(grown))

    def bomb(self) -> list[Any]:
        knot: list[Any] = [1]
        for _ in range(80):
            knot = [knot, knot]
        return knot

    def deep(self, n: int) -> int:
        return self.deep(n + 1) + 1


@workflow
class TellsTheTime(Workflow):
    """Before the first call, behind it and behind a sleep."""

    async def run(self) -> list[datetime]:
        told = [datetime.now(UTC)]
        await witness("time", 1)
        told.append(datetime.now(UTC))
        await asyncio.sleep(0.01)
        return [*told, datetime.fromtimestamp(time.time(), UTC)]
