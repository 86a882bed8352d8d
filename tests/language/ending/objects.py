"""What objects and functions cannot do here ends the instance, whatever its code tries to catch."""

import asyncio
from dataclasses import asdict, dataclass
from functools import cached_property

from pydantic import BaseModel, computed_field, field_validator

from tests.language.steps import Foreign, echo, foreign, note
from waymark import Workflow, workflow


class Doubling(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def doubled(cls, value):
        return value * 2


class Assigned(BaseModel):
    model_config = {"validate_assignment": True}
    n: int

    @field_validator("n")
    @classmethod
    def doubled(cls, value):
        return value * 2


class Showing(BaseModel):
    n: int

    @computed_field
    @property
    def twice(self) -> int:
        return self.n * 2


@dataclass
class Making:
    n: int

    def __add__(self, other):
        return Doubling(n=self.n)


@dataclass
class Hashing:
    n: int

    def __eq__(self, other):
        return self.n == other.n

    def __hash__(self):
        return hash(self.n)


@dataclass
class Endless:
    def __iter__(self):
        while True:
            yield 1


@dataclass
class Compared(Exception):
    n: int


@workflow
class DataclassExceptionsCompared(Workflow):
    async def run(self):
        try:
            raise Compared(1)
        except Compared as e:
            return e == Compared(await echo(1))
        finally:
            await note("finally")


@workflow
class OpaqueInsideAnOperator(Workflow):
    async def run(self):
        try:
            return Making(1) + 1
        except BaseException:
            return "caught"
        finally:
            await note("finally")


@workflow
class AssignmentThatValidates(Workflow):
    async def run(self):
        value = Assigned(n=1)
        try:
            value.n = 2
        finally:
            await note("finally")


@workflow
class TextOfComputedFields(Workflow):
    async def run(self):
        try:
            return str(Showing(n=1))
        except BaseException:
            await note("caught")


@workflow
class MethodOfAFailureThatIsRefused(Workflow):
    async def run(self):
        try:
            Doubling(n="x")
        except ValueError as e:
            try:
                return e.json()
            except AttributeError:
                await note("caught")


@workflow
class HashOfTheHost(Workflow):
    async def run(self):
        try:
            return {Hashing(1): 1}
        except BaseException:
            await note("caught")


@workflow
class EndlessIteration(Workflow):
    async def run(self):
        try:
            return list(Endless())
        finally:
            await note("finally")


@workflow
class EndlessGeneratorFunction(Workflow):
    async def run(self):
        def forever():
            while True:
                yield await_nothing

        await_nothing = await echo(1)
        try:
            return sorted(forever())
        finally:
            await note("finally")


@workflow
class EndlessWhenClosed(Workflow):
    async def run(self):
        def stubborn():
            try:
                yield 1
            finally:
                while True:
                    pass

        for _ in stubborn():
            break
        await note("went on")


@dataclass(repr=False)
class Nameless:
    n: int

    def __str__(self):
        return f"nameless {self.n}"


@workflow
class TextOfAnAddress(Workflow):
    async def run(self):
        try:
            log = [str(Nameless(await echo(1))), f"{Nameless(2)}"]
            log.append(str(ValueError([Nameless(3)])))
        finally:
            await note("never")
        return log


def opaque_in_the_end():
    try:
        yield 1
    finally:
        Doubling(n=1)


@workflow
class OpaqueInADroppedGenerator(Workflow):
    """Dropped in the step that goes on after an inline step."""

    async def run(self):
        log = []
        try:
            Doubling(n=await echo(1))
            log.append(next(opaque_in_the_end()))
        finally:
            log.append(1)
        Doubling(n=2)
        await note("never")
        return log


@dataclass(slots=True)
class Cart:
    prices: list[int]

    @cached_property
    def total(self):
        return sum(self.prices)


@dataclass
class Bill:
    total: int


@workflow
class CachedPropertyAmongFields(Workflow):
    async def run(self):
        log = [Bill(1).total]
        for each in (Bill(2), Cart([await echo(3)])):
            try:
                log.append(each.total)
            except Exception:
                await note("never")
        return log



class Counted(BaseModel):
    n: list[int]


def counting():
    yield 1


@workflow
class TextOfAnInputThatDoesNotFit(Workflow):
    """Its middle is left out, and what is left still shows where the generator is."""

    async def run(self):
        try:
            Counted(n=["x" * 100, {"given": counting()}])
        except ValueError as error:
            try:
                log = [f"{error}"]
            finally:
                await note("never")
            return log


@workflow
class TextOfAChangedFailure(Workflow):
    async def run(self):
        try:
            await foreign()
        except Foreign as error:
            log = [str(error)]
            error.more = 1
            try:
                log.append(str(error))
            finally:
                await note("never")
            return log


@dataclass
class Holding:
    task: object


@workflow
class FieldsThatHoldATaskAsADict(Workflow):
    async def run(self):
        task = asyncio.create_task(echo(1))
        try:
            return asdict(Holding(task))
        except BaseException:
            await note("seen")
            raise
