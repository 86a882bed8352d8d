"""Expressions: operators, comparison chains, short circuits, f-strings, slices, displays, calls."""

from tests.language.steps import add, collect, double, echo, note
from waymark import Workflow, workflow

INPUTS = {
    "Arithmetic": [{"a": 7, "b": 2}, {"a": -7, "b": 2}, {"a": 7.5, "b": -2}, {"a": 10**30, "b": 7}, {"a": True, "b": 3}],
    "DivideByZero": [{"a": 1}, {"a": 1.5}, {"a": "x"}],
    "Ternary": [{"n": 3}, {"n": -3}, {"n": 0}],
    "Formats": [{"v": 3.14159, "w": 10}, {"v": 1234567.891, "w": 0}],
    "Slices": [{"text": "hello world"}, {"text": ""}],
}


@workflow
class Arithmetic(Workflow):
    async def run(self, a, b):
        return [a + b, a - b, a * b, a / b, a // b, a % b, a**2, -a, +a, divmod(a, b), abs(a), round(a / b, 3)]


@workflow
class Bitwise(Workflow):
    async def run(self):
        a, b = 0b1100, 0b1010
        return a & b, a | b, a ^ b, ~a, a << 3, a >> 2, -9 >> 1, True | False, {1, 2} & {2, 3}


@workflow
class DivideByZero(Workflow):
    async def run(self, a):
        try:
            return a / 0
        except (ZeroDivisionError, TypeError) as e:
            return type(e).__name__, str(e), e.args


@workflow
class ChainedComparison(Workflow):
    async def run(self):
        out = []
        for x in range(-1, 4):
            out.append((0 <= x < 3, 0 < x == 2 != 3, x in [1, 2] in [[1, 2]]))
        a = 1 < await double(2) < 5 > await double(1)
        b = 10 < await double(2) < await note("never")
        return out, a, b


@workflow
class ShortCircuit(Workflow):
    async def run(self):
        a = await echo(0) and await note("never")
        b = await echo("") or await note("second") or await note("never")
        c = not await echo([]) and 5
        d = (await echo(1)) and (await echo(None)) or (await echo("last"))
        return a, b, c, d


@workflow
class Ternary(Workflow):
    async def run(self, n):
        return "pos" if n > 0 else await note("zero") if n == 0 else await note("neg")


@workflow
class EvaluationOrder(Workflow):
    async def run(self):
        log = []
        log.append("start")
        value = [await note("a"), (log.append("b"), await note("c"))[1], {await note("d"): await note("e")}]
        total = await add(await double(1), b=await double(2)) + await double(3) * await double(4)
        return value, total, log


@workflow
class NamesRebindWhileAwaiting(Workflow):
    async def run(self):
        x = 1
        y = x + (x := await double(5)) + x
        d = {"k": x, "l": (x := 3), "m": x}
        t = (x, (x := x + 1), x)
        f = f"{x}{(x := await double(x))}{x}"
        return y, d, t, f, x


@workflow
class MethodLookedUpFirst(Workflow):
    async def run(self):
        xs = [1]
        keep = xs
        xs.append((xs := await echo([9]))[0])
        return xs, keep


@workflow
class Formats(Workflow):
    async def run(self, v, w):
        name = "ann"
        return [
            f"{v:.2f}",
            f"{v:>{w}.1f}|",
            f"{name!r:*^{w}}|",
            f"{v=}",
            f"{name=!s}",
            f"{v = :.1e}",
            f"{{literal}} {name.upper()} {w:03d} {w:x} {int(v):,}",
            f"{[1, 'a', None]} {({'k': (1,)})} {await echo(name)!r}",
            "%s-%05.1f-%r" % (name, v, name),
            "{0} {n!r} {1:>5}".format(w, "x", n=name),
            f"{v:{'.3' if w else '.1'}f}",
            f"""multi
{name}""",
        ]


@workflow
class Slices(Workflow):
    async def run(self, text):
        xs = list(text)
        return [text[:3], text[-3:], text[::-1], text[1:-1:2], xs[10:2], xs[2::3], text[5:1:-1], tuple(xs)[:2], b"abc"[1:]]


@workflow
class IndexErrors(Workflow):
    async def run(self):
        out = []
        for container, key in [([1], 5), ({"a": 1}, "b"), ("abc", 9), ((1,), "x"), ({"a": 1}, 1.5), (5, 0), (None, 0)]:
            try:
                out.append(container[key])
            except Exception as e:
                out.append((type(e).__name__, str(e)))
        return out


@workflow
class Displays(Workflow):
    async def run(self):
        xs = [1, 2]
        d = {"a": 1, "b": 2}
        return [
            [0, *xs, *await echo([3]), 4],
            (*xs,),
            {**d, "b": 5, **{"c": 6}},
            {*xs, 2, 3} == {1, 2, 3},
            [*"ab", *range(2), *d, *d.items()],
            {1: "a", 1.0: "b", True: "c"},
            (),
            {},
            set(),
        ]


@workflow
class StarErrors(Workflow):
    async def run(self):
        out = []
        for value in (5, None):
            try:
                out.append([*value])
            except TypeError as e:
                out.append(str(e))
            try:
                out.append({**value})
            except TypeError as e:
                out.append(str(e))
        return out


@workflow
class CallForms(Workflow):
    async def run(self):
        args = [1, 2]
        kw = {"x": 3}
        return [
            await collect(),
            await collect(*args),
            await collect(0, *args, 9, k=1, **kw),
            await collect(**{"a": await double(1)}),
            await add(*[4]),
            await add(**{"b": 1, "a": 2}),
        ]


@workflow
class WrongArguments(Workflow):
    async def run(self):
        out = []
        try:
            await add()
        except TypeError as e:
            out.append(str(e))
        try:
            await add(1, 2, 3)
        except TypeError as e:
            out.append(str(e))
        try:
            await add(1, c=3)
        except TypeError as e:
            out.append(str(e))
        try:
            await add(1, a=3)
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class BigIntegers(Workflow):
    async def run(self):
        n = 1
        for i in range(1, 60):
            n *= i
        return n, await echo(n), n % 1_000_007, n // 10**50, str(n)[:10], n.bit_length(), -n >> 100, pow(3, 1000, 10**9)


@workflow
class Floats(Workflow):
    async def run(self):
        xs = [0.1 + 0.2, 1e300 * 1e10, -1e300 * 1e10, 1 / 3, 1e16, 1e-7, 123456789.123456789, -0.0, 5.0]
        nan = float("nan")
        return xs, [str(x) for x in xs], [repr(x) for x in xs], nan == nan, nan in [nan], sum([0.1] * 10), round(2.5), round(3.5), int(-2.7)


@workflow
class MixedNumbers(Workflow):
    async def run(self):
        return 1 == 1.0 == True, {1: "int"}[1.0], 3 * True, 2**0.5, 7 // 2.0, 2**-1, 10 % 3.5, True + True


@workflow
class Identity(Workflow):
    async def run(self):
        a = [1]
        b = [1]
        n = await echo(None)
        return a is b, a is a, a == b, n is None, n is not None, (await echo(True)) is True


@workflow
class Membership(Workflow):
    async def run(self):
        d = {"a": 1}
        return ["a" in d, 1 in d, 2 not in [1, 3], "bc" in "abcd", 3 in range(0, 10, 3), 4 in range(0, 10, 3), (1, 2) in {(1, 2)}, None in (None,)]


@workflow
class TypeErrors(Workflow):
    async def run(self):
        out = []
        for a, b in [(1, "a"), ([], {}), (None, 1), ("a", 1), ((1,), [2])]:
            try:
                out.append(a + b)
            except TypeError as e:
                out.append(str(e))
            try:
                out.append(a < b)
            except TypeError as e:
                out.append(str(e))
        try:
            "a" * 2.5
        except TypeError as e:
            out.append(str(e))
        try:
            -"x"
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class Literals(Workflow):
    async def run(self):
        return [0xFF, 0b11, 0o17, 1_000, 1e3, "a" "b", b"\x00a", """x
y""", r"\n", "\u00e9", None, True, 1.5][:14]


@workflow
class AwaitAnywhere(Workflow):
    async def run(self):
        xs = [1, 2, 3]
        xs[await echo(0)] = await double(10)
        d = {await note("k"): await double(1)}
        d[await note("k2")] = -await double(2)
        s = xs[await echo(0) : await echo(2)]
        t = (await echo({"a": {"b": 5}}))["a"]["b"]
        u = (await echo("hello")).upper().replace("L", await note("-"))
        v = len(await echo([1, 2])) + max(await double(3), await double(1))
        w = f"{await double(21):>{await echo(5)}}"
        assert await echo(True), await note("not reached")
        return xs, d, s, t, u, v, w, not await echo(1), [await double(i) for i in xs if await echo(i > 1)]
