"""Advances the instances of one lease: claimed instances and ended attempts in, changes and attempts out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from waymark_schema.errors import NotTheOwner
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.tables.offers import OfferKey
from waymark_schema.tables.settle import FinalRow, JournalRow
from waymark_schema.wire.frames import CANCELLED, RETURNED, CallEnd
from waymark_worker.clock import DatabaseClock
from waymark_worker.journal import Change, Committer
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop import consequences, keeping, outcomes, rows
from waymark_worker.runloop.dispatcher import Dispatcher
from waymark_worker.runloop.flights import Flights
from waymark_worker.runloop.live import LiveCall, LiveInstance
from waymark_worker.runloop.locals import EntryLocals, encode_locals
from waymark_worker.runloop.offered_calls import NO_LETTERS, OfferedCalls
from waymark_worker.runloop.pace import Pace
from waymark_worker.runloop.sharing import Sharer
from waymark_worker.runloop.solo import Solo
from waymark_worker.runloop.suspects import Suspects
from waymark_worker.runloop.verdicts import Feed, judge
from waymark_worker.telemetry import Counters, log
from waymark_worker.vm.effects import (
    CancelCall,
    CancelTimer,
    Effect,
    StartCall,
    StartTimer,
)
from waymark_worker.vm.entries import CallRaised, Entry, TimerFired
from waymark_worker.vm.local import FreshLocals


class Runloop:
    """The instances of one lease. Pure decisions are elsewhere; this room only moves values between them."""

    def __init__(
        self,
        committer: Committer,
        pool: WorkerPool,
        *,
        clock: DatabaseClock,
        counters: Counters,
        finished: Callable[[list[LiveInstance]], None],
        idle: Callable[[LiveInstance], None],
        advancing: Callable[[LiveInstance | None], None],
        step_budget: int,
        crash_limit: int,
        sharer: Sharer,
    ) -> None:
        """``finished`` hears of instances whose end is committed; ``idle`` of those that only wait.

        ``advancing`` is told of the instance whose code runs, and of None when it has run; ``step_budget``
        bounds what one advance may do; after ``crash_limit`` lost owners in a row a run's calls run alone.
        """
        self._committer = committer
        self._clock = clock
        self._counters = counters
        self._finished = finished
        self._went_idle = idle
        self._advancing = advancing
        self._step_budget = step_budget
        self._loop = asyncio.get_running_loop()
        self._random = random.Random()  # noqa: S311 - jitter, recorded in the journal
        self.instances: dict[UUID, LiveInstance] = {}
        self.idle: set[LiveInstance] = set()
        """Instances that wait for nothing but time or mail."""
        self.dispatcher = Dispatcher(
            pool, clock=clock, timer_due=self._timer_due, busy=self.idle.discard, sharer=sharer
        )
        self.offered = OfferedCalls(self)
        sharer.owner = self.offered
        self.solo = Solo(pool, now=self._loop.time)
        self.suspects = Suspects(self.solo, self, crash_limit=crash_limit)
        self.dispatcher.confine = self.suspects.confine
        self.pace = Pace(self._loop.time)
        self.flights = Flights(committer.add, self.instances, clock=clock)

    # claimed instances ------------------------------------------------------------------------

    def begin(self, instance: LiveInstance) -> None:
        """Run the first advance of an instance of which nothing is committed yet."""
        instance.begun = True
        self.instances[instance.id] = instance
        self._advance(instance, None, None)

    def resume(
        self,
        instance: LiveInstance,
        offered: Iterable[OfferKey] = (),
        letters: Mapping[OfferKey, int] = NO_LETTERS,
    ) -> None:
        """Go on with a recovered instance: its open calls are dispatched or awaited, its timers set.

        ``offered`` are attempts that its last owner offered, ``letters`` outcomes in the mail.
        """
        self.offered.expect(instance, offered, letters)
        if not instance.begun:
            self.begin(instance)
            return
        self.instances[instance.id] = instance
        self.suspects.blame(instance)
        if instance.ended:
            return
        for number, timer in instance.timers.items():
            self.dispatcher.set_timer(instance, number, timer)
        for call in tuple(instance.calls.values()):
            if not self.offered.adopt(call):
                self.dispatcher.dispatch_or_wait(call)
        self.offered.disown_rest(instance)
        self._check_idle(instance)

    def drop(self, instance: LiveInstance) -> None:
        """Forget an instance without writing anything: it is no longer ours."""
        instance.ended = True
        self.flights.drop(instance)
        self._forget(instance)

    def drop_all(self) -> None:
        """Forget everything: the lease is lost."""
        for instance in tuple(self.instances.values()):
            self.drop(instance)

    # pool listener ----------------------------------------------------------------------------

    def attempt_ended(self, attempt: Attempt[LiveCall], end: CallEnd) -> None:
        """Settle an attempt that ended by itself."""
        call = attempt.owner
        call.attempt = None
        if call.instance.ended:
            return
        if end.kind == RETURNED:
            outcome = OutcomeKind.VALUE
            self._counters.actions_completed += 1
        elif end.kind == CANCELLED:
            self.lost(call, attempt, "the worker cancelled it while it was shutting down")
            return
        else:
            outcome = OutcomeKind.ERROR
            self._counters.actions_failed += 1
            call.failed += 1
        call.survived()
        self.settle(call, attempt, outcome, end.payload, end.seconds, end.log)

    def attempt_timed_out(self, attempt: Attempt[LiveCall]) -> None:
        """Settle an attempt that took too long; its cancellation leaves after the commit."""
        call = attempt.owner
        if call.instance.ended:
            return
        attempt.abandoned = True
        call.failed += 1
        self._counters.actions_failed += 1
        payload = outcomes.timeout_error(call.action, attempt.timeout, attempt.number)
        seconds = self._loop.time() - attempt.started_at
        self.settle(call, attempt, OutcomeKind.TIMEOUT, payload, seconds)

    def attempt_gone(self, attempt: Attempt[LiveCall]) -> None:
        """An attempt that was given up has really ended, or its worker has: the next one may start."""
        call = attempt.owner
        if call.attempt is attempt:
            call.attempt = None
            if not call.instance.ended and call.committed_retry:
                self.dispatcher.dispatch_or_wait(call)
                self._check_idle(call.instance)

    def attempts_lost(self, attempts: list[Attempt[Any]], reason: str) -> None:
        """Journal attempts whose worker died and try again; a call that kills one after the other fails."""
        for attempt in attempts:
            call: LiveCall = attempt.owner
            call.attempt = None
            if not call.instance.ended:
                call.died(alone=attempt.alone)
                self.lost(call, attempt, reason)

    # settle -----------------------------------------------------------------------------------

    def settle(  # noqa: PLR0917 - what a worker says of an end, in its order
        self,
        call: LiveCall,
        attempt: Attempt[LiveCall],
        outcome: OutcomeKind,
        payload: bytes,
        seconds: float,
        output: bytes = b"",
    ) -> None:
        """Decide about an attempt that ended; what follows from it is one commit."""
        verdict = judge(
            call.number,
            call.policy,
            failed=call.failed,
            outcome=outcome,
            payload=payload,
            draw=self._random.random,
        )
        if isinstance(verdict, Feed):
            row = self.row(attempt, verdict.kind, outcome, verdict.payload, seconds)
            del call.instance.calls[call.number]
            withdrawn = attempt if attempt.abandoned else None
            self._advance(call.instance, verdict.entry, row, withdrawn=withdrawn, output=output)
        else:
            call.retry_at = self._clock.now() + verdict.seconds
            row = self.row(attempt, JournalKind.RETRY, outcome, payload, seconds)
            self._note(call, attempt, row, EntryLocals(retry_at=call.retry_at, output=output))

    def lost(self, call: LiveCall, attempt: Attempt[LiveCall], reason: str) -> None:
        """Journal an attempt that ended without an outcome; the call starts again, or fails as poison."""
        self._counters.attempts_lost += 1
        # Whatever ended while others ran, or before it began, is not what the call is failed for.
        if call.poison and attempt.alone:
            self.fail(call, attempt, outcomes.crashed_error(call, reason))
            return
        payload = outcomes.lost_error(reason)
        row = self.row(attempt, JournalKind.LOST, OutcomeKind.LOST, payload, 0.0)
        self._note(call, attempt, row, EntryLocals())

    def fail(self, call: LiveCall, attempt: Attempt[LiveCall], payload: bytes) -> None:
        """End a call with an error that is ours, not its action's."""
        row = self.row(attempt, JournalKind.OUTCOME, OutcomeKind.ERROR, payload, 0.0)
        del call.instance.calls[call.number]
        self._advance(call.instance, CallRaised(call.number, payload), row)

    def row(
        self,
        attempt: Attempt[LiveCall],
        kind: JournalKind,
        outcome: OutcomeKind,
        payload: bytes,
        seconds: float,
    ) -> JournalRow:
        """The next entry of the call's instance."""
        now, loop_now = self._clock.now(), self._loop.time()
        return rows.attempt_row(
            attempt, kind, outcome, payload, seconds=seconds, now=now, loop_now=loop_now
        )

    def _note(
        self, call: LiveCall, attempt: Attempt[LiveCall], row: JournalRow, recorded: EntryLocals
    ) -> None:
        """Journal something that the machine is not told of; the call goes on afterwards."""
        if recorded.retry_at is not None or recorded.output:
            row = row._replace(local=encode_locals(recorded))
        instance = call.instance
        carried = (instance, (), call, attempt if attempt.abandoned else None)
        self.commit(instance, Change(instance.id, instance.epoch, carried, rows=[row]))

    def attempt_of(self, call: LiveCall) -> Attempt[LiveCall]:
        """Make the next attempt of a call, without starting it."""
        return self.dispatcher.attempt(call)

    def loop_time(self, moment: float) -> float:
        """The loop's time of a moment by the database's clock; 0.0 for none."""
        return self._loop.time() - (self._clock.now() - moment) if moment else 0.0

    # advance ----------------------------------------------------------------------------------

    def _advance(
        self,
        instance: LiveInstance,
        entry: Entry | None,
        row: JournalRow | None,
        *,
        withdrawn: Attempt[LiveCall] | None = None,
        output: bytes = b"",
    ) -> None:
        """Feed one entry; commit it with its consequences; dispatch follows the commit."""
        self.idle.discard(instance)
        fresh = FreshLocals(self._clock.now, told_at=instance.told_at)
        self._advancing(instance)
        try:
            effects, row = consequences.feed(
                instance.machine, entry, row, fresh, budget=self._step_budget
            )
        except Exception as error:  # noqa: BLE001 - a defect of the machine costs one run, never the pool
            log.error("machine.failed", instance=str(instance.id), exc_info=error)
            kept = [row] if row is not None else []  # nothing settled is lost
            self._set_aside(instance, f"the machine failed: {error!r}", rows=kept)
            return
        finally:
            self._advancing(None)
        instance.told_at = fresh.told_at
        recorded, final = consequences.read(
            instance, effects, fresh, output=output, now=self._clock.now()
        )
        if recorded is not None:
            local = encode_locals(recorded)
            row = row._replace(local=local) if row else rows.start_row(instance, local)
        if row is None and final is None:
            self._apply(instance, effects)
            self._check_idle(instance)
            return
        change = Change(
            instance.id,
            instance.epoch,
            (instance, effects, None, withdrawn),
            rows=[row] if row is not None else [],
            final=final,
            forget_snapshot=final is not None and instance.had_snapshot,
        )
        if final is not None:
            instance.ended = True
        self.commit(instance, change)

    def commit(self, instance: LiveInstance, change: Change) -> None:
        """Write a change with the next commit; whatever it is, the run has come further than its last owners."""
        if instance.recoveries:
            instance.recoveries = 0
            if change.final is None:
                change.final = rows.running_row(instance)
        self.add(instance, change)

    def add(self, instance: LiveInstance, change: Change) -> None:
        """Write a change, and consume the mail that led to it."""
        instance.pending_commits += 1
        keeping.note(instance, change)
        self.flights.note(instance, change)
        if instance.letters:
            change.consumed += instance.letters
            instance.letters.clear()
        self._committer.add(change)

    def committed(self, changes: Iterable[Change]) -> None:
        """Let out what waited for these commits."""
        finished: list[LiveInstance] = []
        for change in changes:
            instance, effects, call, withdrawn = change.carried
            instance.pending_commits -= 1
            if withdrawn is not None and withdrawn.runs:
                self.dispatcher.withdraw(withdrawn)
            if change.final is not None and change.final.state != InstanceState.RUNNING:
                self._ended(instance, change.final, finished)
                continue
            if instance.ended:
                continue
            if call is not None:
                call.committed_retry = True
                if call.attempt is None:
                    self.dispatcher.dispatch_or_wait(call)
            if effects:
                self._apply(instance, effects)
            self._check_idle(instance)
        if finished:
            self._finished(finished)

    def rejected(self, change: Change, error: Exception) -> None:
        """Give up an instance whose change the server refuses.

        Either somebody else owns it by now, then it is forgotten; or something in the change cannot be
        stored, then it needs a person.
        """
        instance: LiveInstance = change.carried[0]
        if isinstance(error, NotTheOwner):
            self.drop(instance)
            return
        reason = str(error).strip() or repr(error)
        self._set_aside(
            instance, f"the database refused its commit: {reason}", landed=change.landed
        )

    def _set_aside(self, instance: LiveInstance, reason: str, **kept: Any) -> None:
        """Quarantine: nothing of it goes on until a person decides; ``kept`` of a change is written nevertheless."""
        instance.ended = True
        self._forget(instance)
        change = Change(
            instance.id,
            instance.epoch,
            (instance, (), None, None),
            final=rows.quarantine_row(instance, reason),
            last_word=True,
            **kept,
        )
        self.commit(instance, change)

    def _ended(self, instance: LiveInstance, final: FinalRow, finished: list[LiveInstance]) -> None:
        if final.state < InstanceState.COMPLETED:
            self.dispatcher.leave_offered(instance)
        self._forget(instance)
        if final.state >= InstanceState.COMPLETED:
            finished.append(instance)
            self.pace.count()
            if final.state == InstanceState.COMPLETED:
                self._counters.instances_completed += 1
            else:
                self._counters.instances_failed += 1

    def _forget(self, instance: LiveInstance) -> None:
        self.instances.pop(instance.id, None)
        self.idle.discard(instance)
        for attempt in instance.release():
            self.dispatcher.withdraw(attempt)

    # effects ----------------------------------------------------------------------------------

    def _apply(self, instance: LiveInstance, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, StartCall):
                call = LiveCall(instance, effect, self._clock.now())
                instance.calls[effect.call] = call
                if not instance.adopted or not self.offered.adopt(call):
                    self.dispatcher.dispatch(call)
            elif isinstance(effect, StartTimer):
                self.dispatcher.set_timer(instance, effect.timer, instance.timers[effect.timer])
            elif isinstance(effect, CancelCall):
                self.dispatcher.cancel(instance, effect.call)
            elif isinstance(effect, CancelTimer):
                timer = instance.timers.pop(effect.timer, None)
                if timer is not None and timer.handle is not None:
                    timer.handle.cancel()
        if instance.adopted:
            self.offered.disown_rest(instance)

    def _timer_due(self, instance: LiveInstance, number: int) -> None:
        del instance.timers[number]
        self._advance(instance, TimerFired(number), rows.timer_row(instance, number))

    def _check_idle(self, instance: LiveInstance) -> None:
        if (
            not instance.ended
            and not instance.pending_commits
            # One without attempt and retry time is held back: it starts as soon as that is over.
            and all(
                call.attempt is None and call.retry_at is not None
                for call in instance.calls.values()
            )
        ):
            self.idle.add(instance)
            self._went_idle(instance)

    def park(self, instance: LiveInstance, change: Change) -> None:
        """Commit the instance away: its snapshot is in the change, its end in memory follows."""
        instance.ended = True
        self.commit(instance, change)
