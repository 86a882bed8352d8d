"""Functions under ``@contextmanager``: generators as context managers."""

import contextlib
from contextlib import contextmanager
from dataclasses import dataclass

from tests.language.steps import boom, echo, note
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
