"""Functions under ``@contextmanager`` and ``@asynccontextmanager``: generators as context managers."""

import asyncio
import contextlib
from contextlib import asynccontextmanager, contextmanager
from contextlib import contextmanager as manager_of
from dataclasses import dataclass

from tests.language.steps import boom, double, echo, note, numbers
from waymark import Workflow, workflow


@contextmanager
def appended(log, name="x", *, loud=False):
    log.append(f"enter {name}")
    try:
        yield name.upper() if loud else name
    finally:
        log.append(f"leave {name}")


@contextlib.contextmanager
def swallowing(*kinds):
    caught = []
    try:
        yield caught
    except kinds as error:
        caught.append(repr(error))


@contextmanager
def translated(kind):
    try:
        yield
    except kind as error:
        raise RuntimeError("translated") from error


@contextmanager
def silent():
    if False:
        yield


@contextmanager
def twice():
    yield 1
    yield 2


@contextmanager
def stubborn_one(log):
    try:
        yield
    except BaseException as error:
        log.append(type(error).__name__)
        yield
    log.append("end")


@contextmanager
def never_closes():
    for _ in range(3):
        try:
            yield 1
        except BaseException:
            pass


@contextmanager
def stops():
    try:
        yield
    except ValueError:
        raise StopIteration("mine") from None


@contextmanager
def failing_to_enter(kind):
    if kind:
        raise kind("enter")
    yield


@contextmanager
def failing_to_leave(log):
    try:
        yield
    finally:
        log.append("leaving")
        raise KeyError("leave")


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
class EnterAndLeave(Workflow):
    async def run(self):
        log = []
        with appended(log) as x, appended(log, name="y", loud=True) as y:
            log.append(await note(x + y))
        with appended(log, "z"):
            log.append("body")
        return log


@workflow
class LeavesOnEveryWayOut(Workflow):
    async def way(self, how, log):
        for n in range(3):
            with appended(log, str(n)):
                if how == "return":
                    return await echo(n)
                if how == "break" and n == 1:
                    break
                if how == "continue":
                    continue
                if how == "raise":
                    await boom("OSError", n)
        return "end"

    async def run(self):
        out = []
        for how in ("return", "break", "continue", "raise"):
            log = []
            try:
                log.append(await self.way(how, log))
            except OSError as error:
                log.append(repr(error))
            out.append(log)
        return out


@workflow
class SwallowsInTheGenerator(Workflow):
    async def run(self):
        with swallowing(ValueError, KeyError) as caught:
            await boom("KeyError", "k")
            caught.append("unreached")
        try:
            with swallowing(ValueError) as other:
                raise OSError(1, "through")
        except OSError as error:
            return caught, other, repr(error), repr(error.__context__)


@workflow
class TranslatesErrors(Workflow):
    async def run(self):
        try:
            with translated(LookupError):
                await boom("IndexError", "i")
        except RuntimeError as error:
            return str(error), repr(error.__cause__), repr(error.__context__)


@workflow
class NeverYields(Workflow):
    async def run(self):
        out = []
        for outer in (None, KeyError("outer")):
            try:
                try:
                    if outer:
                        raise outer
                finally:
                    with silent():
                        await note("never")
            except RuntimeError as error:
                out.append((str(error), repr(error.__cause__), error.__suppress_context__, repr(error.__context__), repr(error.__context__.__context__)))
        return out


@workflow
class YieldsTwice(Workflow):
    async def run(self):
        out = []
        try:
            with twice() as first:
                out.append(first)
        except RuntimeError as error:
            out.append((str(error), repr(error.__context__)))
        try:
            with twice():
                raise ValueError("body")
        except ValueError as error:
            out.append((str(error), repr(error.__context__)))
        return await echo(out)


@workflow
class YieldsAfterTheThrow(Workflow):
    async def run(self):
        log = []
        try:
            with stubborn_one(log):
                await boom("ValueError", "body")
        except RuntimeError as error:
            log.append((str(error), repr(error.__context__), repr(error.__context__.__context__)))
        return log


@workflow
class IgnoresClose(Workflow):
    async def run(self):
        out = []
        for fails in (False, True):
            try:
                with never_closes():
                    if fails:
                        raise ValueError(await note("x"))
            except RuntimeError as error:
                context = error.__context__
                out.append((str(error), str(context), repr(context.__context__)))
        return out


@workflow
class StopIterationOutOfTheGenerator(Workflow):
    async def run(self):
        out = []
        try:
            with stops():
                raise ValueError("v")
        except RuntimeError as error:
            out.append((str(error), repr(error.__cause__)))
        try:
            with stops():
                raise StopIteration("body")
        except StopIteration as error:
            out.append((repr(error), error.value))
        except RuntimeError as error:
            out.append(str(error))
        return await echo(out)


@workflow
class FailsToEnter(Workflow):
    async def run(self):
        log = []
        try:
            with appended(log), failing_to_enter(OSError) as never:
                log.append(never)
        except OSError as error:
            log.append(repr(error))
        return await echo(log)


@workflow
class FailsToLeave(Workflow):
    async def run(self):
        log = []
        for fails in (False, True):
            try:
                with failing_to_leave(log):
                    if fails:
                        await boom("ValueError", "body")
            except KeyError as error:
                log.append((str(error), repr(error.__context__)))
        return log


@workflow
class SingleUse(Workflow):
    async def run(self):
        log = []
        manager = appended(log)
        with manager:
            await note("in")
        try:
            with manager:
                log.append("again")
        except AttributeError:
            log.append("used up")
        return log


@workflow
class ManagersAsValues(Workflow):
    async def run(self):
        log = []
        makers = [appended, lambda log, name: appended(log, name, loud=True)]
        managers = [make(log, await note(f"m{n}")) for n, make in enumerate(makers)]
        log.append("made")
        for manager in managers:
            with manager as name:
                log.append(name)
        return log


@workflow
class WrongArgumentsOfAManager(Workflow):
    async def run(self):
        out = []
        for args, keywords in (((), {}), (([], "a", "b"), {}), (([],), {"quiet": 1})):
            try:
                with appended(*args, **keywords):
                    out.append("entered")
            except TypeError as error:
                out.append(str(error))
        return await echo(out)


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
            async with appended([]):
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
            with appended(log, str(n)):
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


@dataclass
class Account:
    name: str
    open: int = 0

    @contextmanager
    def session(self, log):
        self.open += 1
        yield f"{self.name}:{self.open}"
        self.open -= 1
        log.append(self.open)


@workflow
class MethodsOfValues(Workflow):
    async def run(self):
        log = []
        account = Account("acc")
        with account.session(log) as outer, account.session(log) as inner:
            log.append(await note(outer + inner))
        return log, account


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
            with appended(log, "inner"), swallowing(asyncio.CancelledError):
                await asyncio.sleep(5)
                raise asyncio.CancelledError
        return log
