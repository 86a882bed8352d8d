"""Retries that may hang, policies that cannot be read before they are used; and sound ones."""

from datetime import timedelta

from waymark import Workflow, action, workflow
from waymark.workflow import Backoff, RetryPolicy

SOUND = RetryPolicy(attempts=5, exception_types=[ConnectionError], backoff_seconds=2)
SECONDS = 30


@action
async def plain(x: int) -> int:
    return x


@action(retry=RetryPolicy(attempts=3))
async def stubborn(x: int) -> int:
    return x


@action(backoff=Backoff(base=1))
async def patient(x: int) -> int:
    return x


@action(retry=SOUND, timeout=30)
async def bounded(x: int) -> int:
    return x


@workflow
class Hanging(Workflow):
    async def run(self, x: int) -> None:
        await self.run_action(plain(x), retry=RetryPolicy(attempts=5))
        await self.run_action(plain(x), retry=SOUND)
        await self.run_action(plain(x), backoff=Backoff(base=1, factor=2))
        await stubborn(x)
        await stubborn(x + 1)
        await self.run_action(patient(x))


@workflow
class Unreadable(Workflow):
    async def run(self, x: int, seconds: float) -> None:
        await self.run_action(plain(x), retry=RetryPolicy(attempts=x), timeout=30)
        await self.run_action(plain(x), timeout=seconds)
        policy = RetryPolicy(attempts=2)
        await self.run_action(plain(x), retry=policy, timeout=3)


@workflow
class Faulty(Workflow):
    async def run(self, x: int) -> None:
        await self.run_action(plain(x), retry=RetryPolicy(attempts=0), timeout=30)
        await self.run_action(plain(x), timeout=-1)
        await self.run_action(plain(x), timeout=0)
        await self.run_action(plain(x), retry=3, timeout=3)
        await self.run_action(plain(x), backoff=Backoff(base=1, factor=0.5), timeout=3)


@workflow
class Sound(Workflow):
    limit = timedelta(minutes=1)
    policy = RetryPolicy(attempts=2)

    async def run(self, x: int) -> None:
        await plain(x)
        await bounded(x)
        await self.run_action(bounded(x), retry=RetryPolicy(attempts=9))
        await self.run_action(plain(x), retry=SOUND, timeout=SECONDS)
        await self.run_action(plain(x), retry=RetryPolicy(attempts=1))
        await self.run_action(plain(x), retry=None, timeout=2 * 60)
        await self.run_action(plain(x), retry=self.policy, timeout=self.limit)
        await self.run_action(plain(x), timeout=timedelta(seconds=1))
        await self.run_action(stubborn(x), timeout=5)


@workflow
class SilencedPolicy(Workflow):
    async def run(self, x: int, seconds: float) -> None:
        await self.run_action(plain(x), retry=SOUND)  # waymark: ignore[WM303]
        await self.run_action(plain(x), timeout=seconds)  # waymark: ignore[WM304]
