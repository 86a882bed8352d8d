"""Workflows and actions that the tests of the in-process runtime start."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel

from waymark import Backoff, Depends, RetryPolicy, Run, Workflow, action, current_action, workflow

TRACE: list[object] = []
"""What actions did, in order; emptied by each test."""
GATES: dict[str, asyncio.Event] = {}
THREAD_GATE = threading.Event()
VARIABLE: ContextVar[str] = ContextVar("variable", default="unset")

DAY = 86400


class Item(BaseModel):
    name: str
    price: float


class SoldOut(Exception):
    def __init__(self, name: str, left: int) -> None:
        super().__init__(f"only {left} of {name} left")
        self.name = name
        self.left = left


@action
async def note(what: str) -> str:
    TRACE.append(what)
    return what.upper()


@action
def note_in_thread(what: str) -> str:
    TRACE.append((what, threading.current_thread().name))
    return what


@action
async def price(item: Item) -> Item:
    TRACE.append(item)
    item.price *= 2
    return item


@action
async def sell(name: str) -> None:
    raise SoldOut(name, 3)


@action(retry=RetryPolicy(attempts=4, backoff=Backoff(base=60, factor=2)))
async def unreliable(fails: int) -> tuple[int, str]:
    attempt = current_action()
    TRACE.append(attempt.idempotency_key)
    if attempt.attempt <= fails:
        raise ConnectionError(f"attempt {attempt.attempt}")
    return attempt.attempt, attempt.instance_id


@action
async def wait_at(gate: str) -> str:
    trace = TRACE  # of the test that began it: the cancellation may come when another has begun
    trace.append(f"at {gate}")
    try:
        await GATES.setdefault(gate, asyncio.Event()).wait()
    except asyncio.CancelledError:
        trace.append(f"cancelled at {gate}")
        raise
    return gate


@action
async def open_gate(gate: str) -> None:
    GATES.setdefault(gate, asyncio.Event()).set()


@action(timeout=0.1)
def hang_in_thread() -> None:
    THREAD_GATE.wait(20)


@action(timeout=timedelta(minutes=2))
async def slow(what: str) -> str:
    return what


@action
async def greet_by_run(who: str) -> str:
    run: Run[str] = await Shout.start(who)
    return await run.result()


@action
def greet_by_sync_run(who: str) -> str:
    return Shout().run_sync(who)


@action
async def wait_for_run(run_id: str) -> str:
    return str(await Run.get(run_id).result())


@action
async def own_run() -> str:
    return str(await Run.get(current_action().instance_id).result())


@action
async def variable() -> str:
    return VARIABLE.get()


@action
async def undurable() -> object:
    return threading.Lock()


async def opened() -> AsyncIterator[str]:
    TRACE.append("opened")
    yield "connection"
    TRACE.append("closed")


def currency() -> str:
    return "EUR"


@action
async def charge(
    cents: int,
    connection: Annotated[str, Depends(opened, scope="worker")] = "",
    currency: str = Depends(currency),
) -> str:
    TRACE.append(f"charge {cents}")
    return f"{cents} {currency} by {connection}"


@workflow
class Shout(Workflow):
    async def run(self, who: str) -> str:
        await asyncio.sleep(DAY)
        return await note(who)


@workflow
class Dozes(Workflow):
    async def run(self, days: float) -> str:
        print("asleep")
        await asyncio.sleep(days * DAY)
        return "awake"


@workflow
class Several(Workflow):
    async def run(self, names: list[str]) -> list[str]:
        return await asyncio.gather(*[note(name) for name in names])


@workflow
class Threads(Workflow):
    async def run(self, names: list[str]) -> list[str]:
        return await asyncio.gather(*[self.run_action(note_in_thread(name)) for name in names])


@workflow
class Doubles(Workflow):
    async def run(self, item: Item) -> tuple[Item, Item]:
        return item, await price(item)


@workflow
class Sells(Workflow):
    async def run(self, name: str, catch: bool = False) -> str:
        if not catch:
            await sell(name)
        try:
            await sell(name)
        except SoldOut as error:
            return f"{error.name}: {error.left}, {error}"
        return "sold"


@workflow
class TriesAgain(Workflow):
    async def run(self, fails: int) -> tuple[int, str]:
        return await unreliable(fails)


@workflow
class Late(Workflow):
    async def run(self, what: str) -> str:
        try:
            return await slow(what)
        except TimeoutError as error:
            return f"{type(error).__name__}: {error}"


@workflow
class Hangs(Workflow):
    async def run(self) -> str:
        try:
            await self.run_action(hang_in_thread())
        except TimeoutError as error:
            return type(error).__name__
        return "returned"


@workflow
class Gate(Workflow):
    async def run(self, gate: str, seconds: float | None = None) -> str:
        return await self.run_action(wait_at(gate), timeout=seconds)


@workflow
class Passes(Workflow):
    """Its first action ends only when its second has run."""

    async def run(self, gate: str) -> str:
        results = await asyncio.gather(wait_at(gate), open_gate(gate))
        return results[0]


@workflow
class Nests(Workflow):
    async def run(self, who: str) -> list[str]:
        return [await greet_by_run(who), await self.run_action(greet_by_sync_run(who))]


@workflow
class WaitsForItself(Workflow):
    async def run(self) -> str:
        return await own_run()


@workflow
class WaitsFor(Workflow):
    async def run(self, run_id: str) -> str:
        return await wait_for_run(run_id)


@workflow
class Varies(Workflow):
    async def run(self) -> str:
        return await variable()


@workflow
class Undurable(Workflow):
    async def run(self) -> str:
        return str(await undurable())


@workflow
class Charges(Workflow):
    async def run(self, amounts: list[int]) -> list[str]:
        return [await charge(cents) for cents in amounts]


@workflow
class NeverEnding(Workflow):
    async def run(self) -> None:
        while True:
            pass


@workflow
class Polls(Workflow):
    async def run(self) -> None:
        while True:
            await asyncio.sleep(60)


@workflow
class Loop(Workflow):
    async def run(self, count: int) -> int:
        total = 0
        for number in range(count):
            total += len(await note(str(number)))
        return total


@workflow
class Impatient(Workflow):
    async def run(self, gate: str, seconds: float) -> str:
        try:
            return await asyncio.wait_for(wait_at(gate), seconds)
        except TimeoutError:
            return await note("gave up")


@workflow
class Grouped(Workflow):
    async def run(self, gate: str) -> list[str]:
        seen: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(wait_at(gate))
                group.create_task(sell("tea"))
        except* SoldOut as errors:
            seen += [str(error) for error in errors.exceptions]
        return seen
