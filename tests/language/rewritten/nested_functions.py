"""In place of what nested functions, generators and captured names cannot do."""

import asyncio
import os
from dataclasses import dataclass, field

from tests.language.steps import double, note
from waymark import Workflow, action, workflow

INPUTS = {"SeveralInOneStatementRewritten": [{"x": 1}]}


@action
async def send(text: str) -> int:
    return len(f"{text} with {os.environ.get('TOKEN', '')!r:.0}")


@dataclass
class Options:
    token: str = field(default_factory=str)


def shared(x, into=None):
    into = [] if into is None else into
    into.append(x)
    return into


@workflow
class DecoratedByTheLibraryRewritten(Workflow):
    async def run(self):
        known = {}

        def cached(x):
            if x not in known:
                known[x] = x
            return known[x]

        def fixed():
            return 1

        return cached(1), fixed(), cached(1)


@workflow
class YieldInLambdaRewritten(Workflow):
    async def run(self):
        def f():
            yield await_free

        await_free = await double(1)
        return list(f())


class Above(Workflow):
    async def given(self):
        return await double(3)


@workflow
class SuperInNestedFunctionRewritten(Above):
    async def run(self):
        given = await super().given()

        def inner():
            return given

        return inner()


@workflow
class AnnotationThatRunsRewritten(Workflow):
    async def run(self):
        def inner(a: int, b: "str" = "1", c: int | None = None) -> int:
            return a

        return inner(await double(1))


@workflow
class RunActionOfAHelperRewritten(Workflow):
    async def run(self):
        first = await self.helper()
        await asyncio.sleep(1)
        return first, [await self.run_action(double(1))]

    async def helper(self):
        return await self.run_action(double(1), timeout=5)


@workflow
class SecretsOfTheEnvironmentRewritten(Workflow):
    async def run(self):
        return await send("x"), Options("given")


@workflow
class SharedDefaultRewritten(Workflow):
    async def run(self):
        mine = shared(1)
        await note("x")
        return mine, shared(2), shared(3, mine)


@workflow
class SelfAssignedInsideRewritten(Workflow):
    async def run(self):
        other = 1

        def inner():
            nonlocal other
            other = None

        inner()
        return other


@workflow
class SeveralInOneStatementRewritten(Workflow):
    async def run(self, x):
        if x in {1: "a"}:
            for item in sorted([3, x], key=lambda value: -value):
                if item == 3:
                    break
        return x
