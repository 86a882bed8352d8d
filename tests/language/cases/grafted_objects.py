"""Objects that a worker makes, by code that is no part of the program: they hold the very arguments all the same."""

import os
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator, model_validator

from tests.language.steps import echo, note
from waymark import Workflow, workflow


T = TypeVar("T")


class Address(BaseModel):
    street: str


class Page(BaseModel, Generic[T]):
    items: list[T]
    first: Any = None

    @field_validator("items")
    @classmethod
    def some(cls, value):
        if not value:
            raise ValueError("none")
        return value


class Order(BaseModel):
    model_config = ConfigDict(extra="allow")
    to: Address
    meta: Any = None
    lines: list[Address] = []
    pairs: tuple[Address, ...] = ()
    by_name: dict[str, Address] = {}
    _seen: list[Any] = PrivateAttr(default_factory=list)

    @field_validator("meta")
    @classmethod
    def checked(cls, value):
        if value == "wrong":
            raise ValueError("wrong")
        return value

    @model_validator(mode="after")
    def noted(self):
        self._seen.append(self.to)
        return self

    def seen(self):
        return self._seen


class Registered(BaseModel):
    name: str
    registry: Any

    def model_post_init(self, context):
        self.registry["names"].append(self.name)
        self.registry["last"] = self.name
        self.registry["queue"].appendleft([self.name])


class Filled(BaseModel):
    a: int
    b: list[int]
    note: str

    @model_validator(mode="before")
    @classmethod
    def filled(cls, data):
        if isinstance(data, dict):
            data.setdefault("note", "filled")
            data["b"].append(os.getpid() > 0)
        return data


@dataclass
class Local:
    parts: list[Any]
    other: Any = None
    twice: Any = None

    def __post_init__(self):
        self.known = os.getpid() > 0
        self.first = self.parts[0]
        self.parts.append(len(self.parts))


@dataclass(frozen=True)
class Fixed:
    pair: tuple[Any, ...]
    of: Any = field(default=None, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "pair", (os.getpid() > 0, *self.pair))


@dataclass
class Failed(Exception):
    code: int
    parts: list[int] = field(default_factory=list)


@workflow
class FieldsAreTheArguments(Workflow):
    async def run(self):
        home, other, meta = Address(street="home"), Address(street="other"), {"k": [1]}
        order = Order(
            to=home,
            meta=meta,
            lines=[home, other, home],
            pairs=[other, home],
            by_name={"o": other},
            more=meta,
        )
        home.street = "moved"
        meta["k"].append(2)
        await note("moved")
        order.by_name["o"].street = "changed"
        order.seen().append(meta)
        return (
            order,
            [line is home for line in order.lines],
            [one is other for one in order.pairs],
            order.to is home,
            order.more is order.meta,
            order.seen()[0] is home,
            other.street,
        )


@workflow
class ValidatedAgain(Workflow):
    async def run(self):
        order = Order.model_validate({"to": {"street": "s"}, "meta": [1]})
        again = Order.model_validate(order)
        kept = {"to": order.to, "meta": order.meta}
        from_kept = Order.model_validate(kept)
        await echo(order)
        from_kept.meta.append(2)
        try:
            Order(to=order.to, meta="wrong")
        except ValueError as error:
            return again is order, from_kept.to is order.to, order.meta, len(str(error)) > 20


@workflow
class ArgumentsAreChanged(Workflow):
    async def run(self):
        registry = {"names": [], "queue": deque(["old"])}
        queue = registry["queue"]
        made = [Registered(name=name, registry=registry) for name in "ab"]
        await note("registered")
        made.append(Registered(name="c", registry=made[0].registry))
        return registry, queue is registry["queue"], all(one.registry is registry for one in made)


@workflow
class ChangedBeforeItIsChecked(Workflow):
    async def run(self):
        numbers = [1]
        data = {"a": 1, "b": numbers}
        filled = Filled.model_validate(data)
        return filled, data, data["b"] is numbers, filled.b is numbers, Filled(a=2, b=[0]).note


@workflow
class SharedPartsOfArguments(Workflow):
    async def run(self):
        shared = ["s"]
        outer = [shared, {"shared": shared}]
        local = Local(outer, other=shared, twice=(shared, 1))
        shared.append("later")
        log = [local.known, local.first is shared, local.other is shared, local.twice[0] is shared]
        await echo(3)
        local.first.append("last")
        changed = replace(local, other=None)
        log += [changed.parts is outer, changed.twice is local.twice, local.known, changed.first]
        return log, outer, local


@workflow
class PartsOfFixedObjects(Workflow):
    async def run(self):
        parts = [1]
        fixed = Fixed((parts, (parts, "x")), of=parts)
        parts.append(2)
        return fixed, fixed.of is parts, fixed.pair[1] is parts, fixed.pair[2][0] is parts


@workflow
class PartsOfErrors(Workflow):
    async def run(self):
        parts = [0]
        try:
            raise Failed(4, parts)
        except Failed as error:
            error.parts.append(error.code)
            await note("failed")
            return error.parts is parts, parts, error.args[1] is parts


@dataclass
class Swapped:
    source: Address
    target: Address
    both: list[Address] = field(default_factory=list)

    def __post_init__(self):
        self.source.street += f" {os.getpid() > 0}"
        self.target.street += "!"
        self.both.append(self.source)


@workflow
class OneArgumentTwice(Workflow):
    async def run(self):
        one, both = Address(street="one"), []
        swapped = Swapped(one, one, both)
        await note(one.street)
        again = Swapped(both[0], Address(street="two"), swapped.both)
        return one, both, swapped.source is swapped.target, again.both is both, both[1] is one


@workflow
class PagesOfACheckedClass(Workflow):
    async def run(self):
        home = Address(street=await echo("x"))
        page, numbers = Page[Address](items=[home], first=home), Page[int](items=["1", 2])
        home.street = "y"
        log = [page.first is home, page.items[0].street, numbers.items, type(numbers).__name__, isinstance(page, Page)]
        for make in (lambda: Page[int](items=[]), lambda: Page[int](items=["a"])):
            try:
                make()
            except ValueError as e:
                log.append((type(e).__name__, e.title, e.error_count()))
        return log
