"""Assignment: names, unpacking, chains, walrus, augmented, subscripts, attributes, del."""

from tests.language.steps import double, echo, numbers
from waymark import Workflow, workflow

INPUTS = {
    "Swap": [{"a": 1, "b": 2}, {"a": "x", "b": None}],
    "StarredUnpack": [{"items": [1, 2, 3, 4]}, {"items": [1, 2]}, {"items": [1]}, {"items": "abc"}],
    "WrongCount": [{"items": [1]}, {"items": [1, 2, 3]}, {"items": 5}, {"items": None}],
    "UnboundAfterBranch": [{"flag": True}, {"flag": False}],
}


@workflow
class Swap(Workflow):
    async def run(self, a, b):
        a, b = b, a
        c = d = [a]
        d.append(b)
        return a, b, c, c is d


@workflow
class NestedUnpack(Workflow):
    async def run(self):
        (a, [b, (c, d)]), e = (1, [2, (3, 4)]), 5
        [f, g] = await echo([6, 7])
        return [a, b, c, d, e, f, g]


@workflow
class StarredUnpack(Workflow):
    async def run(self, items):
        first, *middle, last = await echo(items)
        *init, tail = items
        return first, middle, last, init, tail


@workflow
class WrongCount(Workflow):
    async def run(self, items):
        try:
            a, b = items
        except (ValueError, TypeError) as e:
            return type(e).__name__, str(e)
        return a, b


@workflow
class Chained(Workflow):
    async def run(self):
        box = {"n": 0}
        box["a"] = box["b"] = other = await double(4)
        x = y, z = 1, 2
        return box, other, x, y, z


@workflow
class ChainedOrder(Workflow):
    async def run(self):
        log = []
        items = [0, 0, 0]
        i = 0
        i = items[i] = 2
        log.append(items)
        j = 1
        items[j] = j = 0
        return items, i, j, log


@workflow
class Walrus(Workflow):
    async def run(self):
        total = 0
        while (n := total + 3) < 20:
            total = await double(n)
        if (m := await double(2)) > 3 and (k := m + 1):
            total += k
        return n, total, m, [last := v for v in [1, 2, 3]], last


@workflow
class AugmentedAll(Workflow):
    async def run(self):
        x = 7
        x += 3
        x -= 1
        x *= 5
        x //= 2
        x %= 13
        x **= 2
        x <<= 3
        x >>= 1
        x |= 1
        x &= 0xFF
        x ^= 0x0F
        y = 9.0
        y /= 4
        s = "ab"
        s *= 2
        s += "!"
        return x, y, s


@workflow
class AugmentedAlias(Workflow):
    async def run(self):
        a = [1]
        b = a
        a += [2]
        c = (1,)
        d = c
        c += (2,)
        e = {1}
        f = e
        e |= {2}
        g = {"a": 1}
        h = g
        g |= {"b": 2}
        return a, b, c, d, sorted(e), f is e, h


@workflow
class AugmentedSubscript(Workflow):
    async def run(self):
        box = {"n": [1, 2], "m": {"k": 1}}
        box["n"][0] += await double(5)
        box["m"]["k"] *= 3
        box["n"] += [9]
        grid = [[0] * 3 for _ in range(2)]
        grid[1][2] += 4
        grid[0][-1] -= 1
        return box, grid


@workflow
class AugmentedReadsFirst(Workflow):
    async def run(self):
        xs = [1, 2]
        i = 0
        xs[i] += await double(xs[i])
        box = {"v": 1}
        box["v"] += await echo(box["v"] + 10)
        return xs, box


@workflow
class TupleAugmentFails(Workflow):
    async def run(self):
        t = ([1],)
        try:
            t[0] += [2]
        except TypeError as e:
            return t, str(e)


@workflow
class Annotated(Workflow):
    async def run(self):
        x: int = 5
        y: "list[int]"
        y = [x]
        return x, y


@workflow
class DeleteThings(Workflow):
    async def run(self):
        xs = [1, 2, 3, 4]
        del xs[1]
        d = {"a": 1, "b": 2}
        del d["a"], xs[0]
        del xs[:1]
        x = 1
        del x
        try:
            x
        except NameError as e:
            return xs, d, type(e).__name__, str(e)


@workflow
class UnboundAfterBranch(Workflow):
    async def run(self, flag):
        if flag:
            value = 1
        return value


@workflow
class SelfAttributes(Workflow):
    limit = 3
    names = ["a"]

    def __init__(self):
        self.count = 0

    async def run(self):
        self.count += 1
        self.names = self.names + ["b"]
        self.extra = await double(self.limit)
        self.extra += self.count
        return self.count, self.names, self.extra, self.limit


@workflow
class MissingSelfAttribute(Workflow):
    async def run(self):
        try:
            return self.nothing_here
        except AttributeError as e:
            return str(e)


@workflow
class AliasingThroughContainers(Workflow):
    async def run(self):
        inner = [1]
        outer = [inner, inner]
        await echo(0)
        outer[0].append(2)
        copy = list(outer)
        copy[0].append(3)
        await echo(1)
        return outer, inner, outer[0] is outer[1]


@workflow
class CutOffAliasing(Workflow):
    async def run(self):
        mine = [1]
        theirs = await echo(mine)
        theirs.append(2)
        return mine, theirs


@workflow
class SliceAssignment(Workflow):
    async def run(self):
        xs = await numbers(8)
        xs[1:3] = ["a", "b", "c"]
        xs[::4] = ["x"] * len(xs[::4])
        xs[len(xs):] = [99]
        try:
            xs[::2] = [1]
        except ValueError as e:
            return xs, str(e)


@workflow
class UnpackInFor(Workflow):
    async def run(self):
        out = []
        for i, (a, *b) in enumerate([(1, 2, 3), "xy"]):
            out.append((i, a, b))
        for d["k"], out[0] in [(1, 2)] if (d := {}) is not None else []:
            pass
        return out, d
