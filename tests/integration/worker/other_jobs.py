"""A second application's workflows, with a version of their own."""

from waymark import Workflow, action, workflow


@action
async def double(x: int) -> int:
    return 2 * x


@workflow
class Doubled(Workflow):
    version = "one"

    async def run(self, x: int) -> int:
        return await double(x)
