"""Properties that cannot be set, and cached ones that cannot be kept."""

import operator
import os
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from pydantic import BaseModel, computed_field

from tests.language.steps import double
from waymark import Workflow, workflow


class Doubling:
    def __get__(self, owner, kind=None):
        return self if owner is None else owner.n * 2

    def __set__(self, owner, value):
        owner.n = value // 2


@dataclass
class Gauge:
    n: int = 0

    @property
    def level(self):
        return self.n

    @level.setter
    def level(self, value):
        self.n = value

    @property
    def traced(self):
        return self.n

    @traced.setter
    def traced(self, value):
        self.n = value + os.getpid()

    def _get(self):
        return self.n

    stored = property(_get, operator.setitem)


@dataclass
class Described:
    n: int = 0
    doubled = Doubling()


@dataclass(slots=True)
class Narrow:
    n: int = 0

    @cached_property
    def kept(self):
        return [self.n]


class Area(BaseModel):
    width: int

    @computed_field
    @cached_property
    def size(self) -> int:
        return self.width**2


@dataclass
class Sized:
    size: int


@dataclass
class Bounded(Sized):
    @property
    def size(self):
        return self.kept

    @size.setter
    def size(self, value):
        self.kept = min(value, 9)


@dataclass
class Wagon:
    wheels: int
    held: int = field(init=False, repr=False)

    @property
    def wheels(self):
        return self.held

    @wheels.setter
    def wheels(self, value):
        self.held = value


class Tone(Enum):
    LOW = 1

    @cached_property
    def names(self):
        return [self.name]


@workflow
class SetterThatDoesMore(Workflow):
    async def run(self):
        gauge = Gauge()
        gauge.traced = await double(1)
        return gauge.n


@workflow
class SetterThatIsNoFunction(Workflow):
    async def run(self):
        gauge = Gauge()
        gauge.stored = await double(1)
        return gauge.n


@workflow
class SetsPastTheClass(Workflow):
    async def run(self):
        gauge = Gauge()
        object.__setattr__(gauge, "level", await double(1))
        return gauge.n


@workflow
class SetsADescriptor(Workflow):
    async def run(self):
        described = Described()
        described.doubled = await double(1)
        return described.n


@workflow
class PropertyOfTheWorkflow(Workflow):
    @property
    def level(self):
        return 1

    @cached_property
    def found(self):
        return [1]

    async def run(self):
        self.level = await double(1)
        return self.found


@workflow
class CachedWithoutAPlace(Workflow):
    async def run(self):
        return Narrow(await double(1)).kept, Area(width=2).size, Tone.LOW.names


@workflow
class PropertiesOverFields(Workflow):
    async def run(self):
        wagon = Wagon(wheels=await double(2))
        wagon.wheels = 6
        return Bounded(1).size, wagon.wheels
