"""Workflows that meet a limit, need a worker in the middle, or hold what cannot be kept."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, model_validator

from waymark import Backoff, RetryPolicy, Workflow, action, workflow


@action
async def act(x: Any) -> Any:
    return x


def again(n: int) -> int:
    return again(n + 1) if n < 400 else 0


def depth(n: int) -> int:
    try:
        return depth(n + 1)
    except RecursionError:
        return n


def deeper(n: int) -> int:
    return deeper(n + 1)


class Checked(BaseModel):
    low: int
    high: int

    @model_validator(mode="after")
    def ordered(self) -> Checked:
        if self.high < self.low:
            raise ValueError("high is too low")
        return self


@dataclasses.dataclass(eq=False)
class Odd:
    x: int

    def __str__(self) -> str:
        return f"odd {id(self)}"

    def __eq__(self, other: object) -> bool:
        return id(self) == id(other)

    def __hash__(self) -> int:
        return id(self)

    def __len__(self) -> int:
        return id(self)


@dataclasses.dataclass
class Wordy:
    """Says more than it holds."""

    def __repr__(self) -> str:
        return "x" * 10_000


@workflow
class VmEndless(Workflow):
    async def run(self, how: str) -> Any:
        await_me = act(1)
        n = 0
        try:
            while True:
                n += 1
                if how == "recursion":
                    again(0)
                elif how == "builtin":
                    sum(range(1000))
                elif how == "generator":
                    sum(n for n in range(10))
                elif how == "catches everything":
                    try:
                        n += 1
                    except BaseException:
                        n = 0
                    finally:
                        n += 1
        except BaseException:
            return "caught"
        finally:
            while True:
                n += 1
        return await await_me


@workflow
class VmMadeForBuiltins(Workflow):
    async def run(self, how: str) -> Any:
        numbers = iter(range(5_000))
        if how == "map of a builtin":
            return sum(map(int, numbers))
        if how == "map of maps":
            return len(set().union(zip(map(int, numbers), map(int, iter(range(5_000))))))
        return len(f"{[Wordy()] * 100}")


@workflow
class VmBusyTwice(Workflow):
    async def run(self) -> Any:
        n = 0
        while n < 10_000:
            n += 1
        await act(n)
        while n < 20_000:
            n += 1
        return n


@workflow
class VmEndlessBesideCalls(Workflow):
    async def spin(self) -> Any:
        n = await act("go")
        while True:
            n += 1

    async def run(self) -> Any:
        return await asyncio.gather(act(1), self.spin())


@workflow
class VmDepth(Workflow):
    async def run(self) -> Any:
        first = depth(1)
        try:
            deeper(1)
        except RecursionError as e:
            text = str(e)
        await act(1)
        return [first, text, depth(1)]


@workflow
class VmMapOfMaps(Workflow):
    async def run(self) -> Any:
        out: list[Any] = []
        for levels in (50, 400):
            it = iter([0])
            for _ in range(levels):
                it = map(lambda x: x + 1, it)
            try:
                out.append(next(it))
            except RecursionError as e:
                out.append("RecursionError")
        return out


@workflow
class VmReturnsFunction(Workflow):
    async def run(self) -> Any:
        return {"items": [1, lambda x: x]}


@workflow
class VmPassesFunction(Workflow):
    async def run(self) -> Any:
        try:
            await act([lambda x: x])
        except TypeError as e:
            text = str(e)
        await act("after")
        return ["SerializationError", text]


@workflow
class VmPrints(Workflow):
    async def run(self) -> Any:
        print("one", 2)
        print("a", "b", sep="-", end="!\n")
        await act(1)


@workflow
class VmNeedsInput(Workflow):
    async def run(self, n: int) -> Any:
        return n


@workflow
class VmMakesOpaque(Workflow):
    async def make(self) -> Any:
        try:
            made = Checked(low=1, high=5)
        except ValueError as e:
            return await act(f"{type(e).__name__} {e}")
        return await act(made.high)

    async def run(self) -> Any:
        return await asyncio.gather(self.make(), act("other"))


@workflow
class VmSpecial(Workflow):
    async def run(self, what: str) -> Any:
        try:
            one = await act(what)
            if not isinstance(one, Odd):
                return "not odd"
            if what == "str":
                return f"{one}"
            if what == "eq":
                return one == 5
            if what == "len":
                return len(one)
            if what == "bool":
                return bool(one)
            return one in {one: 1, 2: 3}
        except BaseException:
            return "caught"


@workflow
class VmPolicies(Workflow):
    shared = RetryPolicy(attempts=4, exception_types=["ValueError"])

    def __init__(self) -> None:
        self.retry = RetryPolicy(attempts=3, backoff=Backoff(base=2, factor=3, max=9))

    async def run(self, given: Any) -> Any:
        await self.run_action(act(1), retry=self.retry)
        await self.run_action(act(2), retry=self.shared, timeout=timedelta(minutes=1))
        await self.run_action(act(3), retry=given)
        made = RetryPolicy(attempts=2)
        await self.run_action(act(4), retry=made, timeout=5)
        call = act(5)
        await self.run_action(call)
        try:
            await call
        except RuntimeError as e:
            return str(e)


def broken() -> Any:
    return 1 // 0


@workflow
class VmFailsDeepInside(Workflow):
    async def inner(self) -> Any:
        return await act(1)

    async def outer(self) -> Any:
        return await self.inner()

    async def run(self) -> Any:
        return await asyncio.gather(self.outer())


def returned(x: Any) -> Any:
    return x


OUTCOMES = {"act": returned}
