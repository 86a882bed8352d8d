"""Calls that nothing awaits, in every place where they look as if they ran, and those that are fine."""

import asyncio
from dataclasses import dataclass

from waymark import Workflow, action, workflow


@dataclass
class Order:
    total: int


@action
async def notify(user: str) -> bool:
    return bool(user)


@action
async def load(number: int) -> Order:
    return Order(number)


@action
def listing() -> list[int]:
    return [1]


async def twice(user: str) -> None:
    await notify(user)
    await notify(user)


@workflow
class ForgottenStatements(Workflow):
    async def run(self, user: str) -> None:
        notify(user)
        twice(user)
        self.again(user)
        asyncio.sleep(3)
        self.run_action(notify(user), timeout=3)
        await notify(user)

    async def again(self, user: str) -> None:
        notify(f"a text that is far too long to be repeated in a message, {user}, " * 2)


@workflow
class ForgottenValues(Workflow):
    async def run(self, user: str) -> bool:
        unused = notify(user)
        if notify(user):
            await twice(user)
        while not listing():
            await asyncio.sleep(1)
        total = load(1).total + 1
        first = listing()[0]
        text = f"{load(2)}"
        for number in listing():
            await load(number)
        chosen = 1 if notify(user) else 2
        both = notify(user) and notify(text)
        print(total, first, chosen, both, [number for number in listing()])
        return notify(user)


@workflow
class ForgottenParentheses(Workflow):
    async def run(self, user: str) -> bool:
        await self.again
        await twice
        return await notify

    async def again(self) -> None: ...


@workflow
class ForgottenDisplays(Workflow):
    async def run(self, user: str) -> object:
        unread = [notify(user), load(2)]
        many = [load(number) for number in range(3)]
        returned = (notify(user), 2)
        [notify(user), notify(user)]
        if user == "one":
            call = notify(user)
            return call
        if user == "two":
            return returned
        return [notify(user)]


@workflow
class AwaitedLater(Workflow):
    async def run(self, user: str) -> list[bool]:
        call = notify(user)
        calls = [notify(user) for _ in range(3)]
        pair = (notify(user), notify(user))
        await self.run_action(notify(user), timeout=3)
        await call
        waiting = [notify(user)]
        waiting.append(notify(user))
        await asyncio.wait({asyncio.create_task(each) for each in waiting})
        inner = await asyncio.gather(*[load(1), load(2)])
        await self.collected(user)[0]
        await asyncio.gather(notify(user), *pair)
        await (await self.chosen(user))
        return await asyncio.gather(*calls)

    def collected(self, user: str):
        calls = [notify(user)]
        return calls

    async def chosen(self, user: str):
        return notify(user)


@workflow
class SilencedForgetting(Workflow):
    async def run(self, user: str) -> None:
        notify(user)  # waymark: ignore[WM301]
        # waymark: ignore[WM302, WM301] it is meant
        notify(user)
        notify(
            user,
        )  # waymark: ignore[ WM301 ]
        notify(user)  # waymark: ignore[WM302]
        notify(user)  # waymark: ignore
