"""Calls of own runs around which pools have died in; each recorded before it is tried, and who is to blame, out.

If the pool dies once more after the record and before anything of the run is committed, it was that call, if it ran
alone. If calls ran beside it that had been running for a while, it may have been one of those, but hardly twice.
"""

from __future__ import annotations

from typing import Any, Protocol

from waymark_schema.kinds import JournalKind, OutcomeKind
from waymark_schema.tables.settle import JournalRow
from waymark_worker.journal import Change
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.live import LiveCall, LiveInstance
from waymark_worker.runloop.locals import EntryLocals, encode_locals
from waymark_worker.runloop.solo import Solo, trial_seconds
from waymark_worker.telemetry import log

DEATHS_BESIDE_OTHERS = 2


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


class Suspects:
    """Those of one runloop."""

    def __init__(self, solo: Solo, runloop: Runloop, *, crash_limit: int) -> None:
        self._solo = solo
        self._runloop = runloop
        self._limit = crash_limit

    def confine(self, attempt: Attempt[LiveCall]) -> bool:
        """Take an attempt of a run around which pools have died; False for any other."""
        if attempt.owner.instance.recoveries < self._limit:
            return False
        self._solo.take(OwnSuspect(attempt, self._runloop))
        return True

    def blame(self, instance: LiveInstance) -> None:
        """Fail the call of a recovered instance that ran alone when the last pool died."""
        if instance.recoveries <= self._limit:
            return
        # Under the first of the claims that were lost in a row it had come further: a record of then is settled.
        lost = range(instance.epoch - instance.recoveries + 1, instance.epoch)
        for call in tuple(instance.calls.values()):
            alone = call.alone_epoch == instance.epoch - 1
            beside = sum(epoch in lost for epoch in call.beside_epochs)
            if alone or beside >= DEATHS_BESIDE_OTHERS:
                log.error("call.ended_its_pool", instance=str(instance.id), action=call.action)
                payload = outcomes.ended_pools_error(call.action, instance.recoveries, alone=alone)
                self._runloop.fail(call, self._runloop.attempt_of(call), payload)


class OwnSuspect:
    """An attempt of a run of this runloop."""

    def __init__(self, attempt: Attempt[LiveCall], runloop: Runloop) -> None:
        self.attempt = attempt
        self._runloop = runloop

    @property
    def over(self) -> bool:
        """Nobody waits for it any more."""
        call = self.attempt.owner
        return self.attempt.abandoned or call.instance.ended or call.attempt is not self.attempt

    @property
    def cleared(self) -> bool:
        """Its run has come further."""
        return not self.attempt.owner.instance.recoveries

    @property
    def recorded(self) -> bool:
        """What was added of its run is committed."""
        return not self.attempt.owner.instance.pending_commits

    @property
    def trial_seconds(self) -> float:
        """After so long it counts as harmless."""
        return trial_seconds(self.attempt.owner.alone - 1)

    @property
    def bears_company(self) -> bool:
        """The journal can tell that others ran beside it."""
        return True

    def put_off(self) -> None:
        """The pool did not come to rest; the next time comes."""

    def record(self, *, beside: bool) -> None:
        """Journal that it is about to be tried. This settles nothing, so it does not count as progress."""
        call, instance = self.attempt.owner, self.attempt.owner.instance
        log.warning(
            "call.tried_beside_others" if beside else "call.alone",
            instance=str(instance.id),
            action=call.action,
            pools_lost=instance.recoveries,
        )
        call.alone += 1
        if beside:
            call.beside_epochs += (instance.epoch,)
            recorded = EntryLocals(beside_epoch=instance.epoch)
        else:
            call.alone_epoch = instance.epoch
            recorded = EntryLocals(alone_epoch=instance.epoch)
        reason = (
            f"{instance.recoveries} pools in a row ended before anything of this run was committed, so this call"
            f" is begun with nothing {'new ' if beside else ''}beside it"
        )
        row = self._runloop.row(
            self.attempt, JournalKind.LOST, OutcomeKind.LOST, outcomes.lost_error(reason), 0.0
        )
        row = row._replace(local=encode_locals(recorded))
        self._runloop.add(instance, _change(instance, row))

    def acquit(self) -> None:
        """It is harmless: commit that, so that the run is above suspicion."""
        instance = self.attempt.owner.instance
        if instance.recoveries:
            self._runloop.commit(instance, _change(instance))


def _change(instance: LiveInstance, *entries: Any) -> Change:
    return Change(instance.id, instance.epoch, (instance, (), None, None), rows=list(entries))
