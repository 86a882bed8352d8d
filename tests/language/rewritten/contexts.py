"""In place of context managers that a workflow cannot hold."""

import asyncio
import contextlib
import io
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


@action
async def printed_elsewhere(text: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print(text)
    return out.getvalue()


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
        log, undo = [], []
        try:
            for number in range(3):
                log.append(f"step {number}")
                undo.append(lambda number=number: log.append(f"undo {number}"))
            await boom("ValueError", "x")
        except ValueError:
            log.append("failed")
        finally:
            for back in reversed(undo):
                back()
        return log


@workflow
class AsyncStackRewritten(Workflow):
    async def run(self):
        undo = []
        try:
            for number in range(3):
                kept = await echo(number)
                undo.append(lambda kept=kept: note(f"undo {kept}"))
            return len(undo)
        finally:
            for back in reversed(undo):
                await back()


@workflow
class RedirectedOutputRewritten(Workflow):
    async def run(self):
        return await printed_elsewhere("lost")


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
