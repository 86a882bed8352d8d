"""In place of shapes of workflows and calls that cannot be compiled."""

import enum
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from tests.language.steps import double, note
from waymark import RetryPolicy, Workflow, workflow


@dataclass
class Plain:
    x: int = 1


@workflow
class UnknownDecoratorRewritten(Workflow):
    async def run(self):
        self.kept = None
        return self.cached(), self.cached()

    def cached(self):
        if self.kept is None:
            self.kept = 1
        return self.kept


@workflow
class RunActionWrongRewritten(Workflow):
    async def run(self):
        one = await self.run_action(double(1), retry=RetryPolicy(attempts=2))
        return one, await self.helper()

    async def helper(self):
        return await self.run_action(double(2), timeout=5)


@workflow
class UnfinishedFeaturesRewritten(Workflow):
    async def run(self):
        return await note("go")


class Parent(Workflow):
    def described(self):
        return "parent"


@workflow
class SuperOutsideRewritten(Parent):
    async def run(self):
        return super().described()


@workflow
class StrangeClassRewritten(Workflow):
    async def run(self):
        return Plain(await double(1))


@workflow
class MetaclassAttributeRewritten(Workflow):
    ready = True

    async def run(self):
        self.handled(self.ready)
        return self.ready

    def handled(self, what):
        print(what)


def half(self):
    return self.n // 2


@dataclass
class Even:
    n: int
    half = half

    class Kind(Enum):
        A = 1

    @property
    def squared(self):
        return self.n**2

    got = property(lambda self: self.n)

    def plus10(self):
        return self.n + 10


@workflow
class MethodOfAnotherClassRewritten(Workflow):
    async def run(self):
        return Even(await double(2)).half()


@workflow
class MembersThatAreObjectsRewritten(Workflow):
    async def run(self):
        even = Even(await double(2))
        return even.squared, Even.Kind.A, even.got, even.plus10()


LIMIT = 3


class Rules:
    LIMIT = 3

    @staticmethod
    def limited(x):
        return x

    @staticmethod
    def least(x):
        return min(x, LIMIT)


@workflow
class BaseByNameRewritten(Rules, Workflow):
    async def run(self):
        def inner():
            return self.LIMIT

        return self.limited(5) + self.least(4) + self.named() + inner()

    @classmethod
    def named(cls):
        return cls.LIMIT


@workflow
class ClassOfTheWorkflowRewritten(Workflow):
    class Mode(enum.Enum):
        FAST = 1

    async def run(self):
        return ClassOfTheWorkflowRewritten.Mode.FAST


def plain(x):
    return x


@workflow
class FunctionTakenForMethodRewritten(Workflow):
    async def run(self):
        return plain(1), self.helper(2)

    def helper(self, x):
        return plain(x)


DEFAULTS = {"x": 1}


@workflow
class FieldDefaultsRewritten(Workflow):
    async def run(self):
        caught = (KeyError, IndexError)
        try:
            return DEFAULTS["x"], DEFAULTS["y"]
        except caught as error:
            return repr(error)


class Order(BaseModel):
    number: int


class Item(BaseModel):
    name: str


@workflow
class AnyModelRewritten(Workflow):
    async def run(self):
        return [isinstance(x, (Order, Item)) for x in (1, Order(number=1))]


@dataclass
class Check(ABC):
    name: str

    @abstractmethod
    def passes(self, n): ...


@dataclass
class IsSmall(Check):
    def passes(self, n):
        return n < 10


@workflow
class MakesAnAbstractClassRewritten(Workflow):
    async def run(self):
        kind = IsSmall
        return IsSmall("a").passes(1), kind("b")


@workflow
class LooksForItsOwnMethodsRewritten(Workflow):
    async def run(self, kind="paid"):
        return await {"paid": self.on_paid}.get(kind, self.on_other)()

    async def on_paid(self):
        return await double(1)

    async def on_other(self):
        return await double(2)


ROW = [1]
ROWS = [ROW, ROW]


@workflow
class AttributesThatShareRewritten(Workflow):
    async def run(self):
        ROW.append(await double(1))
        return ROWS
