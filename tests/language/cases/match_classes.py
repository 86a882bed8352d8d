"""``match`` with class patterns: builtin types, dataclasses, models, named tuples, enums, exceptions, properties."""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel

from tests.language.steps import Colour, OutOfStock, Point, User, boom, double, echo, move, note, sell, user
from waymark import Workflow, workflow


@dataclass
class Shape:
    name: str
    sides: int = field(default=0, kw_only=True)


@dataclass
class Square(Shape):
    side: float = 1.0

    @property
    def area(self):
        return self.side * self.side

    @property
    def broken(self):
        return {}["no such key"]

    @property
    def absent(self):
        raise AttributeError("computed and absent")

    def scaled(self, by):
        return Square(self.name, side=self.side * by, sides=4)


@dataclass(match_args=False)
class Opaque:
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Frozen:
    key: str
    values: tuple


@dataclass
class Picky:
    a: int
    b: int
    __match_args__ = ("b", "a")


@dataclass
class Doubled:
    a: int
    b: int
    __match_args__ = ("a", "a")


class Pair(NamedTuple):
    left: int
    right: object = None


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"
    NO = "no"


class Ticket(BaseModel):
    title: str
    owner: User | None = None

    @property
    def loud(self):
        return self.title.upper()


class WithArgs(BaseModel):
    __match_args__ = ("x",)
    x: int
    y: int = 0


@workflow
class BuiltinTypes(Workflow):
    def one(self, value):
        match value:
            case bool(b):
                return ("bool", b)
            case int(i) if i > 100:
                return ("big", i)
            case int():
                return "int"
            case float(f):
                return ("float", f)
            case str("a" | "b" as s):
                return ("letter", s)
            case str(s):
                return ("str", s)
            case bytes(b) | bytearray(b):
                return ("bytes", b)
            case list([x, *_]):
                return ("list", x)
            case tuple(t):
                return ("tuple", t)
            case dict({"k": v}):
                return ("dict", v)
            case set(s) | frozenset(s):
                return ("set", sorted(s))
            case list() | dict():
                return "empty"
        return "none"

    async def run(self):
        values = [True, 1, 1000, 1.5, "a", "c", b"x", bytearray(b"y"), [1, 2], [], (1,), {"k": 2}, {}, {2, 1}, frozenset({3}), None, deque([1]), Counter("a"), OrderedDict(k=5), range(2), Level.LOW, Word.YES, Pair(1)]
        return [self.one(v) for v in values], self.one(await double(100))


@workflow
class BoolIsAnInt(Workflow):
    async def run(self):
        out = []
        for value in (True, 1, 0, False):
            match value:
                case int(n) if n == 1 and await echo(True):
                    out.append(("one", n))
                case bool():
                    out.append("bool")
                case 0:
                    out.append("zero")
        return out


@workflow
class BuiltinSelfAndAttribute(Workflow):
    async def run(self):
        match await double(21):
            case int(n, real=r, imag=0):
                return n, r


@workflow
class TooManyForABuiltin(Workflow):
    async def run(self):
        try:
            match 1:
                case int(a, b):
                    return a, b
        except TypeError as error:
            return str(error), await echo(1)


@workflow
class TooManyForADataclass(Workflow):
    async def run(self):
        out = []
        for value in (Point(1, 2), Opaque(1, 2), User(id=1, name="n"), Decimal(1), None):
            try:
                match value:
                    case Point(_, _, _) | Opaque(_) | User(_) | Decimal(_):
                        out.append("no")
                    case _:
                        out.append("rest")
            except TypeError as error:
                out.append(str(error))
        return await echo(out)


@workflow
class NotAClass(Workflow):
    async def run(self):
        thing = await echo("x")
        try:
            match 1:
                case thing.upper():
                    return "no"
        except TypeError as error:
            return str(error)


@workflow
class LocalClass(Workflow):
    async def run(self):
        kinds = [int, str, Point]
        out = []
        for value in (1, "s", Point(3), 2.0):
            for kind in kinds:
                match value:
                    case kind():
                        out.append((kinds.index(kind), await echo(1)))
        return out


@workflow
class Dataclasses(Workflow):
    async def one(self, value):
        match value:
            case Point(0, 0):
                return "origin"
            case Point(0, y) | Point(y, 0):
                return ("axis", y)
            case Point(x=x, y=y) if x == y:
                return ("diagonal", await double(x))
            case Square("unit", 1.0) | Square("unit", side=1):
                return "unit square"
            case Square(name, area=area, sides=4):
                return (name, area)
            case Shape(name, sides=int(n)):
                return (name, n)
            case Frozen("k", (first, *_)):
                return first
            case _:
                return "other"

    async def run(self):
        values = [Point(0), Point(0, 3), Point(4, 0), Point(5, 5), Point(1, 2), Square("unit"), Square("s", side=3, sides=4), Square("t", 2), Shape("tri", sides=3), Shape("x", sides=None), Frozen("k", (7, 8)), Frozen("k", ()), "Point"]
        return [await self.one(v) for v in values]


@workflow
class ResultsOfActions(Workflow):
    async def run(self):
        match await move(Point(1, 2), dx=4):
            case Point(5 as x, y=2 as y):
                found = [x, y]
        match await user(2):
            case User(id=2, name=str(name), tags=[first, *rest]):
                return found, name, first, rest


@workflow
class Models(Workflow):
    async def one(self, value):
        match value:
            case Ticket(title="a" | "b", owner=None):
                return "unowned"
            case Ticket(loud="C", owner=User(id=number)):
                return ("loud", await double(number))
            case Ticket(title=title, missing=_):
                return "has missing"
            case Ticket(loud=loud):
                return loud
            case WithArgs(1, y=0):
                return "args"
            case WithArgs(x):
                return x

    async def run(self):
        someone = User(id=3, name="n")
        return [await self.one(v) for v in (Ticket(title="a"), Ticket(title="c", owner=someone), Ticket(title="d"), WithArgs(x=1), WithArgs(x=1, y=2), someone)]


@workflow
class Properties(Workflow):
    async def run(self):
        square = Square("q", side=3).scaled(2)
        out = []
        match square:
            case Square(absent=_):
                out.append("absent matched")
            case Square(side=6, area=36 as area):
                out.append(await echo(area))
        try:
            match square:
                case Square(broken=x):
                    out.append(x)
        except KeyError as error:
            out.append(str(error))
        match square:
            case Square(nothing=_) | Square(area=1):
                out.append("no")
            case Square(area=a, side=s, name=n):
                out.append((a, s, n))
        return out


@workflow
class MatchNamedTuples(Workflow):
    async def run(self):
        out = []
        for value in (Pair(1, 2), Pair(1), (1, 2), Pair(Pair(3, 4), [5])):
            match value:
                case Pair(int(a), right=None):
                    out.append(("half", a))
                case Pair(Pair(a, b), [c]):
                    out.append((a, b, await double(c)))
                case Pair(left=a, right=b):
                    out.append(("pair", a, b))
                case (a, b):
                    out.append(("plain", a, b))
        return out


@workflow
class MatchEnums(Workflow):
    async def one(self, value):
        match value:
            case Level.LOW:
                return "low"
            case Level(name=n):
                return n
            case Word.YES | "no":
                return "word"
            case Colour(value="red"):
                return await note("red")
            case int(x):
                return x

    async def run(self):
        return [await self.one(v) for v in (Level.LOW, 1, Level.HIGH, 2, "yes", Word.NO, Colour.RED, Colour.GREEN)]


@workflow
class Exceptions(Workflow):
    async def run(self):
        out = []
        for kind in ("KeyError", "OSError", "ValueError", "sell"):
            try:
                await (sell("tea", 2) if kind == "sell" else boom(kind, 5, "text"))
            except Exception as error:
                match error:
                    case OutOfStock(item=item, left=left):
                        out.append((item, left))
                    case LookupError(args=(5, text)):
                        out.append(text)
                    case OSError(errno=number, filename=None):
                        out.append(number)
                    case Exception(args=args):
                        out.append(await echo(list(args)))
        return out


@workflow
class OtherTypes(Workflow):
    async def one(self, value):
        match value:
            case datetime(year=2024, hour=h):
                return ("datetime", h)
            case date(month=m, day=d):
                return (m, d)
            case timedelta(days=1):
                return "day"
            case Decimal():
                return await note("decimal")
            case UUID(hex=h):
                return h
            case deque([a, b]):
                return "never: a deque takes no positional"
            case object(args=_):
                return "args"
            case object():
                return "object"

    async def run(self):
        out = []
        for value in (datetime(2024, 5, 6, 7), date(2023, 1, 2), timedelta(days=1), timedelta(2), Decimal("1.5"), UUID(int=5), ValueError(1)):
            try:
                out.append(await self.one(value))
            except TypeError as error:
                out.append(str(error))
        return out


@workflow
class OwnMatchArgs(Workflow):
    async def run(self):
        match Picky(1, 2):
            case Picky(b, a):
                out = [a, b]
        try:
            match Doubled(1, 2):
                case Doubled(x, y):
                    return x, y
        except TypeError as error:
            out.append(str(error))
        try:
            match Point(1, 2):
                case Point(1, x=x):
                    return x
        except TypeError as error:
            return out, await note(str(error))


@workflow
class AttributesAreReadFirst(Workflow):
    async def run(self):
        value = Square("s", side=2)
        try:
            match value:
                case Square(name="other", broken=_):
                    return "no"
        except KeyError:
            return await note("read before the sub-patterns are compared")


@workflow
class ClassInsideSequence(Workflow):
    async def run(self):
        events = [Point(1, 2), [Point(3), "x"], {"at": Point(4, 4)}, (Level.HIGH, Point(5))]
        out = []
        for event in events:
            match event:
                case Point(x) | [Point(x), str()] | {"at": Point(x)} if x != 4:
                    out.append(await double(x))
                case {"at": Point() as place}:
                    place.x = 0
                    out.append(place)
                case (Level() as level, Point(y=0)):
                    out.append(level)
        return out, events
