"""In place of syntax that is not part of the language: the rewrites that the diagnostics name."""

import json
from dataclasses import dataclass

from tests.language.steps import double, echo, numbers
from waymark import Workflow, action, workflow

INPUTS = {"SeveralProblemsRewritten": [{"x": 1}]}


@dataclass
class Inner:
    """A class at module level."""

    x: int = 1


@action
async def lines_of(name: str) -> list[int]:
    return [len(name), len(name) + 1]


@workflow
class NestedClassRewritten(Workflow):
    async def run(self):
        return Inner(await double(1))


def counted(counter):
    return counter + 1


@workflow
class GlobalInAHelperRewritten(Workflow):
    async def run(self):
        return counted(await double(1))


@workflow
class GlobalRewritten(Workflow):
    async def run(self):
        self.counter = 1
        await self.count()
        return self.counter

    async def count(self):
        self.counter += await double(1)


@workflow
class ImportInsideRewritten(Workflow):
    async def run(self):
        return json.dumps(await echo(1))


@workflow
class AsyncGeneratorExpressionRewritten(Workflow):
    async def run(self):
        async def items():
            yield await double(1)

        found = [x async for x in items()]
        return [x for x in found]


@workflow
class AwaitInGeneratorRewritten(Workflow):
    async def run(self):
        return list([await double(x) for x in [1, 2]])


@workflow
class EllipsisValueRewritten(Workflow):
    async def run(self):
        return None


@workflow
class AsyncForRewritten(Workflow):
    async def run(self):
        out = []
        for x in await numbers(3):
            out.append(await double(x))
        return out


@workflow
class SeveralProblemsRewritten(Workflow):
    async def run(self, x):
        for line in await lines_of("f"):
            x += line
        print(1 + 1)
        return x + 1
