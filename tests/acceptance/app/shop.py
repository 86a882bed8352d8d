"""Workflows and actions that use every finished public name, as a user's module would."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel

from waymark import (
    ActionTimeout,
    Backoff,
    BackoffPolicy,
    Depend,
    Depends,
    RetryPolicy,
    WorkerCrashed,
    Workflow,
    action,
    current_action,
    workflow,
)


class Size(StrEnum):
    """A closed choice."""

    SMALL = "small"
    LARGE = "large"


class Item(BaseModel):
    """A line of an order."""

    name: str
    size: Size
    price: float


class Receipt(BaseModel):
    """What an order comes to."""

    items: list[Item]
    total: float


class OutOfStock(Exception):
    """Carries attributes across processes."""

    def __init__(self, name: str, left: int) -> None:
        super().__init__(f"only {left} of {name} left")
        self.name = name
        self.left = left


def note(line: str) -> None:
    """Append to the side-effect ledger."""
    descriptor = os.open(os.environ["SHOP_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (line + "\n").encode())
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def till() -> Iterator[list[str]]:
    """Hand out a resource and tell when it was given back."""
    note("till opened")
    yield []
    note("till closed")


async def currency() -> str:
    """A dependency of a dependency."""
    return "EUR"


async def cashier(unit: Annotated[str, Depends(currency)]) -> AsyncIterator[str]:
    """An asynchronous generator as a dependency."""
    yield f"cashier in {unit}"


@action
async def price(item: Item) -> float:
    """A model comes in as a model."""
    assert isinstance(item, Item)
    assert isinstance(item.size, Size)
    return item.price * (2 if item.size is Size.LARGE else 1)


@action
def in_a_thread(x: int) -> int:
    """A synchronous action."""
    return x * 2


@action
async def serve(drawer: list[str] = Depends(till), by: str = Depend(cashier)) -> str:
    """Dependencies are resolved, and cleaned up after the call."""
    drawer.append("coin")
    return by


@action
async def unreliable(fails: int) -> int:
    """Fail the first ``fails`` attempts, then tell which one this is."""
    attempt = current_action()
    note(f"unreliable {attempt.idempotency_key} {attempt.attempt}")
    if attempt.attempt <= fails:
        raise ConnectionError(f"attempt {attempt.attempt}")
    return attempt.attempt


@action(name="reserve", retry=RetryPolicy(attempts=2, backoff_seconds=0.01))
async def reserve_stock(name: str) -> None:
    """Always raise an exception with attributes."""
    raise OutOfStock(name, 3)


@action
async def endless() -> None:
    """Never end by itself."""
    await asyncio.Event().wait()


@action
async def killer() -> None:
    """Take the worker down."""
    os._exit(9)


@action
async def step(run: str, number: int, seconds: float) -> int:
    """Leave a line in the ledger, slowly."""
    note(f"begin {run} {number} {current_action().attempt} {os.getpid()}")
    await asyncio.sleep(seconds)
    note(f"end {run} {number} {current_action().attempt} {os.getpid()}")
    return number + 1


@action
async def held(gate: str) -> str:
    """Wait for a file to appear: tests open the gate."""
    note(f"held {os.getpid()}")
    while not Path(gate).exists():  # noqa: ASYNC110, ASYNC240 - the gate is opened by another process
        await asyncio.sleep(0.01)
    return "open"


@workflow
class Order(Workflow):
    """Models, enums, gather, arithmetic."""

    async def run(self, items: list[Item], discount: float = 0.0) -> Receipt:
        prices = await asyncio.gather(*[price(item) for item in items])
        return Receipt(items=items, total=round(sum(prices) * (1 - discount), 2))


@workflow
class Serve(Workflow):
    """A dependency-injected action and a synchronous one."""

    async def run(self) -> list[str]:
        return [await serve(), str(await self.run_action(in_a_thread(21)))]


@workflow
class Retry(Workflow):
    """Policies: literal, constant, runtime value, backoff by either name."""

    async def run(self, fails: int) -> list[int]:
        first = await self.run_action(
            unreliable(fails), retry=RetryPolicy(attempts=fails + 1, exception_types=["OSError"])
        )
        second = await self.run_action(
            unreliable(1), retry=RetryPolicy(attempts=2), backoff=BackoffPolicy(base_delay=0.01)
        )
        third = await self.run_action(
            unreliable(1), retry=RetryPolicy(attempts=2), backoff=Backoff(base=0.01, factor=3)
        )
        return [first, second, third]


@workflow
class Exhaust(Workflow):
    """Exhausted retries raise the action's own exception, attributes and all."""

    async def run(self) -> tuple[str, int, str]:
        try:
            await reserve_stock("tea")
        except OutOfStock as error:
            return (error.name, error.left, str(error))
        return ("", 0, "")


@workflow
class Fails(Workflow):
    """Ends with an exception of the user's."""

    async def run(self) -> None:
        await reserve_stock("tea")


@workflow
class Late(Workflow):
    """A timeout raises inside the workflow."""

    async def run(self) -> str:
        try:
            await self.run_action(endless(), timeout=timedelta(milliseconds=200))
        except ActionTimeout as error:
            return type(error).__name__
        return "in time"


@workflow
class Poison(Workflow):
    """An action that kills its worker again and again fails by itself."""

    async def run(self) -> str:
        try:
            await killer()
        except WorkerCrashed as error:
            return type(error).__name__
        return "survived"


@workflow
class Chain(Workflow):
    """Steps in sequence with a durable sleep between."""

    async def run(self, name: str, steps: int, seconds: float, pause: float = 0.0) -> int:
        x = 0
        for _ in range(steps):
            x = await step(name, x, seconds)
            if pause:
                await asyncio.sleep(pause)
        return x


@workflow
class Gate(Workflow):
    """Stays in flight until the test lets it go."""

    async def run(self, gate: str) -> str:
        return await held(gate)
