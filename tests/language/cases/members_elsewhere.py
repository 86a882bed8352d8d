"""Members of classes that are no `def` in their place: lambdas, functions of a module, one method under two names."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property, partialmethod
from typing import ClassVar, NamedTuple

from pydantic import BaseModel

from tests.language.steps import echo, note
from waymark import Workflow, workflow

STEP = 3


def scaled(self, by=2, *, plus=0):
    """A method of several classes."""
    return self.n * by + plus + STEP


def described(self):
    return f"{type(self).__name__} {self.n}"


@dataclass
class Piece:
    n: int = 1
    tripled = lambda self: self.n * 3  # noqa: E731 - what is tested
    scaled = scaled
    hundred = property(lambda self: self.n + 100)
    shown = property(described)
    __str__ = described
    __repr__ = lambda self, *, mark="p": f"<{mark} {self.n}>"  # noqa: E731 - what is tested
    plain = staticmethod(lambda x, y=STEP: x + y)
    made = classmethod(lambda cls, n: cls(n))

    less, more = lambda self: self.n - 1, lambda self: self.n + 1

    class Kind(Enum):
        A = 1

    @cached_property
    def squared(self):
        return self.n**2

    def base(self, a, b=2):
        return self.n + a + b

    plus10 = partialmethod(base, 10)

    alias = base


class Lot(BaseModel):
    n: int = 1
    tripled: ClassVar = lambda self: [each for each in range(self.n) if (lambda: each < self.n)()]  # noqa: E731
    scaled = scaled
    shown = property(described)


class Fault(Exception):
    n = 4
    scaled = scaled
    tripled = lambda self: self.args * 3  # noqa: E731 - what is tested
    __str__ = described


class Slotted(Exception):
    __slots__ = ("n", "more")

    def __init__(self, n):
        super().__init__(n)
        self.n, self.more = n, [n]

    scaled = scaled


class Grade(Enum):
    LOW = 1
    HIGH = 2
    label = property(lambda self: self.name.title())

    def _next(self):
        return Grade.HIGH

    following = _next


class Pair(NamedTuple):
    n: int = 1
    tripled = lambda self: self.n * 3  # noqa: E731 - what is tested
    scaled = scaled


@workflow
class LambdasAsMembers(Workflow):
    async def run(self):
        log = []
        for each in (Piece(2), Lot(n=2), Fault("a"), Pair(5), await echo(Piece(3))):
            await note("next")
            log.append((each.tripled(), each.scaled(), each.scaled(3, plus=1)))
        return log


@workflow
class PropertiesOfLambdas(Workflow):
    async def run(self):
        p = Piece(await echo(7))
        print(p, [p])
        return p.hundred, p.shown, Lot().shown, Grade.LOW.label, Grade.LOW.following(), [x.label for x in Grade]


@workflow
class OneMethodUnderTwoNames(Workflow):
    async def run(self):
        p = Piece.made(4)
        f = p.alias
        return p.alias(1), f(1, b=5), p.base(1), p.less(), p.more(), Piece.plain(1), p.plain(2, 3), str(p), f"{p!r}", str(Fault(1))


@workflow
class WrongArgumentsOfALambda(Workflow):
    async def run(self):
        log = []
        for wrong in (lambda: Piece().tripled(1), lambda: Piece().scaled(1, 2), lambda: Pair().scaled(more=1)):
            try:
                log.append(wrong())
            except TypeError as e:
                log.append(str(e))
        return log


@workflow
class SlotsOfAFailure(Workflow):
    async def run(self):
        try:
            raise Slotted(await echo(4))
        except Slotted as e:
            return e.n, e.more, e.scaled(), hasattr(e, "more"), hasattr(e, "fewer")


@workflow
class MembersThatAreThere(Workflow):
    async def run(self):
        p = await echo(Piece(2))
        names = ("n", "Kind", "squared", "plus10", "alias", "shown", "missing")
        return [name for name in names if hasattr(p, name)], Piece.Kind.A, hasattr(Lot(), "squared")
