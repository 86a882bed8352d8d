"""Context managers that a workflow cannot hold."""

import contextlib
import tempfile
import threading
from contextlib import ExitStack

from tests.language.steps import echo
from waymark import Workflow, workflow


@workflow
class OpenFile(Workflow):
    async def run(self):
        with open("f") as f:
            return f.read()


@workflow
class ThreadLock(Workflow):
    async def run(self):
        with threading.Lock():
            return await echo(1)


@workflow
class Stack(Workflow):
    async def run(self):
        with ExitStack() as stack:
            stack.enter_context(contextlib.suppress(ValueError))
            return await echo(1)


@workflow
class AsyncStack(Workflow):
    async def run(self):
        async with contextlib.AsyncExitStack() as stack:
            return await echo(stack)


@workflow
class RedirectedOutput(Workflow):
    async def run(self):
        with contextlib.redirect_stdout(None), contextlib.chdir(await echo("elsewhere")):
            print("lost")


@workflow
class TemporaryFiles(Workflow):
    async def run(self):
        with tempfile.TemporaryDirectory() as place:
            return await echo(place)


class Timer:
    """A context manager that is no model, dataclass, named tuple or exception."""

    def __enter__(self):
        return self

    def __exit__(self, *details):
        return None


@workflow
class OwnClass(Workflow):
    async def run(self):
        with Timer() as timer:
            return await echo(str(timer))


TIMER = Timer()


@workflow
class OwnObject(Workflow):
    async def run(self):
        with TIMER:
            return await echo(1)
