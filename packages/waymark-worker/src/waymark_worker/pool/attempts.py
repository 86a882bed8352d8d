"""One try of one call, as the pool sees it: what to run in, where it runs and since when out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from waymark_worker.pool.worker import Worker

Owner = TypeVar("Owner")


class Attempt(Generic[Owner]):
    """Mutable on purpose: one is made per action on the hot path and lives for a few milliseconds."""

    __slots__ = (
        "abandoned",
        "action",
        "arguments",
        "call",
        "grace_handle",
        "instance",
        "number",
        "owner",
        "program",
        "queued_at",
        "started_at",
        "ticket",
        "timeout",
        "timeout_handle",
        "worker",
    )

    def __init__(
        self,
        owner: Owner,
        *,
        instance: bytes,
        program: bytes,
        call: int,
        number: int,
        action: str,
        arguments: bytes,
        timeout: float,
        queued_at: float,
    ) -> None:
        self.owner = owner
        """Whatever the runloop wants back with the outcome."""
        self.instance = instance
        self.program = program
        """Digest of the program, for the types that the outcome need not describe."""
        self.call = call
        self.number = number
        """1 for the first try."""
        self.action = action
        self.arguments = arguments
        self.timeout = timeout
        """Seconds, 0 for none."""
        self.queued_at = queued_at
        """Loop time."""
        self.started_at = 0.0
        self.ticket = -1
        self.worker: Worker | None = None
        self.abandoned = False
        """Its outcome no longer matters: cancelled or timed out."""
        self.timeout_handle: asyncio.TimerHandle | None = None
        self.grace_handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        """Whether a worker still holds it."""
        return self.worker is not None and self.ticket in self.worker.in_flight

    def release_handles(self) -> None:
        """Cancel the timers that belong to it."""
        if self.timeout_handle is not None:
            self.timeout_handle.cancel()
            self.timeout_handle = None
        if self.grace_handle is not None:
            self.grace_handle.cancel()
            self.grace_handle = None
