"""Shapes of workflows and calls that cannot be compiled."""

from tests.language.steps import double
from waymark import RetryPolicy, Workflow, workflow

class Meta(type):
    pass


class Strange(metaclass=Meta):
    pass


@workflow
class UnknownDecorator(Workflow):
    async def run(self):
        return self.cached()

    @__import__("functools").lru_cache
    def cached(self):
        return 1


@workflow
class RunActionWrong(Workflow):
    async def run(self):
        await self.run_action(double, retry=RetryPolicy(attempts=2))
        await self.run_action(5)
        await self.run_action(double(1), attempts=3)


@workflow
class UnfinishedFeatures(Workflow):
    async def run(self):
        self.set_tag("a", "b")
        await self.wait_event("go")


@workflow
class SuperOutside(Workflow):
    async def run(self):
        parent = super()
        return parent


@workflow
class StrangeClass(Workflow):
    async def run(self):
        return Strange()


@workflow
class MetaclassAttribute(Workflow):
    handler = print
    ready = Strange()

    async def run(self):
        return self.handler, self.ready
