"""Named tuples with methods: classes over `namedtuple("Name", …)` of the same name and of another."""

from collections import namedtuple
from typing import NamedTuple

from tests.language.steps import echo, note
from waymark import Workflow, action, workflow


class Place(namedtuple("Place", "x y", defaults=[0])):
    __slots__ = ()

    def norm(self):
        return self.x**2 + self.y**2

    @property
    def swapped(self):
        return type(self)(self.y, self.x)

    @classmethod
    def origin(cls):
        return cls(0, 0)

    def __str__(self):
        return f"({self.x}|{self.y})"


class Higher(Place):
    def norm(self):
        return super().norm() + 1


class Other(namedtuple("_Other", ["a", "b"])):
    __slots__ = ()

    def total(self):
        return self.a + self.b


class Typed(NamedTuple):
    a: int
    b: list[int] = []

    def total(self):
        return self.a + sum(self.b)


@action
async def locate(x: int) -> Place:
    return Place(x, x + 1)


@workflow
class ANamedTupleOverItsOwnName(Workflow):
    async def run(self):
        p = Place(3, 4)
        log = [p, p.norm(), p.swapped, Place.origin(), str(p), repr(p), p == (3, 4), p._asdict(), Place(1)]
        q = await locate(2)
        log += [q, q.norm(), q._replace(y=9), q._fields, isinstance(q, Place), Place._make([5, 6]), {q: 1}[2, 3]]
        match await echo(q):
            case Place(x, y=b):
                log.append((x, b))
        return log


@workflow
class NamedTuplesOverOthers(Workflow):
    async def run(self):
        h = await echo(Higher(1, 2))
        await note(str(h))
        return Higher._fields, Other._fields, Typed._fields, h, h.norm(), h.swapped, isinstance(h, Place), Other(1, 2).total(), Typed(1, [2, 3]).total(), Other(b=1, a=2)


@workflow
class ANamedTupleAsInput(Workflow):
    async def run(self, place: Place = Place(7, 8)):  # noqa: B008 - it is immutable
        try:
            place.x = 3
        except AttributeError as e:
            return place.norm(), type(e).__name__, sorted([place, Place(1, 1), Higher(1)])
