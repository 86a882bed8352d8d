"""Managers, patterns, groups, tasks and generators inside one another."""

import asyncio
from contextlib import contextmanager, asynccontextmanager, suppress, nullcontext
from dataclasses import dataclass
from typing import NamedTuple
from tests.language.steps import Point, boom, double, echo, note, numbers, user, User
from waymark import Workflow, workflow


@contextmanager
def outer(log):
    with inner(log, "a") as a, inner(log, "b"):
        try:
            yield a
        except ValueError as e:
            log.append(repr(e))
            raise KeyError("from outer") from e


@contextmanager
def inner(log, name):
    log.append("+" + name)
    try:
        yield name
    finally:
        log.append("-" + name)


@workflow
class TogetherNestedManagers(Workflow):
    async def run(self):
        log = []
        try:
            with outer(log) as a:
                log.append(a)
                await boom("ValueError", "x")
        except KeyError as e:
            log.append((repr(e), repr(e.__cause__), repr(e.__context__)))
        with outer(log):
            pass
        return log


@contextmanager
def recursive(n, log):
    log.append(n)
    if n:
        with recursive(n - 1, log) as x:
            yield x + 1
    else:
        yield 0
    log.append(-n)


@workflow
class TogetherRecursiveManager(Workflow):
    async def run(self):
        log = []
        with recursive(5, log) as depth:
            await note("x")
        return depth, log


@workflow
class TogetherGeneratorHoldsManager(Workflow):
    def gen(self, log):
        with inner(log, "g"):
            yield 1
            yield 2

    async def run(self):
        log = []
        g = self.gen(log)
        first = next(g)
        await note("between")
        rest = list(g)
        return first, rest, log


@workflow
class TogetherExceptionInTarget(Workflow):
    async def run(self):
        log = []
        try:
            with inner(log, "x") as (a, b, c):
                pass
        except ValueError as e:
            log.append(str(e))
        try:
            with inner(log, "abc") as (a, b, c):
                log.append((a, b, c))
                raise StopIteration(5)
        except StopIteration as e:
            log.append(e.value)
        except RuntimeError as e:
            log.append(repr(e.__cause__))
        return log


@asynccontextmanager
async def agroup(log):
    try:
        async with asyncio.TaskGroup() as g:
            yield g
    except* ValueError as eg:
        log.append([str(e) for e in eg.exceptions])


@workflow
class TogetherGroupInManager(Workflow):
    async def run(self):
        log = []
        async with agroup(log) as g:
            g.create_task(boom("ValueError", "one"))
            g.create_task(double(3))
        async with agroup(log) as g:
            t = g.create_task(double(4))
        return log, t.result()


@asynccontextmanager
async def atimeout(seconds):
    async with asyncio.timeout(seconds) as t:
        yield t


@workflow
class TogetherTimeoutInManager(Workflow):
    async def run(self):
        out = []
        for s in (1, 5):
            try:
                async with atimeout(3):
                    await asyncio.sleep(s)
                out.append("ok")
            except TimeoutError as e:
                out.append(("timeout", str(e)))
        return out


@workflow
class TogetherLockPassing(Workflow):
    async def run(self):
        log = []
        sem = asyncio.Semaphore(2)

        async def work(n):
            async with sem:
                log.append(("in", n))
                with suppress(ValueError):
                    await boom("ValueError", n)
                await asyncio.sleep(n)
                log.append(("out", n))
        await asyncio.gather(*(work(n) for n in range(4)))
        return log


class Cmd(NamedTuple):
    verb: str
    args: tuple = ()


@dataclass
class Tree:
    value: int
    left: object = None
    right: object = None


async def total(tree):
    match tree:
        case None:
            return 0
        case Tree(value=v, left=l, right=r):
            a, b = await asyncio.gather(total(l), total(r))
            return v + a + b + await echo(0)


@workflow
class TogetherRecursiveMatch(Workflow):
    async def run(self):
        t = Tree(1, Tree(2, Tree(3)), Tree(4, None, Tree(5)))
        out = [await total(t)]
        match [Cmd("go", ("n", 2)), {"t": t}]:
            case [Cmd(verb="go", args=(d, int(k))), {"t": Tree(left=Tree(left=Tree(value=deep)))}]:
                out.append((d, k, deep))
        match await user(1), t:
            case User(tags=[x]), (Tree(1, Tree(2, _), None as v) | Tree(1, Tree(2), Tree(v))):
                out.append((x, v))
        return out


@workflow
class TogetherMatchMutation(Workflow):
    async def run(self):
        data = {"items": [1, 2, 3]}
        match data:
            case {"items": [first, *rest]} if data["items"].append(await double(4)) is None and len(rest) == 3:
                return "seen"
            case {"items": [first, *rest]}:
                data["items"].clear()
                return first, rest, data


@workflow
class TogetherExceptStarInGenerator(Workflow):
    def gen(self, log):
        try:
            yield 1
            raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
        except* ValueError as e:
            got = yield "in handler"
            log.append((got, len(e.exceptions)))
        except* KeyError:
            log.append("key")
            yield "second"
        log.append("end")

    async def run(self):
        log = []
        out = []
        for x in self.gen(log):
            out.append(x)
            await note(str(x))
        return out, log


@workflow
class TogetherReturnInNestedFinallyWith(Workflow):
    async def run(self):
        log = []

        async def f():
            for i in range(3):
                try:
                    with inner(log, str(i)):
                        try:
                            if i == 1:
                                return await double(i)
                        finally:
                            with suppress(KeyError):
                                log.append(await note("f"))
                                raise KeyError
                            if i == 0:
                                continue
                finally:
                    log.append(("outer", i))
        return await f(), log


@workflow
class TogetherAssignInExceptStar(Workflow):
    async def run(self):
        out = []
        for kinds in ((ValueError,), (KeyError, ValueError), (OSError,)):
            try:
                try:
                    raise ExceptionGroup("x", [k() for k in kinds])
                except* ValueError:
                    out.append("v")
                    raise TypeError("replaced")
                except* KeyError as k:
                    out.append(("k", repr(k.__context__)))
            except TypeError as e:
                out.append(("T", repr(e.__context__)))
            except ExceptionGroup as e:
                out.append(("G", [repr(x) for x in e.exceptions], repr(e.__context__), repr(e.__cause__)))
        return out, await echo(1)


@workflow
class TogetherWithAndWalrus(Workflow):
    async def run(self):
        with (cm := nullcontext(await double(2))) as x, nullcontext(y := x + 1):
            z = [w for w in range(y) if (last := w) % 2]
        return x, y, z, last, cm is not None


@workflow
class TogetherMatchNonlocal(Workflow):
    async def run(self):
        found = None
        count = 0

        def look(value):
            nonlocal found, count
            match value:
                case {"k": found}:
                    count += 1
                case [found, *_] if count:
                    count += 10
            with nullcontext(value) as count_value:
                pass
            return count_value
        look({"k": 1})
        look([2, 3])
        await note("x")
        look([4])
        return found, count
