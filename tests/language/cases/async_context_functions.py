"""``@asynccontextmanager``, methods and nested functions as context managers, and both kinds together."""

import asyncio
from contextlib import asynccontextmanager, contextmanager
from contextlib import contextmanager as manager_of

from tests.language.steps import boom, double, echo, note, numbers
from waymark import Workflow, workflow


@contextmanager
def logged(log, name="x", *, loud=False):
    log.append(f"enter {name}")
    try:
        yield name.upper() if loud else name
    finally:
        log.append(f"leave {name}")


@contextmanager
def quiet(*kinds):
    caught = []
    try:
        yield caught
    except kinds as error:
        caught.append(repr(error))


@asynccontextmanager
async def connected(name, log):
    log.append(await note(f"open {name}"))
    try:
        yield await echo([name])
    finally:
        log.append(await note(f"close {name}"))


@asynccontextmanager
async def forgiving(*kinds):
    found = []
    try:
        yield found
    except kinds as error:
        found.append(await note(str(error)))


@asynccontextmanager
async def yields_twice(log):
    try:
        yield
    except GeneratorExit:
        log.append("closed")
        raise
    except ValueError:
        log.append(await note("once"))
    try:
        yield
    finally:
        log.append(await note("again"))


@asynccontextmanager
async def never_yields():
    await double(1)
    return
    yield


@asynccontextmanager
async def raises_stop(kind):
    try:
        yield
    except ValueError:
        raise kind from None


@workflow
class AsyncEnterAndLeave(Workflow):
    async def run(self):
        log = []
        async with connected("a", log) as a, connected("b", log) as b:
            log.append(await double(len(a + b)))
        return log


@workflow
class AsyncSwallowsAndRaises(Workflow):
    async def run(self):
        log = []
        async with forgiving(ValueError, KeyError) as found:
            async with connected("x", log):
                await boom("ValueError", "inside")
        try:
            async with forgiving(OSError):
                raise TypeError("other")
        except TypeError as error:
            return log, found, str(error)


@workflow
class AsyncReturnsAndLoops(Workflow):
    async def run(self):
        log = []
        for n in await numbers(3):
            async with connected(str(n), log) as name:
                if n == 0:
                    continue
                if n == 1:
                    return name, log
        return "unreached"


@workflow
class AsyncYieldsTwice(Workflow):
    async def run(self):
        log = []
        for fails in (False, True):
            try:
                async with yields_twice(log):
                    if fails:
                        raise ValueError("body")
            except RuntimeError as error:
                log.append((str(error), repr(error.__context__)))
        return log


@workflow
class AsyncNeverYields(Workflow):
    async def run(self):
        try:
            async with never_yields():
                await note("never")
        except RuntimeError as error:
            return str(error), repr(error.__context__)


@workflow
class AsyncStops(Workflow):
    async def run(self):
        out = []
        for kind in (StopIteration, StopAsyncIteration):
            try:
                async with raises_stop(kind):
                    raise ValueError("v")
            except RuntimeError as error:
                out.append((str(error), repr(error.__cause__)))
            try:
                async with raises_stop(kind):
                    raise StopAsyncIteration("body")
            except StopAsyncIteration as error:
                out.append(repr(error))
        return await echo(out)


@workflow
class WrongKindOfWith(Workflow):
    async def run(self):
        out = []
        try:
            async with logged([]):
                out.append("sync in async")
        except TypeError as error:
            out.append(str(error).partition(" (")[0])
        try:
            with connected("x", []):
                out.append("async in sync")
        except TypeError as error:
            out.append(str(error).partition(" (")[0])
        return await echo(out)


@workflow
class ParallelManagers(Workflow):
    async def one(self, n, log):
        async with connected(n, log) as name:
            with logged(log, str(n)):
                if n == 2:
                    await boom("ValueError", "two")
                return await double(n), name

    async def run(self):
        log = []
        results = await asyncio.gather(*[self.one(n, log) for n in range(4)], return_exceptions=True)
        return [repr(each) for each in results], sorted(log)


@workflow
class MethodsAsManagers(Workflow):
    def __init__(self):
        self.depth = 0

    @contextmanager
    def deeper(self, by=1):
        self.depth += by
        try:
            yield self.depth
        finally:
            self.depth -= by

    @asynccontextmanager
    async def watched(self, name):
        started = await note(f"start {name}")
        try:
            yield started
        finally:
            await note(f"stop {name} {self.depth}")

    @staticmethod
    @manager_of
    def doubled(n):
        yield n * 2

    async def run(self):
        with self.deeper() as one, self.deeper(by=3) as four, self.doubled(one + four) as ten:
            async with self.watched("w") as started:
                inner = await double(self.depth)
        make = self.deeper
        with make(7) as seven:
            pass
        return one, four, ten, inner, started, seven, self.depth


@workflow
class NestedDefinitions(Workflow):
    async def run(self):
        log = []

        @contextmanager
        def scope(name):
            log.append(name)
            yield len(log)
            log.append(f"/{name}")

        @asynccontextmanager
        async def remote(name):
            yield await note(name)
            log.append(await note(f"/{name}"))

        with scope("a") as n:
            async with remote("b") as b:
                log.append((n, b))
        return log


@workflow
class LongWayThrough(Workflow):
    async def run(self):
        log = []
        async with connected("sleep", log):
            await asyncio.sleep(3600)
            with logged(log, "inner"), quiet(asyncio.CancelledError):
                await asyncio.sleep(5)
                raise asyncio.CancelledError
        return log
