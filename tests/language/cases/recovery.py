"""State that must outlive a recovery: iterators, views, aliases, sets in models, closures, kept errors and calls."""

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel

from tests.language.steps import Colour, Point, boom, double, echo, note, numbers
from waymark import Workflow, workflow


class Tagged(BaseModel):
    labels: set[str] = set()
    pairs: dict[str, set[int]] = {}
    frozen: frozenset[int] = frozenset()
    pick: tuple[int, ...] = ()
    span: timedelta | None = None


@dataclass
class Node:
    name: str
    children: list = field(default_factory=list)
    parent: object = None
    seen: set = field(default_factory=set)


@workflow
class ViewsStayLive(Workflow):
    async def run(self):
        d = {"a": 1}
        keys, values, items = d.keys(), d.values(), d.items()
        await note("x")
        d["b"] = 2
        await note("y")
        return list(keys), list(values), list(items), len(keys), "b" in keys, keys & {"b"}, repr(items)


@workflow
class IteratorsStayInPlace(Workflow):
    async def run(self):
        out = []
        sources = [iter([1, 2, 3]), iter("abc"), iter({"x": 1, "y": 2, "z": 3}), iter(range(5, 50, 10)), iter((7, 8, 9)), reversed([1, 2, 3]), enumerate("pqr"), zip("ab", [1, 2]), iter({4, 5, 6} & {4}), iter(deque([1, 2]))]
        for it in sources:
            out.append(next(it))
        await note("between")
        out.append([list(it) for it in sources])
        return out


@workflow
class ADequeChangedBeforeARecovery(Workflow):
    async def run(self):
        q = deque([1, 2, 3, 4])
        walks = [iter(q), reversed(q), iter(q), iter(deque())]
        out = [next(walks[0]), next(walks[1])]
        await note("unchanged")
        out += [next(walks[0]), next(walks[1]), next(walks[3], "empty")]
        q.rotate(1)
        await note("changed")
        for walk in walks:
            try:
                out.append(next(walk))
            except (RuntimeError, StopIteration) as error:
                out.append(repr(error))
        await note("again")
        out += [next(walk, "ended") for walk in (walks[1], walks[3])]
        try:
            for x in q:
                out.append(x)
                q.append(x) if len(q) < 6 else q.popleft()
                await note(str(x))
        except RuntimeError as error:
            out.append(str(error))
        return out, list(q)


@workflow
class LazyIteratorsStayInPlace(Workflow):
    async def run(self):
        base = 10
        gen = iter(x + base for x in range(4))
        mapped = map(lambda v: v * base, [1, 2, 3])
        kept = filter(lambda v: v % 2, range(7))
        chained = zip((c for c in "abcd"), map(str.upper, "wxyz"))
        out = [next(gen), next(mapped), next(kept), next(chained)]
        base = await double(50)
        out += [next(gen), next(mapped), next(kept), next(chained)]
        await note("again")
        return out, list(gen), list(mapped), list(kept), list(chained)


@workflow
class AliasesSurvive(Workflow):
    async def run(self):
        shared = [1]
        point = Point(1)
        box = {"a": shared, "b": [shared, shared], "p": point, "q": (point, shared)}
        cycle = [box]
        box["self"] = cycle
        await note("x")
        shared.append(2)
        point.x = 99
        await note("y")
        return box["b"][0] is shared, box["q"][0] is box["p"], box["a"], box["p"].x, box["q"][1], box["self"][0] is box, len(box)


@workflow
class TreeWithParents(Workflow):
    async def run(self):
        root = Node("root")
        for name in await echo(["a", "b"]):
            child = Node(name, parent=root)
            root.children.append(child)
            root.seen.add(name)
            await note(name)
        return [c.name for c in root.children], all(c.parent is root for c in root.children), sorted(root.seen)


@workflow
class SetsInModels(Workflow):
    async def run(self):
        t = Tagged(labels={"b", "a"}, pairs={"k": {1}}, frozen=[3, 3, 4], pick=[1, 2])
        t.labels.add("c")
        t.pairs["k"].add(2)
        t.pairs["m"] = {9}
        u = await echo(t)
        u.labels.discard("a")
        v = t.model_copy(deep=True)
        v.labels.clear()
        w = Tagged.model_validate({"labels": ["x", "x"]})
        return t, u, sorted(t.labels), sorted(u.labels), t == u, v.labels, w.labels | {"y"}, isinstance(t.labels, set), 3 in t.frozen, sorted(t.model_dump()["labels"]), type(t.frozen).__name__, t.pick


@workflow
class SetsInDataclasses(Workflow):
    async def run(self):
        n = Node("n", seen={1, 2})
        m = await echo(n)
        m.seen |= {3}
        n.seen = n.seen - {1}
        return n.seen, m.seen, n == m, repr(Node("x", seen={5}))


@workflow
class ErrorKeptAcrossSteps(Workflow):
    async def run(self):
        kept = None
        try:
            try:
                await boom("ValueError", "inner", 1)
            except ValueError as e:
                await note("handling")
                raise LookupError("outer") from e
        except LookupError as e:
            kept = e
        await note("later")
        try:
            raise kept
        except LookupError as e:
            await note("again")
            return repr(e), repr(e.__cause__), repr(e.__context__), e is kept, e.__cause__.args


@workflow
class HandlingSurvives(Workflow):
    async def run(self):
        out = []
        try:
            await boom("KeyError", "first")
        except KeyError:
            await note("a")
            try:
                await boom("ValueError", "second")
            except ValueError as e:
                await note("b")
                out.append(repr(e.__context__))
                try:
                    raise TypeError("third")
                except TypeError as t:
                    await note("c")
                    out.append((repr(t.__context__), repr(t.__context__.__context__)))
            await note("d")
            try:
                raise
            except KeyError as again:
                out.append(repr(again.__context__))
        return out


@workflow
class PendingFinally(Workflow):
    async def run(self):
        log = []
        try:
            try:
                log.append(await note("body"))
                return log, await note("value")
            finally:
                log.append(await note("inner finally"))
                try:
                    await boom("ValueError", "in finally")
                except ValueError:
                    log.append(await note("handled"))
        finally:
            log.append(await note("outer finally"))


@workflow
class CallsHeldWhileOthersRun(Workflow):
    async def run(self):
        held = [double(i) for i in range(3)]
        other = self.helper(1)
        await note("x")
        group = asyncio.gather(*held, other)
        await note("y")
        return await group

    async def helper(self, n):
        await asyncio.sleep(1)
        return n


@workflow
class ClosuresSeeRebinding(Workflow):
    async def run(self):
        n = 1
        add = lambda x: x + n
        before = add(1)
        n = await double(10)
        after = add(1)
        fs = [lambda x: x * k for k in range(3)]
        await note("x")
        return before, after, [f(10) for f in fs], (lambda *a, k=2, **kw: (a, k, kw))(1, k=3, z=4)


@workflow
class ContainersOfEveryKind(Workflow):
    async def run(self):
        c = Counter("aab")
        d = defaultdict(list)
        q = deque([1, 2, 3], maxlen=3)
        s = {3, 1, 2}
        f = frozenset("ab")
        b = bytearray(b"x")
        r = range(3)
        z = slice(1, 2)
        big = 10**40
        nan = float("nan")
        e = Colour.RED
        await note("x")
        c["z"] += 1
        d["k"].append(1)
        q.append(4)
        s.add(9)
        b.append(33)
        await note("y")
        return c, d, q, s, f, b, r[1], "abc"[z], big + 1, nan == nan, [nan] == [nan], e is Colour.RED, type(c).__name__, q.maxlen


@workflow
class ManyTasksAtDifferentPlaces(Workflow):
    async def run(self):
        self.events = []
        got = await asyncio.gather(*[self.work(i) for i in range(4)], return_exceptions=True)
        return [repr(g) for g in got], self.events

    async def work(self, i):
        for turn in range(i + 1):
            try:
                await asyncio.gather(double(turn), asyncio.sleep(i))
                if turn == 2:
                    await boom("ValueError", i)
            except ValueError as e:
                self.events.append((i, str(e)))
                await note(f"{i} failed")
                raise
            finally:
                self.events.append((i, turn, await echo(i * turn)))
        return i


@workflow
class DeepHelpers(Workflow):
    async def run(self):
        return await self.down(12, [])

    async def down(self, n, path):
        if n == 0:
            await note("bottom")
            return path
        try:
            return await self.down(n - 1, [*path, n])
        finally:
            if n % 5 == 0:
                await note(f"up {n}")


@workflow
class LongHistory(Workflow):
    async def run(self):
        total = 0
        for i in range(40):
            total += await double(i)
            if i % 10 == 9:
                await asyncio.sleep(60)
        return total


@workflow
class GeneratorFails(Workflow):
    async def run(self):
        out, xs = [], [0]
        try:
            xs.extend(10 // v for v in [5, 2, 0, 1])
        except ZeroDivisionError as e:
            out.append(str(e))
        try:
            sum(v * "a" for v in [1, "x"])
        except TypeError as e:
            out.append(str(e))
        try:
            list(map(lambda v: 1 // v, [1, 0]))
        except ZeroDivisionError:
            out.append("map")
        s = {1}
        try:
            s.update(v if v else [] for v in [2, 0, 3])
        except TypeError as e:
            out.append(str(e))
        return out, xs, s


@workflow
class InputsAndSelf(Workflow):
    shared = {"list": [1]}

    def __init__(self):
        self.own = []

    async def run(self):
        self.own.append(self.shared["list"])
        await note("x")
        self.shared["list"].append(2)
        await note("y")
        return self.own, self.shared, self.own[0] is self.shared["list"]
