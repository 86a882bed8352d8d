"""Classes of the user's with ``__enter__`` and ``__exit__``, or their asynchronous twins, as context managers."""

import asyncio
from dataclasses import dataclass, field

from pydantic import BaseModel

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow


@dataclass
class Guard:
    name: str
    swallows: bool = False
    log: list = field(default_factory=list)

    def __enter__(self):
        self.log.append(f"enter {self.name}")
        return self

    def __exit__(self, kind, error, traceback):
        self.log.append((f"exit {self.name}", None if kind is None else kind.__name__, repr(error), traceback is None))
        return self.swallows


@dataclass
class Fragile:
    log: list
    fails_to_enter: bool = False
    fails_to_leave: bool = False

    def __enter__(self):
        self.log.append("enter")
        if self.fails_to_enter:
            raise OSError(1, "enter")
        return len(self.log)

    def __exit__(self, *details):
        self.log.append([each is None for each in details])
        if self.fails_to_leave:
            raise KeyError("leave")


@dataclass
class Passing:
    """Raises what it is told again, by itself: that is an error of its own."""

    mode: str

    def __enter__(self):
        return None

    def __exit__(self, kind, error, traceback):
        if error is None:
            return True
        match self.mode:
            case "again":
                raise error
            case "bare":
                raise
            case "from":
                raise RuntimeError("converted") from error
            case "falsy":
                return 0
            case "truthy":
                return [error]
            case "returns None":
                return None


class Session(BaseModel):
    url: str
    opened: int = 0
    notes: list[str] = []

    async def __aenter__(self):
        self.opened += 1
        self.notes.append(await note(f"open {self.url}"))
        return self.notes

    async def __aexit__(self, kind, error, traceback):
        self.notes.append(await note(f"close {self.url} {error!r}"))
        return isinstance(error, ValueError)


@dataclass
class Both(Guard):
    async def __aenter__(self):
        return await echo(self.__class__.__name__)

    async def __aexit__(self, *details):
        self.log.append(await note("async exit"))


@dataclass
class OnlyEnter:
    x: int = 0

    def __enter__(self):
        return self

    async def __aenter__(self):
        return self


@dataclass
class NotAsync:
    def __aenter__(self):
        return 5

    async def __aexit__(self, *details):
        return None


@dataclass
class Delegating:
    """Its methods are plain functions that return something to await."""

    name: str

    def __aenter__(self):
        return note(f"open {self.name}")

    def __aexit__(self, *details):
        return asyncio.sleep(1, False)


@dataclass
class Oops:
    def __aenter__(self):
        return boom("ValueError", "enter")

    def __aexit__(self, *details):
        return boom("KeyError", "leave")


@workflow
class GuardIsEntered(Workflow):
    async def run(self):
        guard = Guard("g")
        with guard as same, Guard("h", log=guard.log) as other:
            guard.log.append(await note(f"{same is guard} {other.name}"))
        return guard.log


@workflow
class GuardSwallows(Workflow):
    async def run(self):
        out = []
        for swallows in (True, False):
            with_log = Guard("g", swallows)
            try:
                with with_log:
                    await boom("ValueError", "body")
                out.append("after")
            except ValueError as error:
                out.append((str(error), repr(error.__context__)))
            out.append(with_log.log)
        return out


@workflow
class GuardOnEveryWayOut(Workflow):
    async def way(self, how, log):
        for n in (0, 1, 2):
            with Guard(str(n), log=log):
                if how == "return":
                    return n
                if how == "break":
                    break
                if how == "continue" and n == 1:
                    continue
                log.append(await double(n))
        return "end"

    async def run(self):
        out = []
        for how in ("return", "break", "continue"):
            log = []
            log.append(await self.way(how, log))
            out.append(log)
        return out


@workflow
class FragileOnes(Workflow):
    async def run(self):
        out = []
        for enter, leave, body in ((True, False, False), (False, True, False), (False, True, True), (False, False, True)):
            log = []
            try:
                with Fragile(log, enter, leave) as n:
                    log.append(await echo(n))
                    if body:
                        raise ValueError("body")
            except (OSError, KeyError, ValueError) as error:
                log.append((repr(error), repr(error.__context__)))
            out.append(log)
        return out


@workflow
class WhatExitMayDo(Workflow):
    async def run(self):
        out = []
        for mode in ("again", "bare", "from", "falsy", "truthy", "returns None"):
            try:
                try:
                    raise LookupError("outer")
                except LookupError:
                    with Passing(mode):
                        raise ValueError(await note(mode))
                    out.append("swallowed")
            except (ValueError, RuntimeError) as error:
                out.append((repr(error), repr(error.__cause__), repr(error.__context__), repr(error.__context__.__context__)))
        return out


@workflow
class AsyncSession(Workflow):
    async def run(self):
        session = Session(url="u")
        async with session as notes:
            notes.append(await note("body"))
            raise ValueError("swallowed")
        try:
            async with session:
                await boom("KeyError", "through")
        except KeyError as error:
            return session, str(error)


@workflow
class SessionsInParallel(Workflow):
    async def one(self, url):
        async with Session(url=url) as notes:
            await asyncio.sleep(len(url))
            return list(notes)

    async def run(self):
        return await asyncio.gather(*[self.one(url) for url in ("aaa", "b", "cc")])


@workflow
class SyncAndAsyncInOne(Workflow):
    async def run(self):
        both = Both("both")
        with both as outer:
            async with both as inner:
                both.log.append((outer is both, inner))
        return both.log


@workflow
class HalfManagers(Workflow):
    async def run(self):
        out = []
        for make in (OnlyEnter, NotAsync):
            try:
                with make():
                    out.append("entered")
            except TypeError as error:
                out.append(str(error).partition(" but")[0])
            try:
                async with make():
                    out.append("entered")
            except TypeError as error:
                out.append(str(error).partition(" but")[0])
        return await echo(out)


@workflow
class DelegatedAwaits(Workflow):
    async def run(self):
        async with Delegating("d") as opened:
            await note("inside")
        try:
            async with Oops():
                await note("never")
        except ValueError as error:
            return opened, str(error)


@workflow
class ManagerFromAnAction(Workflow):
    async def run(self):
        guard = await echo(Guard("travelled", True))
        with guard:
            raise OSError("in")
        return guard.log


@workflow
class GuardThroughAFinally(Workflow):
    async def run(self):
        log = []
        try:
            with Guard("outer", log=log):
                try:
                    with Guard("inner", True, log):
                        raise ValueError(1)
                    return await double(4)
                finally:
                    log.append(await note("finally"))
        finally:
            log.append("end")
            self.kept = log
            await note(str(len(log)))
