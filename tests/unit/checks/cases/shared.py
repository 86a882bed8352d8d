"""Containers of the module and of the class that a run changes; and those that are its own."""

from collections import Counter, deque

from waymark import Workflow, action, workflow

STATS = {"runs": 0}
SEEN: set[int] = set()
QUEUE = deque([1, 2])
WORDS = Counter("ab")
LIMITS = (1, 2)
SHARED = {"queue": QUEUE, "deep": {"list": [1]}}


@action
async def act(x: int) -> int:
    return x


def remember(x: int) -> None:
    SEEN.add(x)


@workflow
class Counts(Workflow):
    limits: list[int] = []

    async def run(self, x: int) -> int:
        STATS["runs"] += 1
        del STATS["runs"]
        QUEUE.popleft()
        WORDS.update("c")
        SHARED["queue"].append(x)
        SHARED["deep"]["list"][0] = x
        remember(x)
        self.limits.append(await act(x))
        return len(SEEN)


@workflow
class KeepsItsOwn(Workflow):
    limits: list[int] = []
    kept: list[int] = []

    def __init__(self) -> None:
        self.kept = []

    async def run(self, x: int) -> int:
        stats = dict(STATS)
        stats["runs"] += 1
        self.limits = [*self.limits]
        self.limits.append(x)
        self.kept.append(x)
        seen = SEEN | {await act(x)}
        seen.add(LIMITS.index(1) + STATS["runs"] + max(QUEUE) + WORDS["a"])
        return len(seen)
