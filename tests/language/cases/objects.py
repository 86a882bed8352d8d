"""Objects: pydantic models, dataclasses, named tuples, enums: made, read, changed, compared, passed on."""

import dataclasses
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tests.language.steps import Colour, Point, User, double, echo, move, note, paint, user
from waymark import Workflow, workflow


class Address(BaseModel):
    street: str
    zip: str = "0000"


class Person(BaseModel):
    name: str
    age: int = Field(default=18, ge=0)
    address: Address | None = None
    tags: list[str] = []
    scores: dict[str, float] = Field(default_factory=dict)


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    x: int


class Strict(BaseModel):
    model_config = ConfigDict(validate_assignment=True, extra="forbid")
    n: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    n: int


class Child(Person):
    parent: str = "p"


class WithMethods(BaseModel):
    base: int
    items: list[int] = []

    def total(self, extra=0):
        return self.base + sum(self.items) + extra

    @property
    def doubled(self):
        return self.base * 2

    def grow(self):
        self.items.append(self.base)
        return self


@dataclass
class Item:
    name: str
    price: float = 1.0
    tags: list = field(default_factory=list)

    def label(self, prefix=""):
        return f"{prefix}{self.name}@{self.price}"

    @property
    def expensive(self):
        return self.price > 10


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int = 0


@dataclass(slots=True, kw_only=True)
class Slotted:
    a: int
    b: str = "b"


@dataclass
class Special(Item):
    level: int = 3


class Pair(NamedTuple):
    left: int
    right: str = "r"


Old = namedtuple("Old", "a b", defaults=[5])


class Level(IntEnum):
    LOW = 1
    HIGH = 10


class Mode(StrEnum):
    ON = "on"
    OFF = "off"


class Perm(Flag):
    R = 1
    W = 2


class Shape(Enum):
    SQUARE = (4, "four")
    LINE = (2, "two")

    def sides(self):
        return self.value[0]


@workflow
class ModelBasics(Workflow):
    async def run(self):
        p = Person(name="ann", address=Address(street="s"))
        p.age = await double(20)
        p.tags.append("x")
        p.address.zip = "1234"
        q = Person(name="bob", age="7", scores={"a": 1})
        return p, q, p.name, q.age, q.scores["a"], p == q, p == Person(**p.model_dump()), p.tags is q.tags


@workflow
class ModelFromAction(Workflow):
    async def run(self):
        u = await user(2)
        u.tags.append("b")
        u.name += "!"
        v = await echo(u)
        return u, v, u == v, u is v, isinstance(v, User), [x.id for x in [u, v]]


@workflow
class ModelValidation(Workflow):
    async def run(self):
        out = []
        for data in ({"name": 5}, {}, {"name": "x", "age": -1}, {"name": "x", "age": "abc"}):
            try:
                out.append(Person(**data))
            except ValidationError as e:
                out.append(str(e).splitlines()[:2])
            except ValueError:
                out.append("never")
        return out


@workflow
class ModelCopyAndDump(Workflow):
    async def run(self):
        p = Person(name="a", tags=["t"], address=Address(street="s"))
        shallow = p.model_copy()
        deep = p.model_copy(deep=True)
        changed = p.model_copy(update={"name": "b"})
        p.tags.append("u")
        return [
            shallow.tags,
            deep.tags,
            changed.name,
            p.model_dump(),
            p.model_dump(exclude={"scores"}) if False else p.model_dump(exclude_none=True),
            p.model_dump(exclude_unset=True),
            p.model_dump_json(),
            Person.model_validate({"name": "v"}),
        ]


@workflow
class FrozenModel(Workflow):
    async def run(self):
        f = Frozen(x=1)
        try:
            f.x = 2
        except ValidationError as e:
            first = e.errors()[0]["type"] if False else str(e).splitlines()[0]
        return f.x, first, f == Frozen(x=1), {f: 1}[Frozen(x=1)]


@workflow
class StrictModel(Workflow):
    async def run(self):
        s = Strict(n=1)
        out = []
        s.n = "5"
        out.append(s.n)
        try:
            s.n = "abc"
        except ValueError as e:
            out.append(type(e).__name__)
        try:
            s.other = 1
        except ValueError as e:
            out.append(str(e).splitlines()[0])
        try:
            Strict(n=1, m=2)
        except ValueError as e:
            out.append(str(e).splitlines()[1])
        return out, s


@workflow
class OpenModel(Workflow):
    async def run(self):
        o = Open(n=1, extra="e")
        o.more = [1]
        p = await echo(o)
        return o.extra, p.more, p.model_dump(), o == p


@workflow
class ModelMissingAttribute(Workflow):
    async def run(self):
        p = Person(name="a")
        out = []
        try:
            p.nothing
        except AttributeError as e:
            out.append(str(e))
        try:
            p.nothing = 1
        except ValueError as e:
            out.append(str(e))
        return out


@workflow
class ModelInheritance(Workflow):
    async def run(self):
        c = Child(name="kid", parent="mum")
        return c, isinstance(c, Person), await echo(c), c.model_dump(), type(c).__name__


@workflow
class ModelMethods(Workflow):
    async def run(self):
        w = WithMethods(base=2, items=[1])
        a = w.total()
        b = w.total(extra=await double(5))
        w.grow().grow()
        back = await echo(w)
        return a, b, w.items, w.doubled, back.total(1), back.doubled


@workflow
class ModelRepr(Workflow):
    async def run(self):
        p = Person(name="a", address=Address(street="s"))
        return repr(p), str(p), f"{p.address}", f"{p!r:.10}"


@workflow
class DataclassBasics(Workflow):
    async def run(self):
        i = Item("pen", price=2.5)
        j = Item("pen", 2.5)
        i.tags.append(1)
        j.price += await double(3)
        return i, j, i == j, Item("pen") == Item("pen"), repr(i), i.tags, j.tags, isinstance(i, Item)


@workflow
class DataclassMethods(Workflow):
    async def run(self):
        i = Item("pen", 20.0)
        back = await echo(i)
        return i.label(), i.label(prefix=await note(">")), i.expensive, back.label("<"), back.expensive


@workflow
class DataclassErrors(Workflow):
    async def run(self):
        out = []
        try:
            Item()
        except TypeError as e:
            out.append(str(e))
        try:
            Item("a", 1, [], 4)
        except TypeError as e:
            out.append(str(e))
        try:
            Item("a", cost=1)
        except TypeError as e:
            out.append(str(e))
        try:
            Slotted(1)
        except TypeError as e:
            out.append(str(e))
        try:
            Version(1) < 5
        except TypeError as e:
            out.append(str(e))
        try:
            Item("a") < Item("b")
        except TypeError as e:
            out.append(str(e))
        try:
            Item("a").nope
        except AttributeError as e:
            out.append(str(e))
        return out


@workflow
class FrozenDataclass(Workflow):
    async def run(self):
        v = Version(1, 2)
        out = []
        try:
            v.minor = 3
        except AttributeError as e:
            out.append((type(e).__name__, str(e)))
        try:
            del v.minor
        except AttributeError as e:
            out.append((type(e).__name__, str(e)))
        d = {v: "one"}
        return out, d[Version(1, 2)], sorted([Version(2), v, Version(1)]), v < Version(1, 3), max(v, Version(0)), v == (1, 2)


@workflow
class DataclassReplace(Workflow):
    async def run(self):
        v = dataclasses.replace(Version(1, 2), minor=await double(4))
        i = dataclasses.replace(Item("a", tags=[1]), name="b")
        try:
            dataclasses.replace(v, nope=1)
        except TypeError as e:
            error = str(e)
        return v, i, error, dataclasses.asdict(i), dataclasses.astuple(v)


@workflow
class SlottedDataclass(Workflow):
    async def run(self):
        s = Slotted(a=1)
        s.b = "c"
        try:
            s.c = 1
        except AttributeError as e:
            return s, str(e)


@workflow
class DataclassExtraAttribute(Workflow):
    async def run(self):
        p = Point(1)
        p.z = 5
        return p.z, p


@workflow
class DataclassInheritance(Workflow):
    async def run(self):
        s = Special("x", level=9)
        return s, s.label(), isinstance(s, Item), await echo(s)


@workflow
class DataclassThroughAction(Workflow):
    async def run(self):
        p = Point(1, 2)
        q = await move(p, dx=5)
        r = await move({"x": 7})
        return p, q, r, [a.x + a.y for a in (p, q, r)]


@workflow
class NamedTuples(Workflow):
    async def run(self):
        p = Pair(1, right=await note("z"))
        a, b = p
        o = Old(1)
        q = p._replace(left=9)
        back = await echo(p)
        out = [p.left, p[1], a, b, o.b, q, p._asdict(), p == (1, "z"), len(p), back.right, p + (3,), sorted([q, p]), repr(p), list(p)]
        try:
            p.left = 5
        except AttributeError as e:
            out.append(str(e))
        try:
            Pair()
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class Enums(Workflow):
    async def run(self):
        c = Colour.RED
        d = await paint(c)
        out = [
            c, d, c.name, c.value, d is Colour.GREEN, c == Colour("red"), Colour["GREEN"], c in (Colour.RED,), c != d,
            repr(c), str(c), f"{c}", {c: 1}[Colour.RED], [m.name for m in Colour], len(Colour), isinstance(c, Colour), list(Colour),
        ]
        try:
            Colour("blue")
        except ValueError as e:
            out.append(str(e))
        try:
            Colour["BLUE"]
        except KeyError as e:
            out.append(str(e))
        try:
            c < d
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class MixedEnums(Workflow):
    async def run(self):
        return [
            Level.LOW + 1, Level.HIGH > Level.LOW, Level(10), Level.LOW == 1, f"{Level.LOW}", f"{Level.HIGH:>4}", max(Level), sorted([Level.HIGH, 3, Level.LOW]),
            Mode.ON == "on", Mode.ON.upper(), f"{Mode.OFF}!", Mode("off"), "o" in Mode.ON,
            Perm.R | Perm.W, Perm.R in (Perm.R | Perm.W), (Perm.R | Perm.W) & Perm.W, Perm(3), bool(Perm.R & Perm.W), ~Perm.R,
            await echo([Level.HIGH, Mode.ON, Perm.R]),
        ]


@workflow
class EnumMethods(Workflow):
    async def run(self):
        return Shape.SQUARE.sides(), [s.sides() for s in Shape], Shape.LINE.value, Shape((2, "two")).name


@workflow
class NestedObjects(Workflow):
    async def run(self):
        data = {"people": [Person(name="a"), Person(name="b")], "at": {Version(1): Pair(1)}, "set": {Colour.RED}}
        back = await echo(data)
        back["people"][0].address = Address(street="new")
        back["people"][0].address.zip += "9"
        return data, back, data == back, back["at"][Version(1)].left


@workflow
class IsInstance(Workflow):
    async def run(self):
        values = [1, True, "a", 1.5, None, [1], (1,), {}, {1}, Person(name="x"), Item("i"), Pair(1), Colour.RED, Level.LOW, ValueError("v"), date(2024, 1, 1), Decimal("1")]
        kinds = [int, str, (list, tuple), dict, set, Person, Item, Pair, Colour, Exception, object, date, Decimal, bool, float]
        return [[isinstance(v, k) for k in kinds] for v in values], issubclass(Child, Person), issubclass(Level, int)


@workflow
class TypeNames(Workflow):
    async def run(self):
        values = [1, "a", None, [], {1}, Person(name="x"), Item("i"), Pair(1), Colour.RED, KeyError(), date(2024, 1, 1)]
        return [type(v).__name__ for v in values], type(1) is int, type([]) == list, type(Person(name="y")) is Person


@workflow
class AttributeTricks(Workflow):
    async def run(self):
        p = Person(name="a")
        return hasattr(p, "name"), hasattr(p, "nope"), getattr(p, "age"), getattr(p, "nope", "dflt"), hasattr("x", "upper"), getattr(Pair(3), "left")


@workflow
class ObjectsInLoops(Workflow):
    async def run(self):
        people = [Person(name=n, age=a) for n, a in (("c", 3), ("a", 9), ("b", 5))]
        people.sort(key=lambda p: p.name)
        oldest = max(people, key=lambda p: p.age)
        oldest.tags = [await note(p.name) for p in people if p is not oldest]
        total = sum(p.age for p in people)
        return people, oldest, total, {p.name: p for p in people}["b"].age, [p.name for p in people if p.age > 4]


@workflow
class AugmentedAttributes(Workflow):
    async def run(self):
        i = Item("a")
        i.price += await double(2)
        i.tags += ["x"]
        i.name *= 2
        p = Person(name="q")
        p.scores["k"] = 1.5
        p.scores["k"] -= 1
        p.tags += [await note("t")]
        return i, p
