"""Which calls people see running: attempts that have run for a moment in, live rows and their end out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from waymark_schema.kinds import InstanceState, JournalKind
from waymark_worker.clock import Clock
from waymark_worker.journal import Change
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import rows
from waymark_worker.runloop.live import LiveCall, LiveInstance

SHOWN_AFTER_SECONDS = 0.25
"""What ends sooner costs one insert in all: the entry with its outcome."""
_OF_CALLS = frozenset(
    {JournalKind.OUTCOME, JournalKind.RETRY, JournalKind.TIMEOUT, JournalKind.LOST}
)
"""Entries that end an attempt; the numbers in others are not those of calls."""


class Flights:
    """The calls of one lease that have a live row, or will have one with the next commit."""

    def __init__(
        self, add: Callable[[Change], None], instances: Mapping[UUID, LiveInstance], *, clock: Clock
    ) -> None:
        """``add`` queues a change for the next commit; ``instances`` are those of the lease."""
        self._add = add
        self._instances = instances
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._shown: dict[UUID, dict[int, tuple[int, int]]] = {}
        """The number of the attempt and the ticket it runs under, by instance and call."""

    def look(self, attempts: Iterable[Attempt[Any]]) -> None:
        """Show which of these have been running for a moment, and no longer what nobody waits for; to be asked regularly."""
        latest = self._loop.time() - SHOWN_AFTER_SECONDS
        for attempt in attempts:
            if attempt.started_at <= latest and type(attempt.owner) is LiveCall:
                self._show(attempt)
        for instance_id, shown in tuple(self._shown.items()):
            instance = self._instances.get(instance_id)
            if instance is None or instance.ended:
                continue  # its last change is on its way, or it is no longer ours
            if ended := [number for number in shown if not _runs(instance, number)]:
                for number in ended:
                    del shown[number]
                self._add(Change(instance.id, instance.epoch, None, landed=ended))

    def _show(self, attempt: Attempt[LiveCall]) -> None:
        call = attempt.owner
        instance = call.instance
        if attempt.abandoned or instance.ended or call.attempt is not attempt:
            return
        shown = self._shown.setdefault(instance.id, {})
        what = (attempt.number, attempt.ticket)
        if shown.get(call.number) == what:
            return
        shown[call.number] = what
        row = rows.in_flight_row(attempt, now=self._clock.now(), loop_now=self._loop.time())
        self._add(Change(instance.id, instance.epoch, None, flying=[row]))

    def note(self, instance: LiveInstance, change: Change) -> None:
        """Let live rows go with the change that ends their attempts, or the time of the instance here."""
        shown = self._shown.get(instance.id)
        if shown is None:
            return
        if change.final is not None and change.final.state != InstanceState.RUNNING:
            change.landed += shown
            del self._shown[instance.id]
            return
        for row in change.rows:
            if row.call is not None and row.call in shown and row.kind in _OF_CALLS:
                del shown[row.call]
                change.landed.append(row.call)

    def drop(self, instance: LiveInstance) -> None:
        """It is no longer ours: whoever releases it takes care of its rows."""
        self._shown.pop(instance.id, None)


def _runs(instance: LiveInstance, number: int) -> bool:
    """Whether somebody waits for the call and a worker has it: it may have been taken back unread."""
    call = instance.calls.get(number)
    return call is not None and call.attempt is not None and call.attempt.runs
