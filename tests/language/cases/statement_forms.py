"""Every form of the simple statements, with ``await`` in odd places: ``del``, annotations, stars, walrus, f-strings, chains."""

from tests.language.steps import Point, boom, double, echo, note, numbers
from waymark import Workflow, workflow


@workflow
class FormsOfDel(Workflow):
    async def run(self):
        a, b, c = 1, [1, 2, 3, 4, 5, 6], {"x": {"y": 1}, "z": 2}
        p = Point(1, 2)
        self.q = 5
        del a, b[1:3], b[await echo(0)], c["x"]["y"], (c["z"])
        del [p.y], self.q
        d = b
        del (d[::2])
        out = []
        for f in (lambda: a, lambda: self.q):
            try:
                out.append(f())
            except (NameError, AttributeError) as e:
                out.append(str(e))
        try:
            p.y
        except AttributeError as e:
            out.append(str(e))
        try:
            del p.y
        except AttributeError as e:
            out.append(str(e))
        return b, c, out


@workflow
class FormsOfAnnotated(Workflow):
    async def run(self):
        x: int
        y: list[int] = await numbers(2)
        self.z: str = "q"
        y[0]: int = 7
        (w): int = 3
        p = Point(1)
        p.x: int = await double(4)
        try:
            return x
        except UnboundLocalError as e:
            return str(e), y, self.z, w, p


@workflow
class FormsOfStars(Workflow):
    async def run(self):
        a = [1, 2]
        d = {(1, 2, 3): "k"}
        first, *rest = *a, *await numbers(2)
        for x, *y in [(1, 2, 3), (4,)]:
            a.append((x, y))
        return *a, d[1, 2, 3], d[*[1, 2], 3], first, *rest, [*"ab", *{}, *range(2)]


@workflow
class FormsOfWalrus(Workflow):
    async def run(self):
        out = []
        if (n := await double(3)) > 5 and (m := n + 1):
            out.append((n, m))
        while (n := n - 1) > 3:
            out.append(n)
        print(f"{(k := 5)} {k}")
        values = [last := i for i in range(3)]
        out.append((values, last))
        out.append([y for x in range(3) if (y := x * 2)])
        data = {"a": (v := 1), v: "b"}
        out.append(data)
        out.append((lambda: (q := 3) + q)())
        out.append(sorted([3, 1], key=lambda t: (u := -t)))
        out.append(a[(i := 1)] if (a := [1, 2]) else 0)
        return out, i


@workflow
class FormsOfFStrings(Workflow):
    async def run(self):
        x, width = 3.14159, 10
        name = "ab"
        return f"{x=}", f"{x = :.2f}", f"{name!r:>{width}}|{await double(2)=}", f"{x:{'>'}{width}.{2}}", f"{{}}{name}", f"{name=!s}", f"{'nested ' + f'{name}'}", f'{x:%}', f"{[n for n in range(2)]=}", f"{name:{'<' if x > 3 else '>'}5}|"


@workflow
class FormsOfChained(Workflow):
    async def run(self):
        log = []

        def tell(v):
            log.append(v)
            return v
        a = tell(1) < tell(2) < tell(3) > tell(0)
        b = tell(5) < tell(4) < tell(9)
        c = 1 < await double(1) <= 2 != 3 in [3] is not None
        d = not 1 < 2 == 2
        return a, b, c, d, log


@workflow
class FormsOfAsserts(Workflow):
    async def run(self):
        out = []
        for f in (lambda: 1, lambda: 0):
            try:
                assert f(), f"message {await echo(1)}"
                out.append("ok")
                assert await echo([]), (1, "t")
            except AssertionError as e:
                out.append(e.args)
        try:
            assert False
        except AssertionError as e:
            out.append((str(e), e.args))
        return out


@workflow
class FormsOfTryLoops(Workflow):
    async def run(self):
        out = []
        for n in range(5):
            try:
                if n == 0:
                    continue
                if n == 1:
                    raise ValueError(n)
                if n == 3:
                    break
                await note(str(n))
            except ValueError as e:
                out.append(str(e))
                continue
            else:
                out.append(("else", n))
            finally:
                out.append(("finally", n))
                if n == 2:
                    continue
            out.append(("end", n))
        else:
            out.append("loop else")
        while True:
            try:
                break
            finally:
                out.append(await note("f"))
        for n in range(3):
            try:
                return_value = n
                if n == 1:
                    return out, n
            finally:
                if n == 1:
                    break
        return out, return_value


@workflow
class FormsOfSubscripts(Workflow):
    async def run(self):
        m = {}
        m[1, 2] = "t"
        m[()] = "e"
        l = list(range(10))
        l[2:4], l[-1] = ["x"], await echo("last")
        l[::3] = [0] * len(l[::3])
        s = slice(1, 3)
        l[s] = []
        x = y = z = []
        x.append(await double(1))
        i = 0
        i, l[i] = 1, "i"
        (a, b), [c, *d] = (1, 2), "xyz"
        return m, l, x is y is z, i, a, b, c, d


@workflow
class FormsOfReturnStar(Workflow):
    async def one(self, *a, **k):
        return a, k

    async def run(self):
        return await self.one(*await numbers(2), *[5], **{"a": await double(1)}, b=3), (yield_ := 1)


@workflow
class FormsOfConditional(Workflow):
    async def run(self):
        x = await echo(0)
        y = (await echo(1) if x else await echo(2)) or await echo(3)
        z = x and await boom("ValueError") or "short"
        pass
        ...
        "docstring like"
        1 + 1
        return y, z, (lambda: None)(), [] or {} or None


@workflow
class FormsOfMultiline(Workflow):
    async def run(self):
        result = (
            await double(1)
            + await double(2)
        ) * -await double(3) ** 2
        return result, not await echo(1), ~await double(4), await double(2) if await echo(1) else 0
