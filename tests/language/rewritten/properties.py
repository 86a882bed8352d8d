"""What to write instead of ``tests.language.rejected.properties``."""

from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, computed_field

from tests.language.steps import double
from waymark import Workflow, workflow


@dataclass
class Gauge:
    n: int = 0

    @property
    def level(self):
        return self.n

    @level.setter
    def level(self, value):
        self.n = value


@dataclass
class Described:
    n: int = 0

    @property
    def doubled(self):
        return self.n * 2

    @doubled.setter
    def doubled(self, value):
        self.n = value // 2


@dataclass(slots=True)
class Narrow:
    n: int = 0

    @property
    def kept(self):
        return [self.n]


class Area(BaseModel):
    width: int

    @computed_field
    @property
    def size(self) -> int:
        return self.width**2


@dataclass
class Bounded:
    kept: int

    @property
    def size(self):
        return self.kept

    @size.setter
    def size(self, value):
        self.kept = min(value, 9)


@dataclass
class Wagon:
    held: int

    @property
    def wheels(self):
        return self.held

    @wheels.setter
    def wheels(self, value):
        self.held = value


class Tone(Enum):
    LOW = 1

    @property
    def names(self):
        return [self.name]


@workflow
class SetterThatDoesMoreRewritten(Workflow):
    async def run(self):
        gauge = Gauge()
        gauge.n = await double(1)
        return gauge.n


@workflow
class SetterThatIsNoFunctionRewritten(Workflow):
    async def run(self):
        gauge = Gauge()
        gauge.n += await double(1)
        return gauge.n


@workflow
class SetsPastTheClassRewritten(Workflow):
    async def run(self):
        gauge = Gauge()
        gauge.level = await double(1)
        return gauge.n


@workflow
class SetsADescriptorRewritten(Workflow):
    async def run(self):
        described = Described()
        described.doubled = await double(1)
        return described.n


@workflow
class PropertyOfTheWorkflowRewritten(Workflow):
    value = 1

    @property
    def level(self):
        return self.value

    def found(self):
        return [self.value]

    async def run(self):
        self.value = await double(1)
        return self.found()


@workflow
class CachedWithoutAPlaceRewritten(Workflow):
    async def run(self):
        return Narrow(await double(1)).kept, Area(width=2).size, Tone.LOW.names


@workflow
class PropertiesOverFieldsRewritten(Workflow):
    async def run(self):
        wagon = Wagon(await double(2))
        wagon.wheels = 6
        return Bounded(1).size, wagon.wheels
