"""Who waits for a run, or for time to pass, in; the same told, on its own event loop, out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from waymark.requests import Outcome
from waymark_schema.errors import WaymarkError
from waymark_worker.testing.alarm import real_time
from waymark_worker.testing.clock import Event
from waymark_worker.testing.instances import Instance
from waymark_worker.testing.performing import Try


class NeverEnds(WaymarkError, RuntimeError):
    """A run waits for something that can never happen; a pool would wait with it for ever."""

    def __init__(self, message: str, *, instance_id: str = "") -> None:
        super().__init__(message)
        self.instance_id = instance_id


class Waiter:
    """One caller of ``result``, or of ``advance`` (then there is no instance)."""

    def __init__(self, instance: Instance | None, inside: Try | None, until: float | None) -> None:
        self.instance = instance
        self.inside = inside
        """The attempt that waits: an action which started a run of its own."""
        self.until = until
        """How far ``advance`` lets time pass; None: as far as it takes."""
        self.event: Event | None = None
        self.loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Outcome | None] = self.loop.create_future()
        if inside is not None:
            inside.waits += 1

    async def told(self) -> Outcome | None:
        """Wait."""
        return await self._future

    def tell(self, outcome: Outcome | None) -> None:
        """Say that the wait is over."""
        self._later(lambda: self._future.set_result(outcome))

    def fail(self, error: BaseException) -> None:
        """Say why the wait is in vain."""
        self._later(lambda: self._future.set_exception(error))

    def release(self) -> None:
        """It waits no more, and the attempt that did can go on: from this moment, not from when it does."""
        if self.event is not None:
            self.event.call_off()
        if self.inside is not None:
            self.inside.waits -= 1
            self.inside.began = real_time()
            self.inside = None

    def _later(self, settle: Callable[[], None]) -> None:
        self.release()

        def once() -> None:
            if not self._future.done():
                settle()

        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(once)


def not_ended(instance_id: UUID, timeout: float) -> TimeoutError:
    """Return what a caller hears whose patience ended first."""
    return TimeoutError(
        f"run {instance_id} had not ended after {timeout:g} s; it goes on, and can be waited for again"
    )
