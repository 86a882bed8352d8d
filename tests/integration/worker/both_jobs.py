"""A workflow that no pool under test imports: its actions live in the modules of two."""

from tests.integration.worker.left_jobs import left
from tests.integration.worker.right_jobs import right
from waymark import Workflow, workflow


@workflow
class Both(Workflow):
    async def run(self, x: int, rounds: int) -> int:
        for _ in range(rounds):
            x = await left(x)
            x = await right(x)
        return x
