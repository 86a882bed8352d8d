"""Workflows that call, iterate, raise and build in every way; CPython says what is right."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from waymark import RetryPolicy, Workflow, action, workflow


@action
async def act(x: Any) -> Any:
    return x


@action
async def fail(x: Any) -> Any:
    raise ValueError(x)


@action
async def two(a: int, b: int = 2, *, c: int = 3) -> Any:
    return [a, b, c]


class Color(enum.Enum):
    RED = 1
    GREEN = "g"


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclasses.dataclass
class Item:
    name: str
    price: float = 1.5
    tags: list[str] = dataclasses.field(default_factory=list)

    def label(self, mark: str = "*") -> str:
        return f"{mark}{self.name}{mark}"

    @property
    def double(self) -> float:
        return self.price * 2


class Order(BaseModel):
    id: int
    items: list[Item] = []
    note: str | None = None


class Rejected(Exception):
    pass


class Coded(Exception):
    def __init__(self, code: int, text: str = "none") -> None:
        super().__init__(text)
        self.code = code


def add(a: int, b: int) -> int:
    return a + b


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def deep(n: int) -> int:
    return 0 if n == 0 else 1 + deep(n - 1)


@workflow
class VmArithmetic(Workflow):
    async def run(self) -> Any:
        out: list[Any] = []
        for a, b in [(7, 2), (-7, 2), (7, -2), (2**70, 3), (1.5, 2), (-0.0, 3.25), (True, 2)]:
            out += [a + b, a - b, a * b, a / b, a // b, a % b, a < b, a == b, -a, not a]
        out.append(2**100)
        out.append("ab" * 3 + "c")
        out.append([1] * 3 + [2])
        try:
            out.append(1 // 0)
        except ZeroDivisionError as e:
            out.append(str(e))
        try:
            out.append(1 + "1")  # type: ignore[operator]
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class VmCalls(Workflow):
    def method(self, a: int, *rest: int, key: str = "k", **more: Any) -> Any:
        return [a, list(rest), key, more]

    async def run(self) -> Any:
        out: list[Any] = [add(1, 2), fib(12), self.method(1), self.method(1, 2, 3, key="z", other=[4])]
        args = [1, 2]
        keywords = {"key": "s", "x": 1}
        out.append(self.method(*args, 3, **keywords))
        out.append(await two(1))
        out.append(await two(*args, c=5))
        out.append((lambda x, y=3: [x, y])(1))
        return out


@workflow
class VmBadCalls(Workflow):
    def method(self, a: int, b: int, *, key: str) -> Any:
        return [a, b, key]

    async def run(self) -> Any:
        out = []
        attempts = [
            lambda: self.method(),
            lambda: self.method(1),
            lambda: self.method(1, 2),
            lambda: self.method(1, 2, 3, key="k"),
            lambda: self.method(1, 2, key="k", extra=1),
            lambda: self.method(1, a=1, b=2, key="k"),
            lambda: add(1),
            lambda: add(*[1, 2, 3]),
            lambda: two(),
            lambda: two(1, 2, 3),
            lambda: two(1, c=1, d=2),
        ]
        for attempt in attempts:
            try:
                attempt()
            except TypeError as e:
                out.append(str(e))
        return out


@workflow
class VmTooDeep(Workflow):
    async def run(self) -> Any:
        out = [deep(100)]
        try:
            deep(100000)
        except RecursionError as e:
            out.append(str(e)[:32])
        return out


@workflow
class VmClosures(Workflow):
    def counter(self, start: int) -> Any:
        held = [start]
        return lambda by=1: [held.append(held[-1] + by), held[-1]][1]

    async def run(self) -> Any:
        a, b = self.counter(10), self.counter(100)
        out = [a(), a(5), b(), a()]
        await act("between")
        out += [b(2), a()]
        fs = [lambda: i for i in range(3)]
        gs = [lambda i=i: i for i in range(3)]
        return [out, [f() for f in fs], [g() for g in gs]]


@workflow
class VmKeyFunctions(Workflow):
    async def run(self) -> Any:
        words = ["pear", "fig", "apple", "kiwi"]
        out: list[Any] = [
            sorted(words, key=lambda w: len(w)),
            sorted(words, key=lambda w: (-len(w), w), reverse=True),
            min(words, key=lambda w: w[-1]),
            max(words, key=lambda w: w[1]),
            max([], key=lambda w: w, default="none"),
            max(1, 5, 3, key=lambda n: -n),
            sorted(words, key=len),
            sorted(words, key=str.upper),
            list(map(lambda w: w.upper(), words)),
            list(map(lambda a, b: a + b, [1, 2, 3], [10, 20])),
            list(filter(lambda w: "i" in w, words)),
            list(filter(None, [0, 1, "", "x"])),
            sum(map(lambda n: n * n, range(5))),
        ]
        words.sort(key=lambda w: w[::-1])
        out.append(words)
        try:
            sorted(words, key=lambda w: w.nope)
        except AttributeError as e:
            out.append(str(e))
        try:
            words.sort(key=lambda w: 1 // 0)
        except ZeroDivisionError:
            out.append(words)
        try:
            min([], key=lambda w: w)
        except ValueError as e:
            out.append(str(e))
        return out


@workflow
class VmLazyIterators(Workflow):
    async def run(self) -> Any:
        seen: list[Any] = []
        note = lambda x: [seen.append(x), x][1]
        it = map(note, [1, 2, 3, 4, 5])
        out: list[Any] = [next(it)]
        await act("one")
        out.append(any(x > 2 for x in it))
        await act("two")
        out.append(seen[:])
        out.append(list(it))
        out.append(next(it, "end"))
        pairs = zip(map(note, "abc"), range(10))
        for letter, number in pairs:
            out.append([letter, number, await act(number)])
        for i, x in enumerate(map(note, "xy"), 5):
            out.append([i, x])
        a, *rest = map(lambda n: n * n, range(5))
        out.append([a, rest])
        out.append([*map(note, "pq"), *filter(None, "rs")])
        out.append("-".join(map(str, range(3))))
        out.append("-".join(note(c) for c in "uv"))
        out.append(3 in map(note, range(10)))
        out.append(dict(zip("ab", map(note, [1, 2]))))
        out.append(all(note(n) for n in [1, 0, 2]))
        out.append(seen)
        return out


@workflow
class VmStrictZip(Workflow):
    async def run(self) -> Any:
        out = []
        for a, b, c in [([1, 2], [1], [1]), ([1], [1, 2], [1]), ([1], [1], [1, 2]), ([1], [2], [3])]:
            try:
                out.append(list(zip(map(lambda x: x, a), b, map(lambda x: x, c), strict=True)))
            except ValueError as e:
                out.append(str(e))
        return out


@workflow
class VmChangingWhileIterating(Workflow):
    async def run(self) -> Any:
        out: list[Any] = []
        grows = [1, 2, 3]
        for x in grows:
            await act(x)
            if x < 3:
                grows.append(x + 10)
            out.append(x)
        d = {"a": 1, "b": 2}
        try:
            for k in d:
                d[k + k] = await act(k)
        except RuntimeError as e:
            out.append(str(e))
        s = {1, 2}
        try:
            for k in s:
                await act(k)
                s.add(k + 10)
        except RuntimeError as e:
            out.append(str(e))
        for k, v in d.items():
            out.append([k, await act(v)])
        for n in range(10, 0, -3):
            out.append(await act(n))
        for c in reversed("abc"):
            out.append(await act(c))
        shrinks = [1, 2, 3, 4]
        for x in reversed(shrinks):
            shrinks.pop()
            out.append(await act(x))
        return out


@workflow
class VmErrors(Workflow):
    async def run(self) -> Any:
        out: list[Any] = []
        try:
            await fail("from action")
        except ValueError as e:
            out.append([str(e), e.args])
        try:
            raise Rejected("no", 2) from ValueError("cause")
        except Rejected as e:
            out.append([e.args, str(e.__cause__)])
        try:
            raise Coded(7, text="t")
        except Coded as e:
            out.append([e.code, str(e), e.args])
        try:
            raise Coded(8)
        except (KeyError, Coded) as e:
            out.append(repr(e.args))
        try:
            raise KeyError
        except LookupError as e:
            out.append(repr(e))
        try:
            try:
                raise ValueError("first")
            except KeyError:
                out.append("wrong")
            else:
                out.append("wrong too")
            finally:
                out.append("finally")
        except ValueError as e:
            out.append(str(e))
        try:
            raise 5  # type: ignore[misc]
        except TypeError as e:
            out.append(str(e))
        try:
            raise ValueError from 5  # type: ignore[misc]
        except TypeError as e:
            out.append(str(e))
        try:
            assert out == [], f"message {len(out)}"
        except AssertionError as e:
            out.append(str(e))
        return out


@workflow
class VmUnhandled(Workflow):
    async def run(self) -> Any:
        try:
            await fail({"deep": [1, 2]})
        except ValueError as e:
            raise Coded(3, "wrapped") from e


@workflow
class VmBareRaise(Workflow):
    async def run(self) -> Any:
        try:
            try:
                raise KeyError("k")
            except KeyError:
                await act("in handler")
                raise
        except KeyError as e:
            return [e.args, e.__context__ is None]


@workflow
class VmUnboundNames(Workflow):
    async def run(self, flag: bool = False) -> Any:
        out = []
        if flag:
            late = 1
        try:
            out.append(late)
        except UnboundLocalError as e:
            out.append(str(e))
        try:
            raise KeyError("x")
        except KeyError as e:
            pass
        try:
            out.append(repr(e))
        except NameError as again:
            out.append(str(again))
        return out


@workflow
class VmObjects(Workflow):
    async def run(self) -> Any:
        item = Item("tea")
        item.tags.append("hot")
        other = await act(item)
        out: list[Any] = [item == other, item is other, item.label(), other.label("-"), item.double, str(item)]
        item.price = 3.0
        out.append([item.double, other.double])
        order = Order(id=1, items=[item])
        order.note = "n"
        out += [order.id, order.items[0] is item, str(order), order.model_dump()]
        p = Point(1)
        out += [p, p.x + p.y, p == (1, 0), Color.RED, Color("g").name, Color.RED is Color(1)]
        x, y = p
        out.append([x, y])
        try:
            Order(id="x")
        except ValueError as e:
            out.append(type(e).__name__)
        try:
            item.nope
        except AttributeError as e:
            out.append(str(e))
        return out


@workflow
class VmAliases(Workflow):
    async def run(self) -> Any:
        a: list[Any] = [1]
        b = {"a": a, "again": a}
        a.append(b)
        t = (a, b)
        await act("park")
        a[0] = 2
        await act("park")
        b["again"].append(3)
        return [t[0] is a, b["a"] is b["again"], len(a), a[0], a[2], t[1]["a"] is a]


@workflow
class VmSetsAndDicts(Workflow):
    async def run(self) -> Any:
        s = {3, 1, 2, 3}
        s |= {9, 8}
        f = frozenset("hello")
        d = {f: 1, (1, frozenset({2})): "nested"}
        await act(1)
        out = [sorted(s), len(f), d[frozenset("hleo")], d[(1, frozenset([2]))], {1: 2, **{"x": 3}}]
        out.append({k: v for k, v in zip("ab", [1, 2])})
        out.append(sorted({x % 3 for x in range(10)}))
        return out


@workflow
class VmAwaitEverywhere(Workflow):
    async def helper(self, x: Any) -> Any:
        return await act(x)

    async def run(self) -> Any:
        d: dict[str, Any] = {"n": 1, "l": [0, 0]}
        d["n"] += await act(2)
        d["l"][await act(1)] = await self.helper(5)
        text = f"{await act('a')}-{await act(2):>4}"
        comp = [await act(x) for x in range(3) if await act(x) != 1]
        nested = {await act(k): await act(v) for k, v in d.items() if k == "n"}
        value = (await act(1)) if await act(True) else await act(2)
        chain = 0 < await act(1) < await act(2)
        boolean = await act(0) or await act("") or await act("last")
        return [d, text, comp, nested, value, chain, boolean, [*await act([1, 2]), await act(3)]]


@workflow
class VmFailingGenerators(Workflow):
    def third(self, n: int) -> int:
        if n == 3:
            raise LookupError("third")
        return n

    async def run(self) -> Any:
        out: list[Any] = []
        kept: list[int] = []
        for attempt in (
            lambda: kept.extend(self.third(n) for n in range(1, 6)),
            lambda: sum(v * self.third(v) for v in ["a", 3, 4]),
            lambda: list(map(self.third, [1, 2, 3])),
            lambda: dict((self.third(n), n) for n in range(5)),
            lambda: any(self.third(n) > 1 for n in range(5)),
            lambda: any(self.third(n) > 9 for n in range(5)),
            lambda: sorted(self.third(n) for n in range(5)),
            lambda: ",".join(str(self.third(n)) for n in range(5)),
            lambda: max((self.third(n) for n in range(5)), key=lambda n: -n),
            lambda: [*map(self.third, range(5))],
            lambda: tuple(zip(range(9), map(self.third, range(9)))),
        ):
            try:
                try:
                    raise KeyError("handled here")
                except KeyError:
                    out.append(attempt())
            except Exception as e:
                out.append([repr(e), repr(e.__context__), kept[:]])
        it = map(self.third, [1, 2, 3, 4])
        try:
            list(it)
        except LookupError:
            out.append(list(it))
        await act(1)
        return out


@workflow
class VmEverythingAlive(Workflow):
    """One of everything is alive across an await, and used after it."""

    async def run(self) -> Any:
        errors: list[Any] = []
        for make in (
            lambda: Order(id="x"),
            lambda: Decimal("x"),
            lambda: 1 // 0,
            lambda: {}["k"],
            lambda: [].pop(),
            lambda: "x".nope,
            lambda: int("x"),
            lambda: b"\xff".decode(),
            lambda: Color("nothing"),
            lambda: next(iter([])),
        ):
            try:
                make()
            except Exception as e:
                errors.append(e)
        try:
            await fail("x")
        except ValueError as e:
            errors.append(e)
        try:
            raise Coded(5, "five") from errors[0]
        except Coded as e:
            errors.append(e)
        base = {"b": 1, "a": [2]}
        numbers = [1, 2, 3]
        held: list[Any] = [
            deque([1, 2, 3], maxlen=3), Counter("aab"), OrderedDict(z=1, y=2), defaultdict(list, k=[1]),
            bytearray(b"xy"), {3, 1}, frozenset({"q"}), (1, (2, base)), range(2, 9, 3), slice(1, None),
            datetime(2024, 5, 6, tzinfo=timezone.utc), date(2024, 1, 2), timedelta(days=1), Decimal("1.50"),
            UUID(int=5), Fraction(1, 3), 2**80, -(2**63), 2**64 - 1, 1.5, float("inf"), "\ud800", "text", b"bytes",
            True, None, Color.GREEN, Point(3, 4), Item("i", tags=["t"]), Order(id=1, items=[Item("j")]),
            base.keys(), base.values(), base.items(), ValueError, Item, Color, int, set, sorted, str.upper,
            base.get, numbers.append, "x".join, lambda: numbers, RetryPolicy(attempts=2), add,
        ]
        walks: list[Any] = [
            iter(numbers), iter("é"), iter("abc"), iter(b"ab"), iter(range(5)), iter(range(2**70, 2**70 + 3)),
            iter((1, 2)), reversed(numbers), reversed((1, 2)), reversed(base), reversed(base.items()), iter(base),
            iter(base.values()), iter({5, 6}), iter(deque([1, 2])), zip(numbers, "abc"), enumerate("abc", 2),
            zip(numbers, map(lambda x: x, "xyz")), enumerate(map(lambda x: x, "xyz")), map(str, numbers),
            filter(lambda x: x > 1, numbers), iter([]), reversed(range(4)), iter(bytearray(b"zz")),
        ]
        out: list[Any] = [[next(w, "none") for w in walks]]
        await act("park")
        numbers.append(9)
        out.append([next(w, "none") for w in walks])
        await act("park again")
        out.append([list(w) for w in walks])
        out.append([[type(e).__name__, str(e), isinstance(e, ValueError), e.args if i else 0] for i, e in enumerate(errors)])
        out.append([errors[-1].code, errors[-1].__cause__ is errors[0], errors[3].__context__ is None])
        held[-3]()
        held[-5]("x")
        out.append([repr(h) for h in held[:33]])
        out.append([held[-7]("q", "w"), held[-6]("b"), held[-4](["1", "2"]), held[-3](), held[-1](1, 2)])
        out.append([held[33] is ValueError, held[36] is int, held[37]([1]), held[38]([2, 1]), held[26] is Color.GREEN])
        out.append([held[7][1][1] is base, held[28].tags, held[29].items[0].name, held[30] == base.keys()])
        base["c"] = 3
        out.append([len(held[30]), list(held[31])[-1], held[3]["new"], held[0].maxlen, held[39]("up")])
        return repr(out)


CASES = [
    VmEverythingAlive, VmFailingGenerators,
    VmArithmetic, VmCalls, VmBadCalls, VmTooDeep, VmClosures, VmKeyFunctions, VmLazyIterators, VmStrictZip, VmChangingWhileIterating,
    VmErrors, VmUnhandled, VmBareRaise, VmUnboundNames, VmObjects, VmAliases, VmSetsAndDicts, VmAwaitEverywhere,
]  # fmt: skip


def returned(x: Any) -> Any:
    return x


def raised(x: Any) -> Any:
    raise ValueError(x)


def listed(a: int, b: int = 2, c: int = 3) -> Any:
    return [a, b, c]


OUTCOMES = {"act": returned, "fail": raised, "two": listed}
