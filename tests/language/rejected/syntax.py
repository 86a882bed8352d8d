"""Syntax that is not part of the language, or not yet."""

from tests.language.steps import double, echo, numbers
from waymark import Workflow, workflow


@workflow
class NestedClass(Workflow):
    async def run(self):
        class Inner:
            pass

        return 1


@workflow
class Global(Workflow):
    async def run(self):
        global counter
        counter = 1


def counted():
    global counter
    counter = 1


@workflow
class GlobalInAHelper(Workflow):
    async def run(self):
        counted()


@workflow
class ImportInside(Workflow):
    async def run(self):
        import json

        return json.dumps(1)


@workflow
class AsyncGeneratorExpression(Workflow):
    async def run(self):
        async def items():
            yield await double(1)

        lazily = (x async for x in items())
        return [x async for x in lazily]


@workflow
class AwaitInGenerator(Workflow):
    async def run(self):
        return list(await double(x) for x in [1, 2])


@workflow
class EllipsisValue(Workflow):
    async def run(self):
        return ...


@workflow
class SeveralProblems(Workflow):
    async def run(self, x):
        import os

        for line in open("f"):
            x += os.path.join(line)
        print(eval("1"))
        return x + ...
