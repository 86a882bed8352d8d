"""What a runloop holds in memory of one claimed instance: its machine, its open calls, its timers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from waymark_schema.ir.policies import StoredPolicy
from waymark_schema.tables.offers import OfferKey
from waymark_worker.pool.attempts import Attempt
from waymark_worker.vm.effects import StartCall
from waymark_worker.vm.machine import Machine

if TYPE_CHECKING:
    from waymark_worker.runloop.programs import RunnableProgram


POISON_DEATHS = 3
LONE_POISON_DEATHS = 2
"""Of these: whoever was there when a neighbour ended the worker may have one death of its own."""


class LiveCall:
    """One call that has not settled. Mutable: one per action on the hot path."""

    __slots__ = (
        "action",
        "alone",
        "alone_epoch",
        "arguments",
        "attempt",
        "beside_epochs",
        "committed_retry",
        "deaths",
        "failed",
        "inline",
        "instance",
        "lone_deaths",
        "number",
        "policy",
        "queued_at",
        "retry_at",
        "retry_handle",
    )

    def __init__(self, instance: LiveInstance, start: StartCall, queued_at: float) -> None:
        self.instance = instance
        self.number = start.call
        self.action = start.action
        self.arguments = start.arguments
        self.policy: StoredPolicy = start.policy
        self.inline = start.inline
        self.queued_at = queued_at
        """Seconds since the epoch by the database."""
        self.failed = 0
        """Attempts that ended with an error or a timeout."""
        self.deaths = 0
        """Workers in a row that died while they ran it."""
        self.lone_deaths = 0
        """Those of them that ran nothing else."""
        self.alone = 0
        """How often it was tried, with nothing new beside it, because pools had died around its run."""
        self.alone_epoch: int | None = None
        """The claim of its instance under which it was last begun with nothing beside it at all."""
        self.beside_epochs: tuple[int, ...] = ()
        """Claims under which it was begun beside calls that had been running for a while."""
        self.retry_at: float | None = None
        """When the next attempt starts, by the database; None unless it backs off."""
        self.retry_handle: asyncio.TimerHandle | None = None
        self.attempt: Attempt[LiveCall] | None = None
        """The try that is queued, runs, or was given up and has not ended yet."""
        self.committed_retry = False
        """The next try is committed and starts as soon as the one before has really ended."""

    def release(self) -> None:
        """Cancel what would start the next attempt."""
        if self.retry_handle is not None:
            self.retry_handle.cancel()
            self.retry_handle = None

    def died(self, *, alone: bool) -> None:
        """The worker that ran it has ended; ``alone``: it ran nothing else."""
        self.deaths += 1
        self.lone_deaths += alone

    @property
    def poison(self) -> bool:
        """It has ended enough workers not to be tried again."""
        return self.deaths >= POISON_DEATHS and self.lone_deaths >= LONE_POISON_DEATHS

    def survived(self) -> None:
        """An attempt came to an end of its own."""
        self.deaths = self.lone_deaths = 0


class LiveTimer:
    """One durable timer that has not fired."""

    __slots__ = ("due_at", "handle")

    def __init__(self, due_at: float) -> None:
        self.due_at = due_at
        """Seconds since the epoch by the database; stored in the commit that started it."""
        self.handle: asyncio.TimerHandle | None = None


class LiveInstance:
    """Mutable record of one owned instance; only the runloop's thread touches it."""

    __slots__ = (
        "adopted",
        "awaited",
        "begun",
        "calls",
        "ended",
        "epoch",
        "grown",
        "had_snapshot",
        "id",
        "id_bytes",
        "kept_at",
        "kept_bytes",
        "letters",
        "machine",
        "pending_commits",
        "position",
        "program",
        "recoveries",
        "timers",
        "told_at",
    )

    def __init__(
        self,
        instance_id: UUID,
        epoch: int,
        program: RunnableProgram,
        machine: Machine,
        *,
        awaited: bool,
    ) -> None:
        self.id = instance_id
        self.id_bytes = instance_id.bytes
        self.epoch = epoch
        self.program = program
        self.machine = machine
        self.awaited = awaited
        self.begun = True
        """Its first advance has been run, or replayed from the journal."""
        self.position = 0
        """Position of the newest entry, committed or on its way."""
        self.calls: dict[int, LiveCall] = {}
        self.timers: dict[int, LiveTimer] = {}
        self.told_at = 0.0
        """Seconds since the epoch: the latest moment that its code was told."""
        self.pending_commits = 0
        self.recoveries = 0
        """Owners in a row that were lost before they committed anything of it."""
        self.ended = False
        """Its last row is committed or on its way, or it is no longer ours: nothing is fed any more."""
        self.had_snapshot = False
        """There is one, or one is on its way: it is forgotten with the end."""
        self.kept_at = 0
        """Position of the newest snapshot; 0 for none."""
        self.kept_bytes = 0
        """Its size."""
        self.grown = 0
        """Bytes of the entries behind it, as a replay reads them."""
        self.adopted: dict[OfferKey, int | None] = {}
        """Attempts that the last owner offered, and what of them is in the mail, until the calls are known."""
        self.letters: list[tuple[UUID, int]] = []
        """Mail that the next commit of this instance consumes."""

    def release(self) -> list[Attempt[Any]]:
        """Cancel every timer and return the attempts that are queued or run."""
        attempts = []
        for call in self.calls.values():
            call.release()
            if call.attempt is not None:
                attempts.append(call.attempt)
        for timer in self.timers.values():
            if timer.handle is not None:
                timer.handle.cancel()
        self.calls.clear()
        self.timers.clear()
        return attempts
