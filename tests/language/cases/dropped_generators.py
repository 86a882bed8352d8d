"""Generators that nothing refers to any more while they are suspended: their ``finally`` runs there and then."""

import asyncio
from contextlib import contextmanager

from tests.language.steps import boom, echo, note
from waymark import Workflow, workflow


def with_finally(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("finally")


@workflow
class DroppedInALoop(Workflow):
    async def run(self):
        log = []
        for x in with_finally(log):
            log.append(("got", x))
            break
        log.append("after break")
        try:
            for x in with_finally(log):
                await boom("ValueError", str(x))
        except ValueError as e:
            log.append(str(e))

        def first_of(source):
            for x in source:
                return x, await_nothing

        await_nothing = await note("x")
        log.append(first_of(with_finally(log)))
        for x in with_finally(log):
            await note(f"suspended {x}")
        else:
            log.append("else")
        return log


@workflow
class DroppedElsewhere(Workflow):
    async def run(self):
        log = []
        log.append(next(with_finally(log)))
        log.append("next statement")
        g = with_finally(log)
        next(g)
        await note("held")
        g = None
        log.append("rebound")
        h = with_finally(log)
        log.append(next(h))
        del h
        log.append("deleted")

        def helper():
            inside = with_finally(log)
            return next(inside)

        log.append(helper())
        log.append("returned")
        held = {"g": with_finally(log)}
        next(held["g"])
        held.clear()
        log.append("cleared")

        def outer():
            try:
                yield from with_finally(log)
            finally:
                log.append("outer finally")

        for x in outer():
            break
        log.append("both")
        a, *b = with_finally(log)
        return log, a, b


@workflow
class DroppedAndReturning(Workflow):
    async def run(self):
        log = []

        def returning():
            try:
                yield 1
            finally:
                return

        for x in returning():
            break
        log.append("goes on")
        return log


@workflow
class LeftFromWithinATry(Workflow):
    async def run(self):
        log = []

        def from_try():
            for x in with_finally(log):
                try:
                    if x == 2:
                        return x
                    raise KeyError(x)
                except KeyError:
                    log.append("caught")

        async def from_handler():
            for x in with_finally(log):
                try:
                    await boom("ValueError", "early")
                except ValueError as e:
                    if x == 2:
                        return str(e)
            return None

        def from_finally():
            for x in with_finally(log):
                try:
                    raise KeyError(x)
                finally:
                    if x == 1:
                        continue
                    return x

        return (
            from_try(),
            await from_handler(),
            from_finally(),
            log,
        )


@workflow
class ReturnedOverThroughFinally(Workflow):
    async def run(self):
        log = []

        async def both():
            try:
                for x in with_finally(log):
                    try:
                        return x
                    finally:
                        log.append(await note("inner"))
            finally:
                log.append("outer")

        async def overruled():
            for x in with_finally(log):
                try:
                    for y in with_finally(log):
                        return x, y
                finally:
                    log.append("overruled")
                    if x == 1:
                        continue
                    break
            return "end"

        return (
            await both(),
            await overruled(),
            log,
        )


@contextmanager
def marked(log):
    try:
        yield "marked"
    except ValueError:
        log.append("swallowed")
    finally:
        log.append("left")


@workflow
class DroppedBeforeTheHandler(Workflow):
    async def run(self):
        log = []
        with marked(log):
            for x in with_finally(log):
                await boom("ValueError", str(x))
        try:
            for x in with_finally(log):
                try:
                    raise TypeError(x)
                finally:
                    log.append(await note("inner finally"))
        except* TypeError:
            log.append("group")
        try:
            try:
                for x in with_finally(log):
                    await boom("ValueError", str(x))
            finally:
                log.append("finally around")
        except ValueError:
            log.append("caught")
        for x in with_finally(log):
            with marked(log):
                try:
                    return log, x
                except KeyError:
                    log.append("never")
        return None


@workflow
class DroppedInnermostFirst(Workflow):
    async def run(self):
        log = []

        def named(name):
            try:
                yield name
                yield name
            finally:
                log.append(name)

        try:
            for x in named("outer"):
                for y in named("inner"):
                    await boom("ValueError", x + y)
        except ValueError as error:
            log.append(str(error))

        def returned():
            for x in named("around"):
                for y in named("within"):
                    try:
                        return x, y
                    except ValueError:
                        pass

        log.append(returned())
        return log


@workflow
class DroppedByCoroutinesThatEnd(Workflow):
    """Whether they awaited something or not, and whoever awaited them."""

    async def run(self):
        log = []
        for waits in (False, True):
            log.append(await self.holding(log, waits))
            log.append(await asyncio.create_task(self.holding(log, waits)))
            async with asyncio.TaskGroup() as group:
                group.create_task(self.holding(log, waits))
            log.append("group")
            log.append(await asyncio.gather(self.holding(log, waits), self.holding(log, waits)))
            log.append(await asyncio.wait_for(self.outer(log, waits), 5))
        return log

    async def holding(self, log, waits):
        held = with_finally(log)
        next(held)
        if waits:
            await echo(1)
        return "ended"

    async def outer(self, log, waits):
        held = with_finally(log)
        next(held)
        inner = await self.holding(log, waits)
        log.append("inner ended")
        return inner


@workflow
class DroppedAsTemporaries(Workflow):
    """Held by nothing but what a builtin or an expression was given."""

    async def run(self):
        log = []
        log.append(next(zip(with_finally(log), [1])))
        log.append(next(map(str, with_finally(log))))
        log.append(next(filter(None, with_finally(log))))
        log.append(next(enumerate(with_finally(log))))
        log.append(next(x * y for x in with_finally(log) for y in with_finally(log)))
        log.append(list(zip(with_finally(log), [1])))
        log.append(next(iter(with_finally(log))))
        log.append(2 in with_finally(log))
        log.append(any(x == 1 for x in with_finally(log)))
        return log


@workflow
class DroppedFromCells(Workflow):
    async def run(self):
        log = []
        held = other = with_finally(log)
        next(held)

        def get():
            return held, other

        log.append(len(get()))
        del held
        log.append("one is left")
        del other
        log.append("deleted")
        other = with_finally(log)
        log.append(next(other))
        other = await note("rebound")
        log.append(other)
        return log
