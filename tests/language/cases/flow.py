"""Control flow: if, for, while with break, continue and else; early return; assert; pass."""

from tests.language.steps import add, double, echo, note
from waymark import Workflow, workflow

INPUTS = {
    "IfElif": [{"n": n} for n in (-1, 0, 5, 50)],
    "ForElse": [{"wanted": 3}, {"wanted": 30}],
    "WhileElse": [{"stop": 3}, {"stop": 30}],
    "NestedReturn": [{"n": 2}, {"n": 9}],
    "Asserts": [{"n": 1}, {"n": 0}, {"n": -1}],
    "Truthiness": [{}],
}


@workflow
class IfElif(Workflow):
    async def run(self, n):
        if n < 0:
            return "negative"
        elif n == 0:
            result = await note("zero")
        elif await echo(n > 10):
            result = await note("big")
        else:
            pass
            result = "small"
        return result


@workflow
class ForElse(Workflow):
    async def run(self, wanted):
        seen = []
        for i in range(10):
            if i % 2 == 0:
                continue
            if await double(i) == wanted * 2:
                break
            seen.append(i)
        else:
            seen.append("not found")
        return seen, i


@workflow
class WhileElse(Workflow):
    async def run(self, stop):
        n = 0
        while n < 5:
            n += 1
            if n == 2:
                continue
            if n == stop:
                break
            await note(str(n))
        else:
            return "ran out", n
        return "stopped", n


@workflow
class WhileTrue(Workflow):
    async def run(self):
        n = 1
        while True:
            n = await double(n)
            if n > 20:
                return n


@workflow
class NestedReturn(Workflow):
    async def run(self, n):
        for i in range(5):
            for j in range(5):
                if i * j == n:
                    return i, j
                if j > i:
                    break
            else:
                await note(f"row {i}")
        return None


@workflow
class NoReturn(Workflow):
    async def run(self):
        await note("only")


@workflow
class BareReturn(Workflow):
    async def run(self):
        if await echo(1):
            return
        await note("never")


@workflow
class LoopVariableAfter(Workflow):
    async def run(self):
        for x in []:
            pass
        try:
            return x
        except UnboundLocalError as e:
            return str(e)


@workflow
class LoopOverEverything(Workflow):
    async def run(self):
        out = []
        for x in "ab":
            out.append(x)
        for x in (1, 2):
            out.append(await double(x))
        for k in {"a": 1, "b": 2}:
            out.append(k)
        for k, v in {"a": 1, "b": 2}.items():
            out.append((k, await double(v)))
        for v in {"a": 1}.values():
            out.append(v)
        for i, c in enumerate("xy", start=5):
            out.append((i, c))
        for a, b in zip([1, 2, 3], "ab"):
            out.append((a, b))
        for x in reversed([1, 2]):
            out.append(await echo(x))
        for x in range(10, 0, -4):
            out.append(x)
        for x in {3}:
            out.append(x)
        for x in map(str, [1, 2]):
            out.append(x)
        for x in filter(None, [0, 1, "", "z"]):
            out.append(x)
        for b in b"ab":
            out.append(b)
        return out


@workflow
class AwaitWhileIterating(Workflow):
    async def run(self):
        out = []
        d = {"a": 1, "b": 2, "c": 3}
        for (k, v), n in zip(d.items(), enumerate(reversed([7, 8, 9]))):
            out.append((k, await add(v, n[1]), n[0]))
        for x in map(len, ["a", "bb"]):
            out.append(await double(x))
        for x in filter(str.isupper, ["a", "B", "C"]):
            out.append(await note(x))
        return out


@workflow
class ListGrowsWhileIterating(Workflow):
    async def run(self):
        xs = [1, 2]
        for x in xs:
            await note(str(x))
            if len(xs) < 5:
                xs.append(x * 10)
        return xs


@workflow
class DictChangesWhileIterating(Workflow):
    async def run(self):
        d = {"a": 1}
        try:
            for k in d:
                await note(k)
                d[k + "x"] = 1
        except RuntimeError as e:
            return str(e), d


@workflow
class SetChangesWhileIterating(Workflow):
    async def run(self):
        s = {1}
        try:
            for k in s:
                await note(str(k))
                s.add(k + 1)
        except RuntimeError as e:
            return str(e), len(s)


@workflow
class NotIterable(Workflow):
    async def run(self):
        out = []
        for value in (5, None, 1.5):
            try:
                for _ in value:
                    pass
            except TypeError as e:
                out.append(str(e))
        return out


@workflow
class Asserts(Workflow):
    async def run(self, n):
        assert n != 0
        assert n > 0, f"bad {n}"
        return n


@workflow
class Truthiness(Workflow):
    async def run(self):
        out = []
        for x in [0, 1, "", "a", [], [0], {}, {1: 1}, None, 0.0, set(), (), range(0), range(1), b"", "0"]:
            out.append("T" if x else "F")
        return "".join(out)


@workflow
class DeeplyNested(Workflow):
    async def run(self):
        out = []
        for i in range(3):
            n = 0
            while n < 3:
                if i == n:
                    if i % 2:
                        n += 1
                        continue
                    for j in range(2):
                        if j:
                            break
                        out.append((i, n, await double(j)))
                    else:
                        out.append("never")
                n += 1
            else:
                out.append(f"end {i}")
        return out


@workflow
class ManualIterator(Workflow):
    async def run(self):
        it = iter([1, 2, 3])
        a = next(it)
        b = await double(next(it))
        rest = list(it)
        end = next(it, "end")
        try:
            next(it)
        except StopIteration as e:
            return a, b, rest, end, e.value


@workflow
class SharedIterator(Workflow):
    async def run(self):
        it = iter(range(6))
        out = []
        for x in it:
            out.append((x, await double(next(it))))
        return out
