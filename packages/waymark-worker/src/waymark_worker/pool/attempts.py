"""One try of one call, as the pool sees it: what to run in, where it runs and since when out."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

Owner = TypeVar("Owner")


class Attempt(Generic[Owner]):
    """Mutable on purpose: one is made per action on the hot path and lives for a few milliseconds."""

    __slots__ = (
        "abandoned",
        "action",
        "alone",
        "arguments",
        "call",
        "grace_handle",
        "instance",
        "number",
        "offered",
        "owner",
        "program",
        "queued_at",
        "runs",
        "started_at",
        "ticket",
        "timeout",
        "timeout_handle",
        "worker_number",
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
        alone: bool = False,
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
        self.alone = alone
        """It runs in a worker that runs nothing else; of a lost one: it did, as far as a taker of it has told."""
        self.started_at = 0.0
        self.ticket = -1
        self.worker_number: int | None = None
        """The worker that it was sent to."""
        self.runs = False
        """Whether that worker still holds it."""
        self.abandoned = False
        """Its outcome no longer matters: cancelled or timed out."""
        self.offered = False
        """Other pools may run it, so this one must not."""
        self.timeout_handle: asyncio.TimerHandle | None = None
        self.grace_handle: asyncio.TimerHandle | None = None

    def release_handles(self) -> None:
        """Cancel the timers that belong to it."""
        if self.timeout_handle is not None:
            self.timeout_handle.cancel()
            self.timeout_handle = None
        if self.grace_handle is not None:
            self.grace_handle.cancel()
            self.grace_handle = None
