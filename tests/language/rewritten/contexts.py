"""In place of context managers that a workflow cannot hold."""

import asyncio
import contextlib
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.language.steps import boom, echo, note
from waymark import Workflow, action, workflow


@action
async def read_file(name: str) -> str:
    return f"text of {name}"


@action
async def in_a_temporary_folder(word: str) -> int:
    return len(word)


@dataclass
class Timer:
    log: list = field(default_factory=list)

    def __enter__(self):
        self.log.append("in")
        return self

    def __exit__(self, kind, error, trace):
        self.log.append("out" if kind is None else kind.__name__)


@contextmanager
def noted(log):
    log.append("begin")
    try:
        yield len(log)
    finally:
        log.append("end")


@workflow
class OpenFileRewritten(Workflow):
    async def run(self):
        return await read_file("f")


@workflow
class ThreadLockRewritten(Workflow):
    async def run(self):
        lock, order = asyncio.Lock(), []

        async def guarded(n):
            async with lock:
                order.append(n)
                await echo(n)
                order.append(-n)

        await asyncio.gather(guarded(1), guarded(2))
        return order


@workflow
class StackRewritten(Workflow):
    async def run(self):
        log = []
        with noted(log) as first:
            with contextlib.suppress(ValueError):
                await boom("ValueError", "x")
            log.append(first)
        return log


@workflow
class AsyncStackRewritten(Workflow):
    async def run(self):
        async with asyncio.timeout(5):
            async with contextlib.nullcontext("inner") as inner:
                return await echo(inner)


@workflow
class ClosingManagerRewritten(Workflow):
    async def run(self):
        thing, closed = await echo([1]), []
        try:
            return thing, closed
        finally:
            closed.append(await note("closed"))


@workflow
class TemporaryFilesRewritten(Workflow):
    async def run(self):
        return await in_a_temporary_folder("word")


@workflow
class OwnClassRewritten(Workflow):
    async def run(self):
        with Timer() as timer:
            await echo(1)
        return timer.log


@workflow
class OwnObjectRewritten(Workflow):
    async def run(self):
        timer = Timer()
        try:
            with timer:
                await boom("KeyError", "x")
        except KeyError:
            timer.log.append("handled")
        return timer.log
