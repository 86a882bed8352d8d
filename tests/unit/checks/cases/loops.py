"""Loops that never end, never sleep or ask again and again; and those that look so and are fine."""

import asyncio

from waymark import Workflow, action, workflow


@action
async def status(job: str) -> str:
    return job


@action
async def page(cursor: int) -> list[int]:
    return [cursor]


@action
async def work() -> bool:
    return False


@workflow
class NeverLeft(Workflow):
    async def run(self, job: str) -> None:
        while True:
            await status(job)

    async def counted(self) -> None:
        return None


@workflow
class EndlessWithoutAwait(Workflow):
    async def run(self) -> None:
        number = 0
        while 1:
            number += 1


@workflow
class EndlessGather(Workflow):
    async def run(self, job: str) -> None:
        while True:
            for _ in range(3):
                if job:
                    break
            await asyncio.gather(status(job), status("b"))


@workflow
class Idle(Workflow):
    async def run(self, job: str) -> None:
        done = await status(job)
        while not done:
            pass
        while done and (
            job == "a"
        ):
            other = 1


@workflow
class Polling(Workflow):
    async def run(self, job: str) -> None:
        while True:
            if await status(job) == "done":
                break
        state = await status(job)
        while state != "done":
            state = await status(job)


def numbers():
    number = 0
    while True:
        yield number
        number += 1


@workflow
class Fine(Workflow):
    async def run(self, job: str) -> int:
        while True:
            await asyncio.sleep(60)
            await status(job)
            if job == "x":
                break
        cursor, seen = 0, []
        while True:
            found = await page(cursor)
            if not found:
                break
            seen += found
            cursor = found[-1]
        for each in numbers():
            if each > 3:
                break
        number = 10
        while number > 1:
            number //= 2
        while seen:
            seen.pop()
        while number < 3 and await status(job):
            number += 1
        while await work():
            await page(number)
        while True:
            await self.nap()
        return cursor

    async def nap(self) -> None:
        await asyncio.sleep(1)


@workflow
class SilencedLoop(Workflow):
    async def run(self, job: str) -> None:
        while True:  # waymark: ignore[WM302]
            await status(job)
