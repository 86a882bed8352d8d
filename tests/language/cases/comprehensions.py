"""Comprehensions: list, set, dict, generator arguments; nested, filtered, with await; scopes."""

from tests.language.steps import add, double, echo, note, numbers
from waymark import Workflow, workflow


@workflow
class AllKinds(Workflow):
    async def run(self):
        xs = [3, 1, 2, 3]
        return [
            [x * 2 for x in xs],
            {x: x * x for x in xs},
            sorted({x % 2 for x in xs}),
            list(x + 1 for x in xs),
            sum(x for x in xs if x > 1),
            any(x > 2 for x in xs),
            all(x > 2 for x in xs),
            max((x, -x) for x in xs),
            ",".join(str(x) for x in xs),
            dict((x, str(x)) for x in xs),
            tuple(x for x in xs),
            set(x for x in xs) == {1, 2, 3},
            sorted((x for x in xs), reverse=True),
        ]


@workflow
class SeveralClauses(Workflow):
    async def run(self):
        return [
            [(x, y) for x in range(3) for y in range(x) if (x + y) % 2],
            [x for row in [[1, 2], [3]] for x in row if x > 1 if x < 3],
            {(a, b): a * b for a in [1, 2] for b in "xy"},
            [[j * i for j in range(i)] for i in range(4)],
        ]


@workflow
class WithAwait(Workflow):
    async def run(self):
        return [
            [await double(x) for x in await numbers(3)],
            {await note(k): await double(v) for k, v in {"a": 1, "b": 2}.items()},
            sorted({await double(x % 2) for x in range(4)}),
            [x for x in range(4) if await echo(x % 2)],
            [[await add(i, j) for j in range(2)] for i in range(2)],
            [y for x in [1, 2] for y in await echo([x, x * 10])],
        ]


@workflow
class ScopeOfNames(Workflow):
    async def run(self):
        x = "outer"
        inner = [x for x in range(3)]
        k = [x + str(i) for i in range(2)]
        y = 5
        return x, inner, k, y


@workflow
class WalrusLeaks(Workflow):
    async def run(self):
        kept = [last := x for x in [1, 2, 3] if (big := x > 1)]
        any((found := x) == 2 for x in [1, 2, 3])
        return kept, last, big, found


@workflow
class EarlyStop(Workflow):
    async def run(self):
        seen = []
        a = any(seen.append(x) or x == 2 for x in [1, 2, 3])
        b = all((seen.append(x), x < 2)[1] for x in [1, 2, 3])
        n = next((x for x in [5, 6] if x > 5), None)
        m = next((x for x in [5, 6] if x > 50), "none")
        return a, b, n, m, seen


@workflow
class UnpackTargets(Workflow):
    async def run(self):
        pairs = [(1, (2, 3)), (4, (5, 6))]
        return [a + b + c for a, (b, c) in pairs], [rest for first, *rest in ["abc", "de"]], {k: v for k, *v in ["abc"]}


@workflow
class ErrorsInside(Workflow):
    async def run(self):
        out = []
        try:
            [1 / x for x in [1, 0]]
        except ZeroDivisionError as e:
            out.append(str(e))
        try:
            [x for x in 5]
        except TypeError as e:
            out.append(str(e))
        try:
            {[]: 1 for _ in [1]}
        except TypeError as e:
            out.append(str(e))
        try:
            {[x] for x in [1]}
        except TypeError as e:
            out.append(str(e))
        try:
            sum(x / 0 for x in [1])
        except ZeroDivisionError as e:
            out.append(str(e))
        return out


@workflow
class ClosureOverLocals(Workflow):
    async def run(self):
        factor = await double(2)
        names = {"a": 1}
        return sum(x * factor for x in range(4)), [k * names[k] for k in names], [self.scale(x) for x in range(2)]

    def scale(self, x):
        return x * 10


@workflow
class IterableEvaluatedFirst(Workflow):
    async def run(self):
        xs = [1, 2]
        gen = iter(x for x in xs)
        xs = [9]
        return list(gen), xs


@workflow
class GeneratorValueTwice(Workflow):
    async def run(self):
        gen = iter(x for x in range(3))
        first = list(gen)
        await note("between")
        second = list(gen)
        return first, second


@workflow
class GeneratorAcrossAwait(Workflow):
    async def run(self):
        gen = iter(x * x for x in range(4))
        out = [next(gen)]
        out.append(await double(next(gen)))
        for x in gen:
            out.append(await double(x))
        return out, next(gen, "empty")


@workflow
class GeneratorIntoEverything(Workflow):
    async def run(self):
        d = {}
        d.update((k, 1) for k in "ab")
        xs = [0]
        xs.extend(x for x in range(2))
        xs += iter(x for x in range(2))
        a, b = iter(x for x in "pq")
        s = {1}
        s.update(x for x in [2])
        z = list(zip((x for x in [1, 2]), "ab"))
        e = list(enumerate(x for x in "z"))
        f = [*iter(x for x in [7]), *xs]
        return d, xs, a, b, sorted(s), z, e, f, 2 in iter(x for x in [1, 2]), "-".join(c for c in "abc")
