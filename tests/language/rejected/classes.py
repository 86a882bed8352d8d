"""Shapes of workflows and calls that cannot be compiled."""

import enum
import operator
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partialmethod
from typing import NamedTuple

from pydantic import BaseModel

from tests.language.steps import double
from waymark import RetryPolicy, Workflow, workflow


class Meta(type):
    pass


class Strange(metaclass=Meta):
    pass


class Elsewhere:
    def half(self):
        return self.n // 2


@dataclass
class Odd:
    n: int
    half = Elsewhere.half

    class Kind(Enum):
        A = 1

    @cached_property
    def squared(self):
        return self.n**2

    got = property(operator.attrgetter("n"))
    plus10 = partialmethod(squared, 10)


@workflow
class UnknownDecorator(Workflow):
    async def run(self):
        return self.cached()

    @__import__("functools").lru_cache
    def cached(self):
        return 1


@workflow
class RunActionWrong(Workflow):
    async def run(self):
        await self.run_action(double, retry=RetryPolicy(attempts=2))
        await self.run_action(5)
        await self.run_action(double(1), attempts=3)


@workflow
class UnfinishedFeatures(Workflow):
    async def run(self):
        self.set_tag("a", "b")
        await self.wait_event("go")


@workflow
class SuperOutside(Workflow):
    async def run(self):
        parent = super()
        return parent


@workflow
class StrangeClass(Workflow):
    async def run(self):
        return Strange()


@workflow
class MetaclassAttribute(Workflow):
    handler = print
    ready = Strange()

    async def run(self):
        return self.handler, self.ready


@workflow
class MethodOfAnotherClass(Workflow):
    async def run(self):
        return Odd(await double(2)).half()


@workflow
class MembersThatAreObjects(Workflow):
    async def run(self):
        odd = Odd(await double(2))
        return odd.squared, odd.Kind.A, odd.got, odd.plus10()


class Rules:
    LIMIT = 3

    @staticmethod
    def limited(x):
        return x

    @staticmethod
    def least(x):
        return min(x, Rules.LIMIT)


@workflow
class BaseByName(Rules, Workflow):
    async def run(self):
        def inner():
            return Rules.LIMIT

        return Rules.limited(5) + self.least(4) + self.named() + inner()

    @classmethod
    def named(cls):
        return Rules.LIMIT


@workflow
class ClassOfTheWorkflow(Workflow):
    class Mode(enum.Enum):
        FAST = 1

    async def run(self):
        return self.Mode.FAST


def plain(x):
    return x


@workflow
class FunctionTakenForMethod(Workflow):
    helper = staticmethod(plain)

    async def run(self):
        return self.helper(1)


class Defaults(NamedTuple):
    x: int = 1


@workflow
class FieldDefaults(Workflow):
    CAUGHT = (KeyError, Strange)

    async def run(self):
        try:
            return Defaults._field_defaults
        except self.CAUGHT:
            return None


@workflow
class AnyModel(Workflow):
    async def run(self):
        return isinstance(1, BaseModel)


@dataclass
class Check(ABC):
    name: str

    @abstractmethod
    def passes(self, n): ...


@workflow
class MakesAnAbstractClass(Workflow):
    async def run(self):
        kind = Check
        return Check("a").passes(1), kind("b")


@workflow
class LooksForItsOwnMethods(Workflow):
    async def run(self, kind="paid"):
        return await getattr(self, f"on_{kind}", self.on_other)()

    async def on_paid(self):
        return await double(1)

    async def on_other(self):
        return await double(2)


@workflow
class AttributesThatShare(Workflow):
    ROW = [1]
    ROWS = [ROW, ROW]

    async def run(self):
        self.ROW.append(await double(1))
        return self.ROWS
