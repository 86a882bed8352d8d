"""In place of shapes of workflows and calls that cannot be compiled."""

from dataclasses import dataclass

from tests.language.steps import double, note
from waymark import RetryPolicy, Workflow, workflow


@dataclass
class Plain:
    x: int = 1


@workflow
class UnknownDecoratorRewritten(Workflow):
    async def run(self):
        self.kept = None
        return self.cached(), self.cached()

    def cached(self):
        if self.kept is None:
            self.kept = 1
        return self.kept


@workflow
class RunActionWrongRewritten(Workflow):
    async def run(self):
        one = await self.run_action(double(1), retry=RetryPolicy(attempts=2))
        return one, await self.helper()

    async def helper(self):
        return await self.run_action(double(2), timeout=5)


@workflow
class UnfinishedFeaturesRewritten(Workflow):
    async def run(self):
        return await note("go")


class Parent(Workflow):
    def described(self):
        return "parent"


@workflow
class SuperOutsideRewritten(Parent):
    async def run(self):
        return super().described()


@workflow
class StrangeClassRewritten(Workflow):
    async def run(self):
        return Plain(await double(1))


@workflow
class MetaclassAttributeRewritten(Workflow):
    ready = True

    async def run(self):
        self.handled(self.ready)
        return self.ready

    def handled(self, what):
        print(what)
