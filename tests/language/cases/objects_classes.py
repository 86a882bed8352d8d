"""Classes of values: enums of every kind, generics, validators, serializers, computed fields, private attributes."""

import dataclasses
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum, Flag, IntFlag, auto
from typing import ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, PrivateAttr, computed_field, field_serializer, field_validator

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow

T = TypeVar("T")


class Color(Enum):
    RED = 1
    GREEN = 2
    CRIMSON = 1

    def pretty(self):
        return self.name.title()

    @property
    def hot(self):
        return self is Color.RED

    @classmethod
    def default(cls):
        return cls.RED

    @staticmethod
    def parse(text):
        return Color[text.upper()]


class Planet(Enum):
    EARTH = (6, 2)
    MARS = (3, 4)

    def __init__(self, mass, radius):
        self.mass = mass
        self.radius = radius

    def gravity(self):
        return self.mass / self.radius


class Lenient(Enum):
    YES = "yes"
    NO = "no"

    @classmethod
    def _missing_(cls, value):
        return cls.YES if value in {"y", "1"} else None


class Access(Flag):
    READ = auto()
    WRITE = auto()
    RUN = auto()
    EDIT = READ | WRITE


class Bits(IntFlag):
    A = 1
    B = 2


class Part(BaseModel):
    x: int = 1


class Whole(BaseModel):
    part: Part
    when: date = date(2020, 1, 1)
    price: Decimal = Decimal("1.50")
    many: list[Part] = []
    kind: Color = Color.RED


class Crate(BaseModel, Generic[T]):
    item: T
    label: str = ""

    def named(self):
        return f"{self.label}:{self.item}"


@dataclass
class Couple(Generic[T]):
    left: T
    right: T


class Computed(BaseModel):
    a: int

    @computed_field
    @property
    def twice(self) -> int:
        return self.a * 2


class Checked(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def positive(cls, v):
        if v < 0:
            raise ValueError("negative")
        return v * 10

    def half(self):
        return self.n // 2


class Shown(BaseModel):
    n: int

    @field_serializer("n")
    def text(self, v):
        return f"n{v}"


class Around(BaseModel):
    inner: Checked
    anything: object = None


@dataclass
class Node:
    v: int
    kids: list["Node"] = field(default_factory=list)
    KIND: ClassVar[str] = "node"

    def total(self):
        return self.v + sum(k.total() for k in self.kids)

    def walk(self):
        yield self.v
        for k in self.kids:
            yield from k.walk()

    @classmethod
    def of(cls, *vs):
        return cls(vs[0], [cls(v) for v in vs[1:]])

    @staticmethod
    def shifted(x):
        return x + 1

    @property
    def size(self):
        return 1 + sum(k.size for k in self.kids)

    async def fetch(self):
        return await double(self.v)


@dataclass
class Leaf(Node):
    name: str = "leaf"

    def total(self):
        return super().total() + 100


class Remembering(BaseModel):
    a: int
    _cache: dict = PrivateAttr(default_factory=dict)

    def remember(self, k, v):
        self._cache[k] = v
        return self._cache


class Spot(NamedTuple):
    x: int
    y: int = 0

    def norm(self):
        return self.x**2 + self.y**2

    @property
    def flipped(self):
        return Spot(self.y, self.x)


class AppError(Exception):
    status = 500

    def __init__(self, text, *, code=1):
        super().__init__(text)
        self.code = code

    def describe(self):
        return f"{self.status}:{self.code}:{self}"


class NotThere(AppError):
    status = 404

    def describe(self):
        return "not there " + super().describe()


@workflow
class EnumClasses(Workflow):
    async def run(self):
        out = [list(Color), [c.name for c in Color], len(Color), Color["RED"], Color(await double(1)), Color.CRIMSON]
        out += [Color.RED.pretty(), Color.GREEN.hot, Color.default(), Color.parse("green"), Color.RED in Color]
        for c in reversed(Color):
            out.append(await echo(c))
        for bad in (lambda: Color(9), lambda: Color["NO"], lambda: Color.RED < Color.GREEN):
            try:
                bad()
            except (ValueError, KeyError, TypeError) as e:
                out.append(repr(e))
        return out


@workflow
class EnumsWithCode(Workflow):
    async def run(self):
        out = [Planet.EARTH.mass, Planet.MARS.gravity(), Planet.MARS.value, [p.radius for p in Planet], Planet((3, 4))]
        await note("x")
        out += [Lenient("y"), Lenient("no"), hasattr(Planet.EARTH, "mass"), hasattr(Planet.EARTH, "weight")]
        try:
            Lenient("maybe")
        except ValueError as e:
            out.append(str(e))
        return out


@workflow
class Flags(Workflow):
    async def run(self):
        p = Access.READ | Access.WRITE
        out = [p, Access.READ in p, p & Access.WRITE, ~Access.READ, p ^ Access.READ, list(p), bool(p & Access.RUN)]
        out += [p == Access.EDIT, p is Access.EDIT, repr(p), Access(3), Bits.A | Bits.B, Bits.A | 8, p.value, p.name]
        p |= await echo(Access.RUN)
        return out, p, len(p), [f.name for f in p]


@workflow
class Dumping(Workflow):
    async def run(self):
        o = Whole(part=Part(x=await double(1)), many=[Part()])
        out = [o.model_dump(), o.model_dump(mode="json"), o.model_dump_json(), o.model_dump(exclude={"many"})]
        out += [o.model_dump(include={"part": {"x"}}), o.model_copy(update={"when": date(2021, 1, 1)})]
        deep, shallow = o.model_copy(deep=True), o.model_copy()
        out += [deep == o, deep.part is o.part, shallow.part is o.part, o.model_dump(exclude_unset=True)]
        return out, Whole.model_validate({"part": {"x": 5}}), Whole.model_validate_json('{"part": {"x": 6}}')


@workflow
class Generics(Workflow):
    async def run(self):
        a, b = Crate[int](item=await double(1), label="a"), Crate(item="x")
        out = [a.item, a.named(), b.named(), Couple(1, 2), Couple[str]("l", "r"), a.model_copy(update={"item": 5}).item]
        try:
            Crate[int](item="no")
        except ValueError as e:
            out.append(str(e).splitlines()[0])
        return out, isinstance(b, Crate), b


@workflow
class OwnCodeOfModels(Workflow):
    async def run(self):
        c = Computed(a=await double(1))
        out = [c.twice, c.model_dump(), Shown(n=1).model_dump(), Shown(n=1).model_dump_json()]
        out += [Checked(n=2), Checked(n=2).half(), Checked.model_validate({"n": 3}), Checked.model_validate_json('{"n": 4}')]
        out += [Around(inner={"n": 1}), Around(inner=Checked(n=2), anything=Shown(n=3)).model_dump()]
        out += [list(map(Checked.model_validate, [{"n": 1}, {"n": 2}])), Checked(n=1).model_copy(update={"n": -9})]
        for bad in (lambda: Checked(n=-1), lambda: Checked.model_validate({"n": -2}), lambda: Around(inner={"n": -3})):
            try:
                bad()
            except ValueError as e:
                out.append(str(e).splitlines()[:3])
        return out


@workflow
class MethodsOfEveryKind(Workflow):
    async def run(self):
        n = Node.of(1, 2, 3)
        leaf = Leaf(5, [n])
        out = [n.total(), leaf.total(), list(leaf.walk()), Node.shifted(3), n.shifted(4), leaf.size, await leaf.fetch()]
        out += [Node.KIND, n.KIND, Node.total(n), isinstance(leaf, Node), leaf, type(leaf) is Leaf, type(n).__name__]
        bound = leaf.total
        await note("held")
        return out, bound(), [hasattr(n, name) for name in ("total", "size", "v", "nope")], getattr(n, "size", 0)


@workflow
class DataclassFunctions(Workflow):
    async def run(self):
        n = Node(1, [Node(await double(1))])
        m = dataclasses.replace(n, v=9)
        out = [m, m.kids is n.kids, dataclasses.asdict(n), dataclasses.astuple(n), dataclasses.is_dataclass(n)]
        m.extra = 5
        m.v += 1
        out += [m.extra, m]
        del m.extra
        try:
            m.extra
        except AttributeError as e:
            out.append(str(e))
        return out


@workflow
class PrivateAttributes(Workflow):
    async def run(self):
        p = Remembering(a=1)
        p.remember("k", 2)
        await note("kept over a recovery")
        return p.remember("z", 3), p


@workflow
class NamedTupleParts(Workflow):
    async def run(self):
        p = Spot(await double(1), 1)
        x, y = p
        out = [p.norm(), p.flipped, p._replace(x=5), p._asdict(), Spot._make([3, 4]), p._fields, Spot._fields, x, y]
        return out, Spot(3) < Spot(4), p + (1,), p[0], max(p), p.index(1), [*p], Spot(y=1, x=2)


@workflow
class ExceptionClasses(Workflow):
    async def run(self):
        out = []
        try:
            raise NotThere("gone", code=await double(2))
        except AppError as e:
            out += [e.describe(), e.status, e.code, e.args, str(e), repr(e), isinstance(e, NotThere)]
            kept = e
        await note("kept")
        out += [kept.describe(), AppError("x").code, AppError.status]
        return out


@workflow
class FunctionsByName(Workflow):
    async def run(self):
        def f():
            return None

        kinds = {"n": Node, "p": Spot}
        made = [kinds["n"](1), kinds["p"](1, 2)]
        await note("x")
        return f.__name__, (lambda: 1).__name__, made, [type(m) is k for m, k in zip(made, kinds.values())], kinds["n"].of(4)
