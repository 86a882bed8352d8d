"""Workflows of every shape that a picture has to show."""

import asyncio
import contextlib

from waymark import Workflow, action, workflow
from waymark.workflow import RetryPolicy


@action
async def fetch(name: str) -> list[int]:
    return [len(name)]


@action
async def charge(order: int, cents: int = 3) -> str:
    return f"{order}: {cents}"


@action
async def refund(order: int) -> None:
    print(order)


async def helper(order: int) -> int:
    await charge(order)
    await asyncio.sleep(2)
    return order


@workflow
class Straight(Workflow):
    async def run(self, name: str) -> list[int]:
        """Ends where it began."""
        found: list[int] = await fetch(name)
        await asyncio.sleep(60)
        await charge(found[0], cents=10)
        text = name.strip()
        text += "!"
        return found


@workflow
class Branching(Workflow):
    async def run(self, name: str, count: int) -> int:
        if count % 2:
            await fetch(name)
        elif count > 10:
            raise ValueError("a text that is much too long to be shown in a box of a picture")
        elif await fetch("asked before the next one"):
            return 1
        else:
            await fetch("else")
        match name:
            case "a":
                await fetch("a")
            case "b" | "c" if count:
                await fetch("bc")
            case _:
                pass
        price = (await charge(1)) if count else (await charge(2))
        known = count and price and await charge(9)
        return len(known) + len(await fetch("once more"))


@workflow
class Looping(Workflow):
    async def run(self, names: list[str]) -> list[list[int]]:
        for name in names:
            if not name:
                continue
            await fetch(name)
        else:
            await fetch("none")
        while await fetch("again"):
            await asyncio.sleep(5)
        while True:
            state = await self.run_action(fetch("x"), retry=RetryPolicy(attempts=5), timeout=30)
            if state:
                break
        return [await fetch(name) for name in names if name]


@workflow
class Gathering(Workflow):
    async def run(self, names: list[str]) -> int:
        found = await asyncio.gather(
            *[fetch(name) for name in names], charge(3), helper(2), return_exceptions=True
        )
        calls = [fetch(name) for name in names]
        await asyncio.gather(*calls, asyncio.sleep(3))
        await asyncio.gather()
        return len(found)


@workflow
class Guarding(Workflow):
    async def run(self, order: int) -> str:
        try:
            paid = await charge(order)
        except ValueError as error:
            print(error)
        except (KeyError, TypeError):
            await refund(order)
            raise
        else:
            await fetch(paid)
        finally:
            await refund(-order)
        with contextlib.suppress(ValueError):
            await self.closing(order)
        try:
            return await charge(order)
        finally:
            await fetch("last")

    async def closing(self, order: int) -> None:
        if order:
            await refund(order)


@workflow
class Empty(Workflow):
    async def run(self) -> None:
        pass


@workflow
class Unending(Workflow):
    async def run(self) -> None:
        while True:
            await asyncio.sleep(3)
