"""``getattr`` and ``hasattr`` of the workflow itself, with constant names."""

from tests.language.steps import double, echo
from waymark import Workflow, workflow


@workflow
class AsksForItsMembers(Workflow):
    LIMIT = 3

    async def run(self):
        before = hasattr(self, "count"), getattr(self, "count", 7), getattr(self, "LIMIT"), hasattr(self, "LIMIT"), hasattr(self, "step")
        self.count = await double(5)
        step, other = getattr(self, "step"), getattr(self, "other", None)
        try:
            missing = getattr(self, "missing")
        except AttributeError as error:
            missing = str(error)
        self.LIMIT = 9
        after = hasattr(self, "count"), getattr(self, "count", None), getattr(self, "LIMIT", 1), getattr(self, "size"), getattr(self, "step", self.size) is None
        del self.count
        return before, after, await step(1), other, missing, hasattr(self, "count")

    async def step(self, n):
        return await echo(n)

    @property
    def size(self):
        return 4
