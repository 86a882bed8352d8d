"""Helpers: methods, inherited ones, super(), defaults, keyword-only, recursion, module functions, lambda keys."""

from tests.language.steps import add, boom, double, echo, note
from waymark import Workflow, workflow

LIMIT = 5
NAMES = ("a", "b")
TABLE = {"x": [1, 2]}

INPUTS = {"Defaults": [{}, {"a": 5}, {"c": 7, "a": 1}], "Factorial": [{"n": 0}, {"n": 6}], "RunDefaults": [{}, {"n": 3}]}


def plain(x, y=2, *rest, key="k", **more):
    return x, y, rest, key, more


def gcd(a, b):
    return a if b == 0 else gcd(b, a % b)


async def twice(call_value):
    first = await double(call_value)
    return await double(first)


async def wrapped(n):
    try:
        return await twice(n)
    finally:
        await note(f"wrapped {n}")


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def fails():
    raise ValueError("from a helper")


class Base(Workflow):
    factor = 2

    async def shared(self, n):
        return await double(n) * self.factor

    def describe(self):
        return "base", self.factor

    def overridden(self):
        return "base version"

    @staticmethod
    def static(a, b=1):
        return a + b


@workflow
class Inherited(Base):
    factor = 3

    async def run(self):
        return await self.shared(2), self.describe(), self.overridden(), self.static(4)

    def describe(self):
        return ("child", *super().describe())

    def overridden(self):
        return "child version of " + super().overridden()


@workflow
class SuperAsync(Base):
    async def run(self):
        return await self.shared(5)

    async def shared(self, n):
        return [await super().shared(n), await super().shared(n + 1)]


@workflow
class Defaults(Workflow):
    async def run(self, a=1, *, c=3):
        return self.pick(a), self.pick(a, 5), self.pick(a, z=9), self.pick(b=a, a=0), plain(1), plain(1, 2, 3, 4, key="z", w=1)

    def pick(self, a, b=2, *, z=0):
        return a, b, z


@workflow
class RunDefaults(Workflow):
    async def run(self, n: int = 10, names: list | None = None) -> list:
        names = names or ["x"]
        names.append(await double(n))
        return names


@workflow
class HelperErrors(Workflow):
    async def run(self):
        out = []
        try:
            plain()
        except TypeError as e:
            out.append(str(e))
        try:
            gcd(1, 2, 3)
        except TypeError as e:
            out.append(str(e))
        try:
            self.method(1)
        except TypeError as e:
            out.append(str(e))
        try:
            await self.async_method(x=1)
        except TypeError as e:
            out.append(str(e))
        try:
            fails()
        except ValueError as e:
            out.append(str(e))
        return out

    def method(self):
        return 1

    async def async_method(self):
        return 2


@workflow
class Factorial(Workflow):
    async def run(self, n):
        return await self.fact(n)

    async def fact(self, n):
        if n <= 1:
            return 1
        return n * await self.fact(n - 1)


@workflow
class MutualRecursion(Workflow):
    async def run(self):
        return is_even(10), is_odd(7), gcd(48, 36)


@workflow
class ModuleHelpers(Workflow):
    async def run(self):
        return await wrapped(3), [await twice(i) for i in range(2)]


@workflow
class HelperWithFinally(Workflow):
    async def run(self):
        out = []
        for fail in (False, True):
            try:
                out.append(await self.guarded(fail, out))
            except KeyError as e:
                out.append(repr(e))
        return out

    async def guarded(self, fail, out):
        try:
            if fail:
                await boom("KeyError", "k")
            return "returned"
        finally:
            out.append(await note("cleanup"))


@workflow
class CapturedConstants(Workflow):
    async def run(self):
        table = TABLE
        table["x"].append(3)
        return LIMIT, NAMES, TABLE, await double(LIMIT)


@workflow
class CapturedConstantsAreFresh(Workflow):
    async def run(self):
        return TABLE


@workflow
class LambdaKeys(Workflow):
    async def run(self):
        rows = [("b", 2), ("a", 3), ("c", 1)]
        limit = await double(1)
        return [
            sorted(rows, key=lambda r: r[1]),
            sorted(rows, key=lambda r: r[0], reverse=True),
            max(rows, key=lambda r: r[1]),
            min(rows, key=lambda r: -r[1]),
            list(map(lambda r: r[0] * r[1], rows)),
            list(filter(lambda r: r[1] > limit, rows)),
            list(map(lambda a, b: a + b, [1, 2], [10, 20])),
            sorted(["bb", "a", "CCC"], key=str.lower),
            sorted(["bb", "a", "ccc"], key=len, reverse=True),
            list(map(str, [1, 2])),
        ]


@workflow
class SortWithKey(Workflow):
    async def run(self):
        xs = [3, -1, 2, -5]
        xs.sort(key=lambda x: x * x)
        ys = ["b", "A", "c"]
        ys.sort(key=str.lower)
        zs = [(1, "x"), (0, "y"), (1, "a")]
        zs.sort(key=lambda z: z[0])
        return xs, ys, zs


@workflow
class KeyRaises(Workflow):
    async def run(self):
        try:
            return sorted([1, 0, 2], key=lambda x: 1 / x)
        except ZeroDivisionError as e:
            return str(e)


@workflow
class HelperReturnsCall(Workflow):
    async def run(self):
        call = self.make(4)
        other = self.make(5)
        return await other, await call

    def make(self, n):
        return add(n, 1)


@workflow
class HelpersShareObjects(Workflow):
    async def run(self):
        xs = []
        self.fill(xs)
        await self.fill_later(xs)
        return xs

    def fill(self, xs):
        xs.append("sync")

    async def fill_later(self, xs):
        xs.append(await note("async"))


@workflow
class RecursionDepth(Workflow):
    async def run(self):
        try:
            return self.down(100_000)
        except RecursionError as e:
            return type(e).__name__

    def down(self, n):
        return 0 if n == 0 else 1 + self.down(n - 1)


@workflow
class StarCallsOfHelpers(Workflow):
    async def run(self):
        args = (1, 2)
        kw = {"key": "q"}
        return plain(*args, *[3], **kw), plain(0, *args, other=await echo(5)), plain(**{"x": 9})


@workflow
class StarCallErrors(Workflow):
    async def run(self):
        out = []
        try:
            plain(1, **{"x": 2})
        except TypeError as e:
            out.append(str(e))
        try:
            plain(1, **{1: 2})
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class PositionalOnly(Workflow):
    async def run(self):
        out = [self.strict(1, 2, c=3)]
        try:
            self.strict(a=1, b=2, c=3)
        except TypeError as e:
            out.append(str(e))
        try:
            self.strict(1, 2)
        except TypeError as e:
            out.append(str(e))
        return out

    def strict(self, a, /, b, *, c):
        return a, b, c
