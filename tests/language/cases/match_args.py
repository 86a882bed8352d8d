"""Positional patterns of classes whose `__match_args__` name what is no field: properties, class attributes."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

from tests.language.steps import echo
from waymark import Workflow, workflow


@dataclass
class Summed:
    __match_args__ = ("total",)
    a: int
    b: int

    @property
    def total(self):
        return self.a + self.b


@dataclass
class Mixed:
    a: int
    b: int
    scale: ClassVar[int] = 7
    __match_args__ = ("scale", "b", "ratio")

    @property
    def ratio(self):
        if self.b == 0:
            raise AttributeError("ratio")
        return self.a / self.b


class Model(BaseModel):
    a: int
    __match_args__ = ("successor", "a")

    @property
    def successor(self):
        return self.a + 1


class Fault(Exception):
    __match_args__ = ("shown", "level")
    level = 4

    @property
    def shown(self):
        return f"{self.level}: {self}"


class Subfault(Fault):
    pass


@workflow
class PositionalProperties(Workflow):
    async def run(self):
        log = []
        for each in (Summed(1, 2), Mixed(1, 2), Mixed(3, 0), Model(a=1), Fault("f"), await echo(Subfault("s")), 5):
            match each:
                case Summed(3 as total):
                    log.append(total)
                case Mixed(scale, 2, ratio):
                    log.append((scale, ratio))
                case Mixed(scale, b):
                    log.append((scale, b))
                case Model(after, before):
                    log.append((after, before))
                case Fault(shown, level):
                    log.append((shown, level))
                case int(n):
                    log.append(n)
        return log


@workflow
class PositionalPropertiesOfACaughtOne(Workflow):
    async def run(self):
        try:
            raise Subfault(await echo("x"))
        except Fault as e:
            match [e, Summed(2, 2)]:
                case [Fault(text), Summed(4)]:
                    return text
                case _:
                    return "no"
