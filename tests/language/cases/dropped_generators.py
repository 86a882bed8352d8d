"""Generators that nothing refers to any more while they are suspended: their ``finally`` runs there and then."""

from tests.language.steps import boom, note
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
