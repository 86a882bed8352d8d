"""Dataclasses with code of their own that runs when an object is made: in the machine, on the very arguments."""

import asyncio
import dataclasses
from collections import defaultdict
from dataclasses import KW_ONLY, InitVar, dataclass, field, replace
from typing import Any, ClassVar

from tests.language.steps import echo, note
from waymark import Workflow, workflow


@dataclass
class Account:
    owner: str
    balance: int = 0
    history: list[int] = field(default_factory=list)

    def __post_init__(self):
        if self.balance < 0:
            raise ValueError(f"{self.owner} owes {-self.balance}")

    def pay(self, amount):
        self.balance += amount
        self.history.append(amount)


@dataclass
class Transfer:
    source: Account
    target: Account
    amount: int

    def __post_init__(self):
        if self.amount <= 0:
            raise ValueError("nothing to transfer")

    def run(self):
        self.source.pay(-self.amount)
        self.target.pay(self.amount)


@dataclass
class Node:
    name: str
    parent: "Node | None" = None
    kids: list["Node"] = field(default_factory=list, repr=False)

    def __post_init__(self):
        if self.parent is not None:
            self.parent.kids.append(self)


def fresh():
    return {"made": [1]}


@dataclass
class Inner:
    n: int = 1

    def __post_init__(self):
        self.n += 1


@dataclass
class Made:
    here: list[int] = field(default_factory=lambda: [n * 2 for n in range(3)])
    by_name: dict[str, Any] = field(default_factory=fresh)
    inner: Inner = field(default_factory=Inner)
    counted: Any = field(default_factory=lambda: defaultdict(list))
    never: set[int] = field(default_factory=set, init=False)


@dataclass
class Prepared:
    a: int
    twice: int = field(init=False)
    shown: str = field(init=False, default="-")
    scale: InitVar[int] = 2
    _: KW_ONLY
    label: str = "none"
    tags: list[str] = field(default_factory=list)
    limit: ClassVar[int] = 5

    def __post_init__(self, scale):
        self.twice = self.a * scale
        self.extra = [self.a, self.limit]
        self.__hidden = self.label

    def hidden(self):
        return self.__hidden


@dataclass
class Needs:
    a: int
    of: InitVar[Any]

    def __post_init__(self, of):
        self.a += of


@dataclass(frozen=True)
class Money:
    amount: int
    currency: str = "EUR"
    text: str = field(init=False, compare=False)

    def __post_init__(self):
        if not isinstance(self.amount, int):
            raise TypeError("an amount is a whole number")
        object.__setattr__(self, "text", f"{self.amount} {self.currency}")
        super().__setattr__("currency", self.currency.upper())

    def __add__(self, other):
        return Money(self.amount + other.amount, self.currency)

    def __radd__(self, other):
        return self

    def __lt__(self, other):
        return Money(self.amount - other.amount, self.currency).amount < 0


@dataclass(frozen=True, slots=True)
class Slim:
    x: int
    y: int = field(init=False, default=4)
    money: Any = field(default_factory=lambda: Money(3, "usd"))

    def __post_init__(self):
        object.__setattr__(self, "x", self.x + self.y)


@dataclass
class Base:
    log: list[str]

    def __post_init__(self):
        self.log.append(f"base of {type(self).__name__}")


@dataclass
class Middle(Base):
    size: int = 1

    def __post_init__(self):
        super().__post_init__()
        self.log.append(f"middle {self.size}")


@dataclass
class Leaf(Middle):
    extra: str = "x"


@dataclass(init=False)
class Bare(Middle):
    pass


@dataclass
class Plain:
    a: int
    b: int = 2


@dataclass
class Written(Plain):
    c: int = 0

    def __init__(self, text, *rest, sep=":"):
        a, _, b = text.partition(sep)
        super().__init__(int(a), b=int(b or 9))
        self.c, self.rest = len(rest), rest


@dataclass
class Holder:
    what: Any
    call: Any = None

    def __post_init__(self):
        if self.call is not None:
            self.value = self.call(self.what)


@workflow
class ArgumentsAreTheOnes(Workflow):
    async def run(self):
        a, b = Account("a", 100), Account("b")
        transfer = Transfer(a, b, 30)
        transfer.run()
        await note("moved")
        Transfer(amount=5, target=a, source=b).run()
        shared = [0]
        x, y = Account("x", 1, shared), Account("y", history=shared)
        x.pay(5)
        return a, b, transfer.source is a, shared, y.history is x.history


@workflow
class RefusedArguments(Workflow):
    async def run(self):
        log = []
        for make in (
            lambda: Account("a", -1),
            lambda: Account(),
            lambda: Account("a", 1, [], 2),
            lambda: Account("a", owner="b"),
            lambda: Account("a", of="b"),
            lambda: Transfer(1, 2, 0),
            lambda: Prepared(1, 2, "c"),
            lambda: Money("1"),
            lambda: Written("x"),
            lambda: Written(sep="-"),
        ):
            try:
                log.append(make())
            except (ValueError, TypeError) as error:
                log.append((type(error).__name__, str(error), error.__context__ is None))
        return log


@workflow
class TreeOfParents(Workflow):
    async def run(self):
        root = Node("root")
        left = Node("left", root)
        right = Node("right", parent=root)
        await note("planted")
        Node("leaf", left)
        return [kid.name for kid in root.kids], left.kids[0].parent is left, right in root.kids


@workflow
class MadeDefaults(Workflow):
    async def run(self):
        one, two = Made(), Made(by_name={}, here=[])
        one.here.append(9)
        one.counted["k"].append(1)
        one.never.add(3)
        await echo(1)
        three = Made()
        return one, two, three.here, one.by_name is three.by_name, one.inner == three.inner


@workflow
class PreparedParts(Workflow):
    async def run(self):
        made = [Prepared(3), Prepared(3, 10, label="l", tags=["t"]), Prepared(a=1, scale=0)]
        made[1].extra.append("more")
        await note("prepared")
        return made, [(one.extra, one.hidden(), one.shown) for one in made], Needs(1, of=2)


@workflow
class ReplacedParts(Workflow):
    async def run(self):
        log = []
        first = Prepared(3, label="first", tags=["x"])
        second = replace(first, a=5, scale=100)
        log.append((second, second.tags is first.tags, second.extra))
        for change in ({"twice": 1}, {"unknown": 1}):
            try:
                log.append(dataclasses.replace(first, **change))
            except (TypeError, ValueError) as error:
                log.append(str(error))
        try:
            log.append(replace(Needs(1, 1)))
        except (TypeError, ValueError) as error:
            log.append(str(error))
        log.append(replace(Needs(1, 1), of=5))
        log.append(replace(Money(4), amount=6).text)
        try:
            log.append(replace(Account("a"), balance=-5))
        except ValueError as error:
            log.append(str(error))
        return log


@workflow
class FrozenParts(Workflow):
    async def run(self):
        price = Money(5, "eur")
        total = sum([price, Money(2), Money(3)])
        log = [price.text, total, {price: 1}[Money(5)], sorted([total, price])[0] is price]
        try:
            price.amount = 4
        except dataclasses.FrozenInstanceError as error:
            log.append(str(error))
        slim = Slim(1)
        await echo(slim)
        try:
            object.__setattr__(slim, "z", 1)
        except AttributeError as error:
            log.append(str(error))
        return log, slim, slim.money == Slim(2).money, slim.money.text


@workflow
class InheritedParts(Workflow):
    async def run(self):
        log = ["start"]
        made = [Base(log), Middle(log, 2), Leaf(log, extra="y"), Bare(log, 7)]
        await echo(2)
        return log, made[2].size, made[2].extra, all(one.log is log for one in made), made[3].size


@workflow
class WrittenParts(Workflow):
    async def run(self):
        parts = [Written("1:2"), Written("3-4", 5, 6, sep="-"), Written("7")]
        await note("written")
        return parts, [one.rest for one in parts], parts[0] == Written("1:2", 1)


@workflow
class HeldThings(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        held = Holder(lock)
        async with held.what:
            locked = lock.locked()
        doubled = Holder(4, lambda n: n * 2)
        again = Holder(doubled, call=lambda other: other.call(other.value))
        await note("held")
        return locked, held.what is lock, doubled.value, again.value, again.what is doubled


@workflow
class MadeByBuiltins(Workflow):
    async def run(self):
        accounts = list(map(Account, "ab", (1, 2)))
        kept = defaultdict(Inner)
        kept["x"].n += 5
        again = [type(one)(one.owner, one.balance + 1, one.history) for one in accounts]
        return accounts, kept["x"], again[0].history is accounts[0].history, max(map(Money, (1, 3)))
