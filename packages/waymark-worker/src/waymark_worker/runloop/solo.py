"""Calls of runs around which pools have died in; each begun with nothing beside it, and who is to blame, out.

Such a call is journaled before it starts, and it starts only when nothing else runs in the whole pool. So if
the pool dies once more before anything of the run is committed, nobody else can have been the cause.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from waymark_schema.kinds import JournalKind, OutcomeKind
from waymark_schema.tables.settle import JournalRow
from waymark_worker.journal import Change
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.live import LiveCall, LiveInstance
from waymark_worker.runloop.locals import EntryLocals, encode_locals
from waymark_worker.telemetry import log

REASON = "a call must run alone"
ALONE_SECONDS = 5.0
"""After this long a call that ran alone counts as harmless and others start again; each further time twice as long."""
MOST_DOUBLINGS = 10
PATIENCE_SECONDS = 5.0
"""So long nothing else is started while what runs ends; then the others go on, and the next try waits longer."""
MOST_PATIENCE_SECONDS = 60.0
RESTS = 3
"""How many times as long as a try the others then go on."""


class Runloop(Protocol):
    """Who holds the calls' instances."""

    def row(
        self,
        attempt: Attempt[LiveCall],
        kind: JournalKind,
        outcome: OutcomeKind,
        payload: bytes,
        seconds: float,
    ) -> JournalRow: ...
    def add(self, instance: LiveInstance, change: Change) -> None: ...
    def commit(self, instance: LiveInstance, change: Change) -> None: ...
    def fail(self, call: LiveCall, attempt: Attempt[LiveCall], payload: bytes) -> None: ...
    def attempt_of(self, call: LiveCall) -> Attempt[LiveCall]: ...
    def loop_now(self) -> float: ...


class Solo:
    """One per lease; asked to ``step`` a few times a second."""

    def __init__(self, pool: WorkerPool, runloop: Runloop, *, crash_limit: int) -> None:
        self._pool = pool
        self._runloop = runloop
        self._limit = crash_limit
        self._waiting: deque[Attempt[LiveCall]] = deque()
        self._current: Attempt[LiveCall] | None = None
        self._begun_at: float | None = None
        """Loop time at which the present one was started; None while its record is being committed."""
        self._asked_at: float | None = None
        """Since when nothing else is started."""
        self._patience = PATIENCE_SECONDS
        self._rest_until = 0.0

    @property
    def asking(self) -> bool:
        """Whether nothing else may be started in the whole pool."""
        return self._asked_at is not None

    def confine(self, attempt: Attempt[LiveCall]) -> bool:
        """Take an attempt of a run around which pools have died; False for any other."""
        if attempt.owner.instance.recoveries < self._limit:
            return False
        self._waiting.append(attempt)
        return True

    def blame(self, instance: LiveInstance) -> None:
        """Fail the call of a recovered instance that ran alone when the last pool died."""
        for call in tuple(instance.calls.values()):
            if instance.recoveries > self._limit and call.alone_epoch == instance.epoch - 1:
                log.error("call.ended_its_pool", instance=str(instance.id), action=call.action)
                payload = outcomes.ended_pools_error(call.action, instance.recoveries)
                self._runloop.fail(call, self._runloop.attempt_of(call), payload)

    def step(self, *, granted: bool) -> None:
        """Do what can be done now; ``granted``: the other runloops of the pool keep still."""
        now = self._runloop.loop_now()
        self._sort_out()
        if self._current is not None:
            self._attend(self._current, now)
        if self._current is not None:
            return
        if not self._waiting:
            self.stop()
        elif now >= self._rest_until:
            self._ask(now, granted=granted)

    def stop(self) -> None:
        """Let the others start again."""
        if self._asked_at is not None:
            self._asked_at = None
            self._pool.let_start(REASON)

    # inside -----------------------------------------------------------------------------------

    def _sort_out(self) -> None:
        """Forget what nobody waits for any more; what is above suspicion by now runs like any other."""
        for attempt in tuple(self._waiting):
            call = attempt.owner
            if attempt.abandoned or call.instance.ended or call.attempt is not attempt:
                self._waiting.remove(attempt)
            elif not call.instance.recoveries:
                self._waiting.remove(attempt)
                self._pool.submit(attempt)

    def _ask(self, now: float, *, granted: bool) -> None:
        if self._asked_at is None:
            self._asked_at = now
            self._pool.keep_from_starting(REASON)
        if granted and not self._pool.busy:
            self._record(self._waiting.popleft())
        elif now - self._asked_at > self._patience:
            log.info("call.waits_to_run_alone", seconds=self._patience)
            self._rest_until = now + RESTS * self._patience
            self._patience = min(MOST_PATIENCE_SECONDS, 2 * self._patience)
            self.stop()

    def _record(self, attempt: Attempt[LiveCall]) -> None:
        """Journal that it is about to run alone. This settles nothing, so it does not count as progress."""
        call, instance = attempt.owner, attempt.owner.instance
        log.warning(
            "call.alone",
            instance=str(instance.id),
            action=call.action,
            pools_lost=instance.recoveries,
        )
        call.alone += 1
        call.alone_epoch = instance.epoch
        reason = (
            f"{instance.recoveries} pools in a row ended before anything of this run was committed, so this call"
            " is begun with nothing beside it"
        )
        row = self._runloop.row(
            attempt, JournalKind.LOST, OutcomeKind.LOST, outcomes.lost_error(reason), 0.0
        )
        row = row._replace(local=encode_locals(EntryLocals(alone_epoch=instance.epoch)))
        self._current, self._begun_at = attempt, None
        self._runloop.add(instance, _change(instance, row))

    def _attend(self, attempt: Attempt[LiveCall], now: float) -> None:
        call, instance = attempt.owner, attempt.owner.instance
        if attempt.abandoned or instance.ended or call.attempt is not attempt:
            if not attempt.runs:
                self._done()
        elif self._begun_at is None:
            if not instance.pending_commits and self._pool.begin(attempt):
                self._begun_at = now
        elif now - self._begun_at > ALONE_SECONDS * 2 ** min(call.alone - 1, MOST_DOUBLINGS):
            log.info("call.harmless", instance=str(instance.id), action=call.action)
            if instance.recoveries:
                self._runloop.commit(instance, _change(instance))
            self._done()

    def _done(self) -> None:
        self._current = None
        self._patience = PATIENCE_SECONDS


def _change(instance: LiveInstance, *entries: Any) -> Change:
    return Change(instance.id, instance.epoch, (instance, (), None, None), rows=list(entries))
