"""Workflows whose programs are kept as text beside this module; the text and digests are the same on every Python."""

import asyncio
from enum import Enum
from typing import NamedTuple

from waymark import RetryPolicy, Workflow, action, workflow

LIMIT = 3
NAMES = {"b", "a", "c"}
TABLE: dict[str, list[int]] = {"x": [1, 2]}
PATIENT = RetryPolicy(attempts=LIMIT)


class Level(Enum):
    LOW = 1
    HIGH = 2


class Pair(NamedTuple):
    left: int
    right: str = "r"

    def swapped(self) -> tuple[str, int]:
        return self.right, self.left


class Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"refused: {code}")
        self.code = code


@action
async def fetch(n: int, *, level: Level = Level.LOW) -> list[Pair]:
    return [Pair(n)]


@action(name="store", retry=RetryPolicy(attempts=2), timeout=5)
def store(pair: Pair) -> int:
    return pair.left


def clamp(value: int, low: int = 0, *, high: int = 10) -> int:
    return max(low, min(value, high))


@workflow
class GoldenSteps(Workflow):
    factor = 2

    async def run(self, n: int = 1) -> int:
        pairs = await fetch(n, level=Level.HIGH)
        stored = await asyncio.gather(
            *[self.run_action(store(p), retry=PATIENT) for p in pairs if p.left]
        )
        total = 0
        for index, one in enumerate(stored):
            if one > LIMIT:
                continue
            total += clamp(one, high=index) * self.factor
        await asyncio.sleep(1.5)  # noqa: TID251 - durable: this is a workflow
        return total + sum(len(p.swapped()) for p in pairs)


@workflow
class GoldenFlow(Workflow):
    async def run(self, text: str) -> list[str]:
        out = [f"{text!r:>{LIMIT}} {len(text)=}", *sorted(NAMES), *TABLE]
        while out:
            try:
                item = out.pop()
                if not item:
                    break
                assert item in NAMES, f"no {item}"
            except (AssertionError, Refused) as e:
                if text:
                    raise Refused(-1) from e
            else:
                return [item]
            finally:
                TABLE["x"].append(await self.helper(len(out)))
        return sorted(out, key=lambda each: (each == text, -LIMIT))

    async def helper(self, n: int) -> int:
        return n if n < 1 else await self.helper(n - 1)
