"""Code of users that type checkers must accept, and the types that they must find in it."""

from datetime import timedelta
from typing import Annotated, Any, assert_type
from uuid import UUID

from pydantic import BaseModel

from waymark import (
    Depends,
    RetryPolicy,
    Run,
    Workflow,
    action,
    build_workflow_ir,
    current_action,
    workflow,
)
from waymark_worker.testing import InProcessRuntime, in_process, override


class Item(BaseModel):
    name: str
    price: float


class Receipt(BaseModel):
    total: float


class Mailbox:
    def send(self, to: str) -> int:
        return len(to)


def mailbox() -> Mailbox:
    return Mailbox()


@action
async def charge(items: list[Item], discount: float = 0.0) -> Receipt:
    return Receipt(total=sum(item.price for item in items) * (1 - discount))


@action(name="mail", retry=RetryPolicy(attempts=3), timeout=timedelta(minutes=1))
async def send(to: str, box: Mailbox = Depends(mailbox)) -> int:
    assert_type(current_action().attempt, int)
    return box.send(to)


@action
async def send_annotated(
    to: str, box: Annotated[Mailbox, Depends(mailbox)] = Depends(mailbox), *, copy: bool = False
) -> int:
    return box.send(to) + copy


@action
def in_a_thread(number: int, box: Mailbox = Depends(mailbox)) -> str:
    return str(number)


@workflow
class Order(Workflow):
    def __init__(self, shop: str = "tea") -> None:
        self.shop = shop

    async def run(self, items: list[Item], /, *more: Item, discount: float = 0.0) -> Receipt:
        assert_type(await charge(items), Receipt)
        assert_type(await send("you"), int)
        assert_type(await send_annotated("you", copy=True), int)
        assert_type(await self.run_action(in_a_thread(3), timeout=5), str)
        assert_type(await self.run_action(send("you"), retry=RetryPolicy(attempts=2)), int)
        return await self.run_action(charge([*items, *more], discount), timeout=timedelta(hours=1))


@workflow()
class Nothing(Workflow):
    name = "nothing"
    version = "1"

    async def run(self) -> None:
        await send("you")


class Base(Workflow):
    async def run(self, number: int) -> dict[str, int]:
        return {"number": number}


@workflow
class Inherits(Base):
    pass


async def starts(items: list[Item]) -> None:
    assert_type(await Order().run(items), Receipt)
    assert_type(await Order("coffee").run(items, items[0], discount=0.5), Receipt)
    assert_type(await Nothing().run(), None)
    assert_type(await Inherits().run(3), dict[str, int])

    run = await Order.start(items, items[0], discount=0.5)
    assert_type(run, Run[Receipt])
    assert_type(run.id, str)
    assert_type(await run.result(timeout=3), Receipt)
    assert_type(await run.result(timedelta(seconds=3)), Receipt)
    assert_type(await Inherits.start(number=3), Run[dict[str, int]])

    chosen = Order.options(idempotency_key="k", priority=5, delay=timedelta(hours=1), id=None)
    assert_type(await chosen.start(items), Run[Receipt])
    calls = [Order.call(items), chosen.call(items, discount=1)]
    assert_type(await Order.start_many(calls), list[Run[Receipt]])
    assert_type(calls[0].payload, bytes)
    assert_type(Run.get(UUID(int=0)), Run[Any])
    assert_type(await charge(items, 0.5), Receipt)
    assert_type(in_a_thread(3), str)
    assert_type(build_workflow_ir(Order).workflow, str)


def starts_without_a_loop(items: list[Item]) -> None:
    assert_type(Order().run_sync(items, discount=0.5), Receipt)
    assert_type(Order.start_sync(items), Run[Receipt])
    assert_type(Order.options(priority=1).start_sync(items), Run[Receipt])
    assert_type(Order.start_sync(items).result_sync(timeout=1), Receipt)
    assert_type(Nothing().run_sync(), None)


async def test_order(waymark_runtime: InProcessRuntime) -> None:
    stub = waymark_runtime.stub(charge, returns=Receipt(total=1), takes=timedelta(minutes=1))
    assert_type(stub.attempts, int)
    with waymark_runtime.stub(send, side_effect=[ConnectionError(), 3]), override(mailbox, Mailbox):
        await waymark_runtime.advance(timedelta(days=1))
    assert_type(waymark_runtime.runs[0].id, str)
    with in_process(crash_everywhere=True) as served:
        assert_type(served, InProcessRuntime)
