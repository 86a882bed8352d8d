"""Workflows that the tests of the bridge start; nothing runs them here but the tests' own pool."""

from waymark import Workflow, action, workflow


@action
async def greet(who: str) -> str:
    return f"hello {who}"


@workflow
class Greeting(Workflow):
    async def run(self, who: str) -> str:
        return await greet(who)


@workflow
class Counting(Workflow):
    async def run(self, number: int) -> int:
        return number
