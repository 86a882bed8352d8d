"""``contextlib.closing`` and ``aclosing``: what they close, and what leaves them."""

import asyncio
import contextlib
from contextlib import aclosing, closing
from dataclasses import dataclass, field

from tests.language.steps import boom, double, note
from waymark import Workflow, workflow


async def counted(log, name="g"):
    n = 0
    try:
        while True:
            yield await double(n)
            n += 1
    except ValueError as error:
        log.append(f"{name} threw {error}")
        raise
    finally:
        log.append(await note(f"{name} is closed"))


def letters(log):
    try:
        yield from "abc"
    finally:
        log.append("letters are closed")


@dataclass
class Door:
    log: list = field(default_factory=list)
    stuck: bool = False

    def close(self):
        self.log.append("closed")
        if self.stuck:
            raise OSError("stuck")

    async def aclose(self):
        self.log.append(await note("closed later"))


@workflow
class ClosesGenerators(Workflow):
    async def run(self):
        log, got = [], []
        async with aclosing(counted(log)) as numbers:
            async for n in numbers:
                if n > 2:
                    break
                got.append(n)
        with closing(letters(log)) as found:
            got.append(next(found))
        return got, log, await self.first(log)

    async def first(self, log):
        async with contextlib.aclosing(counted(log, "outer")) as outer, aclosing(counted(log, "inner")) as inner:
            async for n in outer:
                async for m in inner:
                    return n, m


@workflow
class ClosesAfterErrors(Workflow):
    async def run(self):
        seen, log = [], []
        try:
            async with aclosing(counted(log)) as numbers:
                await anext(numbers)
                await boom("ValueError", "inside")
        except ValueError as error:
            seen.append((repr(error), repr(error.__context__)))
        for door in (Door(log), Door(log, stuck=True)):
            try:
                with closing(door) as same:
                    raise KeyError(same is door)
            except (KeyError, OSError) as error:
                seen.append((repr(error), repr(error.__context__)))
        try:
            with closing([]):
                log.append("nothing to close")
        except AttributeError as error:
            seen.append(str(error))
        return seen, log


@workflow
class ClosesWhenCancelled(Workflow):
    async def run(self):
        door = Door()

        async def held():
            async with aclosing(door):
                await asyncio.sleep(100)

        task = asyncio.create_task(held())
        await note("between")
        task.cancel()
        got = await asyncio.gather(task, return_exceptions=True)
        async with aclosing(door) as same:
            pass
        return repr(got), door.log, same is door
