"""Attributes of instances that have the name of a method, or a static or class method, of their class."""

from dataclasses import dataclass
from typing import Any

from tests.language.steps import double, echo
from waymark import Workflow, workflow


@dataclass
class Vector:
    x: int
    y: int = 0

    def norm(self):
        return self.x + self.y

    def twice(self):
        return 2 * self.norm()

    @staticmethod
    def zero():
        return 0

    @classmethod
    def unit(cls):
        return cls(1)

    @property
    def size(self):
        return self.norm()


class Refused(Exception):
    def reason(self):
        return "none"


@workflow
class MethodsOverwrittenByValues(Workflow):
    async def run(self):
        p, q = Vector(1, 2), Vector(3, 4)
        log: list[Any] = [p.norm()]
        p.norm = 5
        log += [p.norm, q.norm()]
        try:
            log.append(p.norm())
        except TypeError as e:
            log.append(str(e))
        try:
            log.append(p.twice())
        except TypeError as e:
            log.append(str(e))
        return log


@workflow
class MethodsOverwrittenByFunctions(Workflow):
    async def run(self):
        p = Vector(1, 2)
        p.norm = lambda: [p.x]
        log = [p.norm(), p.twice(), p.size, await echo(p.norm())]
        p.norm, p.zero, p.unit = double, lambda: "zero", lambda *a: a
        log += [await p.norm(4), p.zero(), Vector.zero(), p.unit(1), Vector.unit()]
        del p.norm
        return [*log, p.norm(), p.size]


@workflow
class MethodsOverwrittenAcrossCalls(Workflow):
    async def run(self):
        p = Vector(1, 2)
        bound = p.norm
        p.norm = 7
        await echo(1)
        log = [p.norm, bound(), hasattr(p, "norm"), getattr(p, "norm", None)]
        e = Refused()
        e.reason = lambda: "told"
        await echo(2)
        return [*log, e.reason(), Refused().reason()]
