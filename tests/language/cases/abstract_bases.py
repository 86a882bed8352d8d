"""Abstract bases of dataclasses and models: asked for, matched and inherited from."""

import abc
from abc import ABC, abstractmethod
from dataclasses import dataclass

from pydantic import BaseModel

from tests.language.steps import double, echo
from waymark import Workflow, workflow


@dataclass
class Step(ABC):
    name: str

    @abstractmethod
    def apply(self, n): ...

    @property
    @abstractmethod
    def label(self) -> str: ...

    @classmethod
    def make(cls, *args):
        return cls(*args)

    @classmethod
    def parse(cls, text):
        name, by = text.split()
        return Scale(name, int(by))

    @staticmethod
    def named(names):
        return [Shift(name) for name in names]

    def twice(self, n):
        return self.apply(self.apply(n))


@dataclass
class Scale(Step):
    by: int = 2

    def apply(self, n):
        return n * self.by

    @property
    def label(self):
        return "scale"


@dataclass
class Shift(Step):
    by: int = 1

    def apply(self, n):
        assert super().apply(n) is None
        return n + self.by

    @property
    def label(self):
        return f"shift by {self.by}"


class Task(BaseModel, ABC):
    n: int

    @abc.abstractmethod
    async def go(self):
        """Do it."""


class Doubling(Task):
    async def go(self):
        return await double(self.n)


@workflow
class AbstractBases(Workflow):
    async def run(self):
        n, seen = 1, []
        steps: list[Step] = [Scale("a", 3), Shift.make("b"), Step.parse("c 2"), *Step.named("d")]
        for step in steps:
            n = step.apply(n)
            seen.append((step.label, step.twice(2), isinstance(step, Step), isinstance(step, (Task, Shift)), issubclass(type(step), Step)))
            match step:
                case Step(name="a"):
                    seen.append("matched")
        back = await echo(Scale("z"))
        return n, seen, await Doubling(n=3).go(), isinstance(Doubling(n=1), Task), back.twice(1)
