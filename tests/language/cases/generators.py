"""Generators: nested and module-level ones, yield from, send, throw, close; kept over a recovery."""

from tests.language.steps import add, boom, double, echo, note
from waymark import Workflow, workflow

INPUTS = {"Until": [{"n": 0}, {"n": 3}]}


def countdown(n):
    while n > 0:
        yield n
        n -= 1
    return "lift-off"


def pairs(xs):
    for i, x in enumerate(xs):
        yield i, x


def flatten(xs):
    for x in xs:
        if isinstance(x, list):
            yield from flatten(x)
        else:
            yield x


def averaged():
    total, count, average = 0, 0, None
    while True:
        value = yield average
        if value is None:
            return total, count
        total += value
        count += 1
        average = total / count


def fibonacci():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def with_finally(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("finally")


def catching(log):
    while True:
        try:
            got = yield len(log)
            log.append(("got", got))
        except ValueError as e:
            log.append(("caught", str(e)))


@workflow
class Until(Workflow):
    async def run(self, n):
        out = []
        for x in countdown(n):
            out.append(await double(x))
        return out, list(countdown(n)), sum(countdown(n)), sorted(countdown(n)), dict(pairs("ab"))


@workflow
class StateSurvives(Workflow):
    async def run(self):
        g = fibonacci()
        first = [next(g) for _ in range(4)]
        await note("a")
        second = [next(g) for _ in range(3)]
        await note("b")
        held = {"g": g, "same": g}
        third = await double(next(held["g"]))
        return first, second, third, next(held["same"]), held["g"] is g


@workflow
class YieldFrom(Workflow):
    async def run(self):
        def outer():
            result = yield from countdown(2)
            yield result
            yield from [7, 8]
            yield from "xy"
            yield from range(2)
            return "done"

        def outermost(out):
            out.append((yield from outer()))

        out = []
        for x in outermost(out):
            out.append(x)
            await note("step")
        return out, list(flatten([1, [2, [3, [4]], 5]])), list(flatten([]))


@workflow
class NextWithDefault(Workflow):
    async def run(self):
        g = countdown(1)
        out = [next(g, "d"), next(g, "d"), next(g, None)]
        h = countdown(1)
        next(h)
        try:
            next(h)
        except StopIteration as e:
            out.append((e.value, str(e)))
        try:
            next(h)
        except StopIteration as e:
            out.append((e.value, str(e)))
        return out


@workflow
class Unpacking(Workflow):
    async def run(self):
        log = []

        def three():
            for i in range(3):
                log.append(i)
                yield i

        a, b, c = three()
        first, *rest = three()
        out = [a, b, c, first, rest, [*three()], {**dict(pairs("q"))}]
        log.clear()
        try:
            a, b = three()
        except ValueError as e:
            out.append(str(e))
        g = fibonacci()
        try:
            x, y = g
        except ValueError as e:
            out.append(str(e))
        out.append(next(g))
        try:
            a, b, c, d = three()
        except ValueError as e:
            out.append(str(e))
        return out, log


@workflow
class Endless(Workflow):
    async def run(self):
        g = fibonacci()
        out = [list(zip(g, "abc")), next(g), any(x > 50 for x in g), 377 in g, next(g)]
        out.append(any(map(lambda x: x > 3000, g)))
        for i, x in enumerate(g):
            if i == await echo(2):
                out.append(x)
                break
        return out


@workflow
class ConsumedByBuiltins(Workflow):
    async def run(self):
        log = []

        def noisy(n):
            for i in range(n):
                log.append(i)
                yield i

        out = [tuple(noisy(3)), set(noisy(2)), max(noisy(3)), min(noisy(2), default=9), all(noisy(3)), any(noisy(5))]
        out.append("-".join(str(x) for x in noisy(3)))
        out.append(list(map(lambda a, b: a + b, noisy(2), noisy(5))))
        out.append(list(filter(None, noisy(3))))
        out.append(list(reversed(list(noisy(2)))))
        xs = [9]
        xs.extend(noisy(2))
        xs[1:1] = noisy(1)
        xs += noisy(1)
        out.append(xs)
        return out, log


@workflow
class FailsWhileConsumed(Workflow):
    async def run(self):
        log = []

        def mixed():
            log.append("a")
            yield 1
            log.append("b")
            yield "two"
            log.append("c")
            yield 3

        g = mixed()
        out = []
        try:
            sum(g)
        except TypeError as e:
            out.append(str(e))
        out.append(list(log))
        out.append(next(g))

        def failing():
            yield 1
            yield 2
            raise LookupError("in the generator")

        xs = []
        try:
            xs.extend(failing())
        except LookupError as e:
            out.append((str(e), xs))
        return out


@workflow
class Tree(Workflow):
    async def run(self):
        def walk(node):
            if node is None:
                return
            left, value, right = node
            yield from walk(left)
            yield value
            yield from walk(right)

        tree = ((None, 1, None), 2, ((None, 3, None), await double(2), None))
        return [await add(x, 0) for x in walk(tree)]


@workflow
class Pipeline(Workflow):
    async def run(self):
        def evens(xs):
            for x in xs:
                if x % 2 == 0:
                    yield x

        def scaled(xs, by):
            for x in xs:
                yield x * by

        stage = scaled(evens(countdown(6)), 3)
        out = []
        for x in stage:
            out.append(await echo(x))
        return out


@workflow
class FailureInTheMiddle(Workflow):
    async def run(self):
        async def guarded(source):
            out = []
            try:
                for x in source:
                    out.append(x)
                    if x == 2:
                        await boom("ValueError", "at two")
            except ValueError as e:
                out.append(str(e))
                out.append(next(source))
            return out

        return await guarded(countdown(4))


@workflow
class Methods(Workflow):
    base = 10

    async def run(self):
        return list(self.counted(2)), [await double(x) for x in self.counted(1)], list(self.doubled())

    def counted(self, n):
        for i in range(n):
            yield self.base + i

    def doubled(self):
        yield from (x * 2 for x in self.counted(2))
