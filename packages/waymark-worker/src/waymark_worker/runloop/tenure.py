"""One lease held by one runloop, from its first claim to its loss or the end: composes what works under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg

from waymark_schema.database.listening import listen
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import DatabaseError, HistoryLost
from waymark_schema.ids import LeaseId
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import notifications
from waymark_schema.tables.instances import Claimed
from waymark_schema.tables.offers import OfferKey
from waymark_schema.tables.settle import FinalRow
from waymark_schema.wire.frames import CallEnd
from waymark_worker.clock import DatabaseClock
from waymark_worker.journal import Change, Committer, Fenced
from waymark_worker.notifier import Notifier
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop import outcomes, parking, rows
from waymark_worker.runloop.claimer import Claimer
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.offered_calls import NO_LETTERS
from waymark_worker.runloop.pace import Pace
from waymark_worker.runloop.programs import ProgramShelf
from waymark_worker.runloop.runloop import Runloop
from waymark_worker.runloop.sharing import Sharer
from waymark_worker.runloop.taken import TakenCall
from waymark_worker.runloop.taking import Taker
from waymark_worker.sessions import LeaseSessions, first_line, pause_after
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import Counters, log

ROLES = ("journal", "listen", "claim", "notify", "take", "report", "offers")
"""Who holds a session, in the order in which they get one of their own where there may be only so many."""
SOON_SECONDS = 1.0
CLAIM_SECONDS = 2.0
"""Between two claims while nobody said that there is anything to claim."""
TAKE_SECONDS = 5.0
"""Between two looks for offers of which no notification came."""
SETTLE_SECONDS = 1.0
"""For a claim that is under way when a drain ends."""
LAST_WORD_SECONDS = 1.0
"""For the notifications of a drain; whoever misses them polls."""


class Tenure:
    """Everything that lives and dies with one lease; the workers outlive it."""

    def __init__(
        self,
        lease: LeaseId,
        *,
        application: str,
        database: DatabaseSettings,
        settings: PoolSettings,
        session_features: bool,
        clock: DatabaseClock,
        counters: Counters,
        shelf: ProgramShelf,
        pool: WorkerPool,
        advancing: Callable[[LiveInstance | None], None],
        poison: Callable[[UUID], str | None],
    ) -> None:
        """``advancing`` is told whose code runs; ``poison`` says why a run must not be tried again."""
        self.lease = lease
        self._poison = poison
        self._settings = settings
        self._clock = clock
        self._sessions = LeaseSessions(
            database, application=application, session_features=session_features, roles=ROLES
        )
        self._listens = listens = session_features and self._sessions.has_own("listen")
        self._notifier = Notifier(self._sessions)
        self._committer = Committer(
            lease,
            self._sessions,
            committed=self._committed,
            rejected=self._rejected,
            counters=counters,
            interval=settings.persist_interval_ms / 1000,
        )
        interval = settings.poll_interval_ms / 1000
        # Behind a pooler nobody is notified, so the poll interval is all there is.
        poll_interval = max(interval, CLAIM_SECONDS) if listens else interval
        self._pace = Pace(asyncio.get_running_loop().time)
        self._sharer = Sharer(
            lease,
            self._sessions,
            pool,
            clock=clock,
            pace=self._pace,
            told=self._notifier.ready,
            knows=lambda action: action in shelf.actions,
        )
        self.taker = Taker(
            lease,
            self._sessions,
            pool,
            shelf,
            clock=clock,
            counters=counters,
            idle=self._has_nothing_to_claim,
            told=self._notifier.mail,
            poll_interval=max(poll_interval, TAKE_SECONDS) if listens else poll_interval,
        )
        self.runloop = Runloop(
            self._committer,
            pool,
            clock=clock,
            counters=counters,
            finished=self._finished,
            idle=self._idle,
            advancing=advancing,
            step_budget=settings.step_budget,
            crash_limit=settings.crash_limit,
            sharer=self._sharer,
        )
        self.taker.suspect = self.runloop.solo.take
        self.claimer = Claimer(
            lease,
            self._sessions,
            self,
            shelf,
            clock=clock,
            counters=counters,
            poll_interval=poll_interval,
            advancing=advancing,
        )
        self._stopping = False
        self.fenced = asyncio.Event()
        """Set when the supervisor's heartbeat found the lease fenced."""

    async def run(self) -> None:
        """Work until ``stop`` has drained everything.

        Raises Fenced or HistoryLost (in an exception group) when the lease is no longer good.
        """
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._notifier.run()),
                group.create_task(self._until_fenced()),
                group.create_task(self._sharer.run()),
                group.create_task(self.taker.run()),
                group.create_task(self.taker.report()),
            ]
            if self._listens:
                background.append(group.create_task(self._listen()))
            committing = group.create_task(self._committer.run())
            claiming = group.create_task(self.claimer.run())
            await asyncio.wait([committing, claiming], return_when=asyncio.ALL_COMPLETED)
            for task in background:
                task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await self._notifier.flush()

    async def _until_fenced(self) -> None:
        await self.fenced.wait()
        raise Fenced

    def stop_claiming(self) -> None:
        """Take nothing new and start nothing; what runs goes on."""
        self._stopping = True
        self.runloop.dispatcher.draining = True
        self._sharer.draining = True
        self.claimer.stop()
        self.taker.stop()

    def hand_back_waiting(self) -> None:
        """Hand back what no worker of ours runs anything of: others can go on with it at once."""
        if not self._sharer.written.is_set():
            return
        for instance in tuple(self.runloop.instances.values()):
            running = any(call.attempt and call.attempt.runs for call in instance.calls.values())
            if not running and not instance.ended:
                self.runloop.park(instance, self._handed_back(instance))

    async def release(self) -> None:
        """Hand back everything that is still held, committed up to its last settled call, and end."""
        await self.taker.release()
        with suppress(TimeoutError):  # a claim that is not answered holds nothing up
            async with asyncio.timeout(SETTLE_SECONDS):
                await self.claimer.settled()
        await self._sharer.written.wait()
        for instance in tuple(self.runloop.instances.values()):
            if not instance.ended:
                self.runloop.park(instance, self._handed_back(instance))
        await self._committer.drain()
        self._committer.stop()

    def drop_all(self) -> None:
        """Forget everything: the lease is lost."""
        self.runloop.drop_all()
        self.runloop.solo.stop()
        self.taker.drop_all()

    # pool listener ----------------------------------------------------------------------------

    def attempt_ended(self, attempt: Attempt[Any], end: CallEnd) -> None:
        """Settle it here, or tell the pool that it belongs to."""
        if type(attempt.owner) is TakenCall:
            self.taker.attempt_ended(attempt, end)
        else:
            self._pace.count()
            self.runloop.attempt_ended(attempt, end)

    def attempt_timed_out(self, attempt: Attempt[Any]) -> None:
        """The same."""
        side = self.taker if type(attempt.owner) is TakenCall else self.runloop
        side.attempt_timed_out(attempt)

    def attempt_gone(self, attempt: Attempt[Any]) -> None:
        """The same."""
        side = self.taker if type(attempt.owner) is TakenCall else self.runloop
        side.attempt_gone(attempt)

    def attempts_lost(self, attempts: list[Attempt[Any]], reason: str) -> None:
        """The same."""
        taken = [attempt for attempt in attempts if type(attempt.owner) is TakenCall]
        self.taker.attempts_lost(taken, reason)
        own = [attempt for attempt in attempts if type(attempt.owner) is not TakenCall]
        self.runloop.attempts_lost(own, reason)

    def slots_freed(self) -> None:
        """There is room for more."""
        self.claimer.has_room()
        self.taker.has_room()

    # adopter of the claimer -------------------------------------------------------------------

    def _has_nothing_to_claim(self) -> bool:
        dispatcher = self.runloop.dispatcher
        return self.claimer.took_all and dispatcher.allowed and not dispatcher.pool.held

    def room(self) -> int:
        """At most twice the slots may be active, so that an added pool finds work; more while calls are short."""
        runloop = self.runloop
        if self._stopping or not runloop.dispatcher.allowed or runloop.dispatcher.pool.held:
            return 0
        busy = len(runloop.instances) - len(runloop.idle)
        target = min(
            self._settings.max_concurrent_instances,
            max(2 * runloop.dispatcher.pool.slots, runloop.pace.per(0.25)),
        )
        room = target - busy
        memory = self._settings.max_concurrent_instances - len(runloop.instances)
        if memory < room and runloop.idle:
            memory += self._make_room(room - memory)
        return min(room, memory)

    def knows(self, instance: UUID) -> bool:
        """Whether a run is in memory here, or its last word is on the way to the database."""
        return instance in self.runloop.instances or self._committer.settles(instance)

    def set_aside(self, claimed: Claimed) -> bool:
        """Quarantine a run that must not be tried again; False for any other."""
        reason = self._poison(claimed.id)
        if reason is not None:
            self.refuse(claimed, reason)
        return reason is not None

    def begin(self, instance: LiveInstance) -> None:
        """Start a run that nobody ever ran."""
        self.runloop.begin(instance)

    def resume(
        self,
        instance: LiveInstance,
        offered: Iterable[OfferKey] = (),
        letters: Mapping[OfferKey, int] = NO_LETTERS,
    ) -> None:
        """Go on with a recovered run."""
        self.runloop.resume(instance, offered, letters)

    def hand_back(self, claimed: Claimed) -> None:
        """Queue a run again as it was: another pool may know more than this one."""
        final = FinalRow(
            claimed.id, claimed.epoch, int(InstanceState.QUEUED), recoveries=claimed.recoveries
        )
        self._committer.add(Change(claimed.id, claimed.epoch, None, final=final, last_word=True))

    def refuse(self, claimed: Claimed, reason: str) -> None:
        """Set a run aside that cannot be started or rebuilt: a person has to look."""
        log.error("instance.quarantined", instance=str(claimed.id), reason=reason)
        final = FinalRow(
            claimed.id,
            claimed.epoch,
            int(InstanceState.QUARANTINED),
            None,
            None,
            outcomes.quarantine_error(reason),
        )
        self._committer.add(Change(claimed.id, claimed.epoch, None, final=final, last_word=True))

    # what the runloop and the committer report --------------------------------------------------

    def _committed(self, changes: list[Change]) -> None:
        self.runloop.committed([change for change in changes if change.carried is not None])
        if self._stopping:
            self._notifier.ready()

    def _rejected(self, change: Change, error: Exception) -> None:
        if change.carried is not None and not change.last_word:
            self.runloop.rejected(change, error)

    def _finished(self, finished: list[LiveInstance]) -> None:
        awaited = [instance.id for instance in finished if instance.awaited]
        if awaited:
            self._notifier.finished(awaited)
        self.claimer.has_room()

    def _idle(self, instance: LiveInstance) -> None:
        if self.runloop.dispatcher.draining:
            return
        due = parking.waits_until(instance)
        if due is None:
            return
        if due - self._clock.now() > self._settings.evict_sleep_threshold_ms / 1000:
            self._park(instance, due)
        else:
            self.claimer.has_room()

    def _park(self, instance: LiveInstance, due: float) -> None:
        limit = self._settings.max_snapshot_bytes
        self.runloop.park(instance, parking.parked(instance, due=due, limit=limit))

    def _make_room(self, wanted: int) -> int:
        """Park the idle instances that go on last; one that is about to go on would only come back at once."""
        soon = self._clock.now() + SOON_SECONDS
        idle = [
            (due, instance)
            for instance in self.runloop.idle
            if not instance.ended and (due := parking.waits_until(instance) or 0.0) > soon
        ]
        idle.sort(key=lambda item: item[0], reverse=True)
        leaving = idle[:wanted]
        for due, instance in leaving:
            self._park(instance, due)
        return len(leaving)

    def _handed_back(self, instance: LiveInstance) -> Change:
        final = rows.queued_row(instance, crash_limit=self._settings.crash_limit)
        return Change(instance.id, instance.epoch, (instance, (), None, None), final=final)

    async def _listen(self) -> None:
        attempt = 0
        while True:
            session = None
            try:
                session = await self._sessions.open(role="listen")
                mail = notifications.inbox_channel(session.schema)
                channels = (notifications.ready_channel(session.schema), mail)
                attempt = 0
                async for notify in listen(session, channels, listening=self.claimer.look):
                    if notify.channel != mail:
                        self.claimer.look()
                        self.taker.look()
                    elif self.lease in notifications.unpack_leases(notify.payload):
                        self._sharer.look()
            except (psycopg.Error, OSError, DatabaseError) as error:
                log.warning("listen.failed", error=first_line(error))
                await pause_after(error, attempt)
                attempt += 1
            finally:
                if session is not None:
                    with suppress(psycopg.Error):
                        await session.connection.close()


LOST_LEASE = (Fenced, HistoryLost)
"""What ends a tenure but not the runloop: it goes on under a new lease."""
