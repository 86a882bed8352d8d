"""Workflows that are recovered after every step."""

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta

from waymark import RetryPolicy, Workflow, action, current_action, workflow


@action
async def note(what: str) -> str:
    return what


@action
async def flaky(fails: int) -> int:
    if current_action().attempt <= fails:
        raise ConnectionError("busy")
    return current_action().attempt


@workflow
class Sets(Workflow):
    async def run(self, names: list[str]) -> list[str]:
        return [await note(name) for name in set(names)]


@workflow
class Everything(Workflow):
    """Aliases, a set, a retry, sleeps, recorded values and a finally that all outlive their process."""

    async def run(self) -> dict[str, object]:
        shared: list[str] = []
        alias = shared
        began = datetime.now(UTC)
        key, drawn = uuid.uuid4(), random.random()
        try:
            for name in sorted({"c", "a", "b"}):
                alias.append(await note(name))
                await asyncio.sleep(3600)
            tried = await self.run_action(
                flaky(2), retry=RetryPolicy(attempts=3, backoff_seconds=60)
            )
            both = await asyncio.gather(note("x"), asyncio.sleep(10, "slept"))
        finally:
            alias.append(await note("finally"))
        passed = datetime.now(UTC) - began
        assert isinstance(key, uuid.UUID)
        assert 0 <= drawn < 1
        return {
            "shared": shared,
            "tried": tried,
            "both": both,
            "passed": passed >= timedelta(hours=3, minutes=2),
        }


@workflow
class TooMuch(Workflow):
    async def run(self) -> None:
        await note("before")
        while True:
            pass
