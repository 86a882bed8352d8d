"""Special methods of dataclasses, models, named tuples, enums and exceptions, met by operators and builtins."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple

from pydantic import BaseModel

from tests.language.steps import Colour, boom, double, echo, note
from waymark import Workflow, workflow


@dataclass
class Money:
    amount: int
    currency: str = "EUR"

    def __add__(self, other):
        if isinstance(other, int):
            return Money(self.amount + other, self.currency)
        if not isinstance(other, Money):
            return NotImplementedMoney.give(other)
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} + {other.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __radd__(self, other):
        return self if other == 0 else self + other

    def __sub__(self, other):
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self):
        return Money(-self.amount, self.currency)

    def __abs__(self):
        return Money(abs(self.amount), self.currency)

    def __mul__(self, factor):
        return Money(self.amount * factor, self.currency)

    __rmul__ = __mul__

    def __imul__(self, factor):
        self.amount *= factor
        return self

    def __lt__(self, other):
        return self.amount < other.amount

    def __bool__(self):
        return self.amount != 0

    def __str__(self):
        return f"{self.amount} {self.currency}"

    def __format__(self, spec):
        return f"{self.amount:{spec}}{self.currency}" if spec else str(self)

    def __int__(self):
        return self.amount

    def __float__(self):
        return self.amount / 2

    def __round__(self, digits=None):
        return (self.amount, digits)

    def __divmod__(self, other):
        return (self.amount // other, self.amount % other)


class NotImplementedMoney(BaseModel):
    @staticmethod
    def give(other):
        raise TypeError(f"cannot add {type(other).__name__}")


@dataclass
class Basket:
    items: dict = field(default_factory=dict)
    reads: list = field(default_factory=list)

    def __len__(self):
        return len(self.items)

    def __contains__(self, name):
        return name.lower() in self.items

    def __getitem__(self, name):
        self.reads.append(name)
        return self.items[name.lower()]

    def __setitem__(self, name, count):
        self.items[name.lower()] = count

    def __delitem__(self, name):
        del self.items[name.lower()]

    def __iter__(self):
        for name in sorted(self.items):
            yield name

    def __reversed__(self):
        return iter(sorted(self.items, reverse=True))

    def __call__(self, name, by=1):
        self.items[name] = self.items.get(name, 0) + by
        return self


@dataclass
class Steps:
    n: int

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


@dataclass
class Letters:
    text: str

    def __getitem__(self, index):
        return self.text[index] * 2

    def __len__(self):
        return len(self.text)


class Tagged(BaseModel):
    name: str
    note: str = ""

    def __eq__(self, other):
        if isinstance(other, str):
            return self.name == other
        return isinstance(other, Tagged) and self.name == other.name

    def __str__(self):
        return f"<{self.name}>"

    def __len__(self):
        return len(self.name)

    def __iter__(self):
        return iter(self.name)


class Vector(NamedTuple):
    x: int
    y: int

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __bool__(self):
        return bool(self.x or self.y)

    def __str__(self):
        return f"({self.x}|{self.y})"


class Size(Enum):
    SMALL = 1
    LARGE = 2

    def __str__(self):
        return self.name.lower()

    def __lt__(self, other):
        return self.value < other.value


class Rank(IntEnum):
    ONE = 1
    TWO = 2

    def __repr__(self):
        return f"rank {self.value}"


class Failed(Exception):
    def __init__(self, code, text=""):
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self):
        return f"[{self.code}] {self.text}"


@workflow
class MoneyArithmetic(Workflow):
    async def run(self):
        a, b = Money(await double(5)), Money(3)
        total = sum([a, b, Money(4)])
        out = [a + b, b + 1, a - b, -a, abs(-a), a * 2, 3 * b, total, sum([a, b], Money(1))]
        c = b
        c *= await echo(5)
        out += [c is b, b, int(a), float(b), round(b), round(b, 2), divmod(a, 3)]
        for bad in (lambda: a + "x", lambda: a + Money(1, "USD"), lambda: "x" + a, lambda: a - 1, lambda: a / 2):
            try:
                out.append(bad())
            except (TypeError, ValueError, AttributeError) as e:
                out.append((type(e).__name__, str(e)))
        return out


@workflow
class TruthTextAndOrder(Workflow):
    async def run(self):
        a, b, none = Money(2), Money(1), Money(0)
        await note(f"{a} {a!s} {a:>5} {b!r}")
        out = [str(a), f"{a:05}", format(b, "+"), "%s" % a, "{} {:3}".format(a, b), repr([a]), bool(none), not none]
        out.append(none or "default")
        out.append([x.amount for x in sorted([a, b, none])])
        out.append([max([a, b]).amount, min(a, b, none).amount, a < b, a > b])
        out.append("yes" if none else "no")
        while a:
            a = a - b
        out.append(a)
        print(a, b)
        try:
            a <= b
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class Containers(Workflow):
    async def run(self):
        basket = Basket()
        basket["Tea"] = await double(1)
        basket["Milk"] = 1
        out = [len(basket), "TEA" in basket, "rum" not in basket, basket["tea"], list(basket), list(reversed(basket))]
        await note("x")
        basket["tea"] += 5
        del basket["MILK"]
        out += [[(name, basket[name]) for name in basket], [*basket], dict(zip(basket, "abc")), basket.reads]
        out.append(basket("rum")("rum", by=3).items)
        out.append([callable(basket), callable(Money(1)), bool(Basket())])
        for name in basket:
            out.append(await echo(name))
        try:
            basket["gone"]
        except KeyError as e:
            out.append(repr(e))
        first, *rest = basket
        return out, first, rest, sorted(basket), ", ".join(basket), set(basket) == {"rum", "tea"}


@workflow
class Iterators(Workflow):
    async def run(self):
        steps = Steps(5)
        out = [next(steps)]
        for x in steps:
            out.append(await double(x))
            if x == 2:
                break
        out += [list(steps), next(steps, "over"), sum(Steps(4)), 2 in Steps(4), list(zip(Steps(2), Steps(3)))]
        out += [[a + b for a, b in zip(map(str, Steps(3)), "xyz")], list(enumerate(Steps(2), 1))]
        return out


@workflow
class BySequenceProtocol(Workflow):
    async def run(self):
        letters = Letters("abc")
        out = []
        for x in letters:
            out.append(await echo(x))
        out += [list(letters), "bb" in letters, "b" in letters, list(reversed(letters)), letters[-1], letters[1:]]
        a, b, c = letters
        return out, a, b, c, len(letters), "".join(letters), list(map(str.upper, letters))


@workflow
class EqualityOfModels(Workflow):
    async def run(self):
        a, b = Tagged(name="a", note="1"), Tagged(name="a", note="2")
        out = [a == b, a != b, a == "a", "a" == a, [a, 1] == [b, 1], b in [a], [b, a].index("a"), {"k": a} == {"k": b}]
        out += [str(a), f"{a}", len(a), list(Tagged(name="xyz")), [a, b].count(b), (a, 1) == (b, 1)]
        try:
            {a: 1}
        except TypeError as e:
            out.append(str(e))
        return out, await echo(a)


@workflow
class NamedTuplesAndEnums(Workflow):
    async def run(self):
        v = Vector(1, 2) + Vector(await double(1), 3)
        out = [v, str(v), f"{v}", bool(Vector(0, 0)), v == (3, 5), [x for x in v], v[0]]
        out += [str(Size.SMALL), f"{Size.LARGE}", sorted([Size.LARGE, Size.SMALL]), Size.SMALL < Size.LARGE, repr(Size.SMALL)]
        out += [repr(Rank.TWO), str(Rank.ONE), f"{Rank.ONE}", Rank.ONE + 1, [Rank.TWO]]
        return str(out), out


@workflow
class ExceptionText(Workflow):
    async def run(self):
        out = []
        try:
            raise Failed(404, "gone")
        except Failed as e:
            out.append((str(e), repr(e), f"{e}", e.args))
            await note(str(e))
            out.append(str(e))
        raise Failed(await double(250), "final")


@workflow
class ErrorsInSpecialMethods(Workflow):
    async def run(self):
        out = []
        basket = Basket({"a": 1})
        try:
            try:
                raise OSError("outer")
            except OSError:
                basket[5]
        except AttributeError as e:
            out.append((str(e), repr(e.__context__)))
        try:
            sorted([Money(1), 5])
        except AttributeError as e:
            out.append(str(e))
        try:
            await boom("ValueError", "x")
        except ValueError:
            try:
                Money(1) + "a"
            except TypeError as e:
                out.append((str(e), repr(e.__context__)))
        return out


@dataclass
class Numbered:
    """Iterated by its numbers, and nothing for the operators of others."""

    items: list[str]

    def __getitem__(self, place):
        return self.items[place]

    def __ror__(self, other):
        return "never asked"


@workflow
class ViewsOfDictsWithWhatIsIndexed(Workflow):
    async def run(self):
        d = {"a": 1, "b": 2}
        some = Numbered(["b", await note("c")])
        both = [d.keys() | some, d.keys() & some, some - d.keys(), d.items() ^ some]
        log = []
        for combine in (
            lambda: d.keys() | 5,
            lambda: None & d.keys(),
            lambda: d.items() ^ Colour.RED,
            lambda: 5 - d.items(),
            lambda: d.keys() - log.append,
            lambda: d.values() | some,
            lambda: d.values() & d.keys(),
        ):
            try:
                log.append(combine())
            except TypeError as e:
                log.append(str(e))
        return both, log
