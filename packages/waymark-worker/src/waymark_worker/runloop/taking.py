"""The taker's side of offers: free slots in, other pools' calls run and their outcomes mailed out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import psycopg

from waymark_schema.database.execute import Session, execute, fetch_all
from waymark_schema.database.faults import Fault, classify
from waymark_schema.database.statement import Query
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import LeaseId, ProgramId
from waymark_schema.kinds import OutcomeKind
from waymark_schema.tables import offers
from waymark_schema.tables.offers import OfferKey, TakenOffer
from waymark_schema.wire.frames import CANCELLED, RETURNED, CallEnd
from waymark_worker.clock import DatabaseClock
from waymark_worker.journal import Sessions
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.dispatcher import DEATHS_BEFORE_ALONE
from waymark_worker.runloop.mailing import Ended, letter, mail
from waymark_worker.runloop.offered import OfferedOutcome
from waymark_worker.runloop.pace import Pace
from waymark_worker.runloop.programs import ProgramShelf, RunnableProgram
from waymark_worker.runloop.searching import Search
from waymark_worker.runloop.solo import Suspect
from waymark_worker.runloop.taken import TakenCall, TakenSuspect
from waymark_worker.sessions import first_line, pause_after
from waymark_worker.telemetry import Counters, log

AGAIN_SECONDS = 0.02
"""Between two takes while the last one brought something."""
CHECK_SECONDS = 0.5
"""Between two looks for offers that were withdrawn."""
REVIEW_SECONDS = 1.0
"""Between two looks at one's own slots when nothing happens."""
MOST_WANTED = 1_000


class Taker:
    """One per lease; idle pools take, busy ones say that they want nothing."""

    def __init__(
        self,
        lease: LeaseId,
        sessions: Sessions,
        pool: WorkerPool,
        shelf: ProgramShelf,
        *,
        clock: DatabaseClock,
        counters: Counters,
        idle: Callable[[], bool],
        told: Callable[[Iterable[LeaseId]], None],
        poll_interval: float,
    ) -> None:
        """``idle`` says whether nothing of one's own is left to claim; ``told`` tells owners of mail."""
        self._lease = lease
        self._sessions = sessions
        self._pool = pool
        self._shelf = shelf
        self._clock = clock
        self._counters = counters
        self._idle = idle
        self._told = told
        self._poll_interval = poll_interval
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(self._loop.time)
        self._taken: dict[OfferKey, Attempt[TakenCall]] = {}
        self._ends: list[Ended] = []
        self._drops: list[OfferKey] = []
        self._given_back: list[OfferKey] = []
        self._marks: deque[tuple[TakenSuspect, bool]] = deque()
        self.suspect: Callable[[Suspect], None] = _nobody
        """Takes an attempt that must be begun with nothing beside it."""
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._wanted = 0
        """What the lease's row says."""
        self._able = False
        self._asked_at = -poll_interval
        self._hurry = False
        """Whether there is a reason to take before the poll interval is over."""
        self._foreign_at = self._loop.time()
        self._search = Search(sessions, self._loop.time)
        self._stopped = False
        self._taking: Session | None = None
        self._reporting: Session | None = None

    # what others say ----------------------------------------------------------------------------

    def look(self) -> None:
        """There may be offers."""
        self._hurry = True
        self._wake.set()

    def has_room(self) -> None:
        """A slot came free; worth a look at once only while taking goes on."""
        if self._taken or not self._wanted:
            self.look()

    def stop(self) -> None:
        """Take nothing more; hand back what has not started."""
        self._stopped = True
        for key, attempt in tuple(self._taken.items()):
            # One that is to run alone may wait for that elsewhere.
            if attempt.worker_number is None and (self._pool.withdraw(attempt) or attempt.alone):
                del self._taken[key]
                self._given_back.append(key)
        self._changed()
        self._wake.set()

    async def release(self) -> None:
        """Give up what still runs; return when every owner has been told."""
        for attempt in tuple(self._taken.values()):
            if not attempt.abandoned:
                self._end(attempt, OutcomeKind.LOST, b"the pool that ran it was stopped")
        await self._quiet.wait()

    def drop_all(self) -> None:
        """The lease is lost: nothing that runs here matters any more."""
        for attempt in tuple(self._taken.values()):
            self._pool.withdraw(attempt)
        self._taken.clear()

    # its suspects -------------------------------------------------------------------------------

    def holds(self, attempt: Attempt[TakenCall]) -> bool:
        """Whether somebody waits for it."""
        return self._taken.get(attempt.owner.key) is attempt and not attempt.abandoned

    def mark(self, suspect: TakenSuspect, *, alone: bool) -> None:
        """Let the offer tell whether it runs alone."""
        self._marks.append((suspect, alone))
        self._changed()

    # pool listener ------------------------------------------------------------------------------

    def attempt_ended(self, attempt: Attempt[TakenCall], end: CallEnd) -> None:
        """Mail the outcome."""
        self._pace.count()
        if end.kind == CANCELLED:
            self._end(
                attempt, OutcomeKind.LOST, b"the worker cancelled it while it was shutting down"
            )
            return
        if end.kind == RETURNED:
            self._counters.actions_completed += 1
        else:
            self._counters.actions_failed += 1
        kind = OutcomeKind.VALUE if end.kind == RETURNED else OutcomeKind.ERROR
        self._end(attempt, kind, end.payload, seconds=end.seconds, output=end.log)

    def attempt_timed_out(self, attempt: Attempt[TakenCall]) -> None:
        """Mail the timeout; the cancellation leaves after its commit, and the offer with the attempt."""
        attempt.abandoned = True
        self._counters.actions_failed += 1
        payload = outcomes.timeout_error(attempt.action, attempt.timeout, attempt.number)
        self._end(
            attempt,
            OutcomeKind.TIMEOUT,
            payload,
            seconds=self._loop.time() - attempt.started_at,
            ended=False,
        )

    def attempt_gone(self, attempt: Attempt[TakenCall]) -> None:
        """An attempt that was given up has really ended."""
        key = attempt.owner.key
        if self._taken.pop(key, None) is not None:
            self._drops.append(key)
            self._changed()

    def attempts_lost(self, attempts: list[Attempt[TakenCall]], reason: str) -> None:
        """Mail that its worker died."""
        for attempt in attempts:
            self._end(attempt, OutcomeKind.LOST, reason.encode(), died=True)

    def _end(
        self,
        attempt: Attempt[TakenCall],
        kind: OutcomeKind,
        payload: bytes,
        *,
        seconds: float = 0.0,
        output: bytes = b"",
        ended: bool = True,
        died: bool = False,
    ) -> None:
        """``payload``: value or error, or for a lost one the reason as text."""
        key = attempt.owner.key
        if self._taken.get(key) is not attempt:
            return
        if ended:
            del self._taken[key]
        began = 0.0
        if attempt.started_at:
            began = self._clock.now() - (self._loop.time() - attempt.started_at)
        outcome = OfferedOutcome(payload, seconds, began, output, attempt.worker_number, died)
        self._ends.append(letter(attempt, kind, outcome, ended=ended))
        self._changed()

    def _changed(self) -> None:
        if self._unsent:
            self._quiet.clear()
            self._news.set()

    @property
    def _unsent(self) -> bool:
        return any((self._ends, self._marks, self._drops, self._given_back))

    # take ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Say what is wanted and take it, until cancelled."""
        attempt = 0
        checked_at = self._loop.time()
        try:
            while True:
                pause = REVIEW_SECONDS
                try:
                    if self._search.due_in <= 0:
                        await self._give_back_unknown(await self._open())
                    if await self._take():
                        pause = AGAIN_SECONDS
                    if self._taken:
                        pause = min(pause, CHECK_SECONDS)
                        if self._loop.time() - checked_at >= CHECK_SECONDS:
                            checked_at = self._loop.time()
                            await self._check()
                    attempt = 0
                except (psycopg.Error, OSError, DatabaseError) as error:
                    log.warning("take.failed", error=first_line(error))
                    await self._lose()
                    await pause_after(error, attempt)
                    attempt += 1
                if self._wanted:
                    pause = min(pause, self._poll_interval)
                await self._wait(pause)
        finally:
            await self._close()

    def _wants(self) -> int:
        if self._stopped or self._pool.held or not self._shelf.actions or not self._idle():
            return 0
        ahead = self._pace.per(0.2) - self._pool.queued
        return min(MOST_WANTED, max(self._pool.free_slots, ahead, 0))

    async def _take(self) -> bool:
        """Take what is wanted; True if there was something."""
        wants = self._wants()
        if not wants and await self._take_foreign():
            return True
        if not wants and not self._wanted:
            return False
        session = await self._open()
        if not self._able:
            await execute(session, offers.able(self._lease, self._shelf.actions))
            self._able = True
        # Close enough is good enough: the row is read by owners that have more than anybody wants.
        if bool(wants) != bool(self._wanted) or not self._wanted / 2 <= wants <= self._wanted * 2:
            await execute(session, offers.want(self._lease, wants))
            self._wanted = wants
        if not wants or not self._worth_asking():
            return False
        return await self._begin(session, offers.take(self._lease, self._shelf.actions, room=wants))

    async def _take_foreign(self) -> bool:
        """Busy or not, take what only others can run: it would wait for ever for somebody idle."""
        now, free = self._loop.time(), self._pool.free_slots
        if self._stopped or not self._shelf.actions or self._pool.queued > self._pool.slots:
            return False
        if not (free and self._hurry) and now - self._foreign_at < REVIEW_SECONDS:
            return False
        self._foreign_at, self._hurry = now, False
        room = max(1, free, self._pool.slots // 4)
        query = offers.take_foreign(self._lease, self._shelf.actions, room=room)
        return await self._begin(await self._open(), query)

    async def _begin(self, session: Session, query: Query[TakenOffer]) -> bool:
        self._search.asks()
        taken = await fetch_all(session, query)
        programs = await self._shelf.get(session, {row.program for row in taken}) if taken else {}
        self._take_over(taken, programs)
        # Only now: a session that ends while the programs are read takes what nobody here knows along, too.
        self._search.answered()
        return bool(taken)

    def _take_over(
        self, taken: list[TakenOffer], programs: Mapping[ProgramId, RunnableProgram]
    ) -> None:
        self._hurry = self._hurry or bool(taken)
        for row in taken:
            program = programs.get(row.program)
            key = OfferKey(row.instance, row.call, row.attempt)
            if program is None or key in self._given_back:
                # Its owner linked it, so something is wrong with it here, and the owner can run the call. Or it is
                # being given back, the answer may have been lost: that statement would open again what ran here.
                self._given_back.append(key)
                self._changed()
            else:
                self._start(row, program.digest)

    def _worth_asking(self) -> bool:
        now = self._loop.time()
        if not self._hurry and now - self._asked_at < self._poll_interval:
            return False
        self._hurry = False
        self._asked_at = now
        return True

    def _start(self, row: TakenOffer, digest: bytes) -> None:
        key = OfferKey(row.instance, row.call, row.attempt)
        attempt = Attempt(
            TakenCall(key, row.owner, row.deaths),
            instance=row.instance.bytes,
            program=digest,
            call=row.call,
            number=row.attempt,
            action=row.action,
            arguments=row.inputs,
            timeout=row.timeout.total_seconds(),
            queued_at=self._loop.time(),
            alone=row.deaths >= DEATHS_BEFORE_ALONE,
        )
        self._taken[key] = attempt
        if attempt.alone:
            self.suspect(TakenSuspect(attempt, self))
        else:
            self._pool.submit(attempt)

    async def _check(self) -> None:
        """Cancel what was withdrawn."""
        asked = set(self._taken)
        held = await fetch_all(await self._open(), offers.taken(self._lease))
        for key in asked - {OfferKey(row.instance, row.call, row.attempt) for row in held}:
            attempt = self._taken.get(key)
            if attempt is not None and not attempt.abandoned:
                del self._taken[key]
                self._pool.withdraw(attempt)

    async def _give_back_unknown(self, session: Session) -> None:
        """Open again what this lease holds of others and does not run."""
        known = self._known()
        held = await fetch_all(session, offers.taken(self._lease))
        keys = {OfferKey(row.instance, row.call, row.attempt) for row in held}
        self._given_back += keys - known - self._known()
        self._changed()
        self._search.done()

    def _known(self) -> set[OfferKey]:
        ends = {attempt.owner.key for attempt, _ in self._ends}
        return ends.union(self._taken, self._drops, self._given_back)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    async def _open(self) -> Session:
        if self._taking is None:
            self._taking = await self._sessions.open_after_lost(role="take")
        return self._taking

    async def _lose(self) -> None:
        self._search.lost()
        session, self._taking = self._taking, None
        if session is not None:
            await self._sessions.lose(session)

    async def _close(self) -> None:
        session, self._taking = self._taking, None
        if session is not None:
            await session.connection.close()

    # report -------------------------------------------------------------------------------------

    async def report(self) -> None:
        """Mail outcomes, many in one statement, until cancelled; each is sent until the server has it."""
        attempt = 0
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                try:
                    await self._send()
                    attempt = 0
                except (psycopg.Error, OSError, DatabaseError) as error:
                    log.warning("report.failed", error=first_line(error))
                    if not isinstance(error, DatabaseError) and classify(error) is Fault.DATA:
                        raise  # a defect: it must not be met again and again in silence
                    await self._close_reporting()
                    await pause_after(error, attempt)
                    attempt += 1
                    self._news.set()
                if not self._unsent:
                    self._quiet.set()
        finally:
            await self._close_reporting()

    async def _send(self) -> None:
        if self._reporting is None:
            self._reporting = await self._sessions.open(role="report")
        session = self._reporting
        await mail(
            session, self._lease, self._ends, mailed=self._mailed, given_up=self._drops.append
        )
        while self._marks:
            suspect, alone = self._marks[0]
            key = suspect.attempt.owner.key
            held = await fetch_all(session, offers.mark_alone(self._lease, key, alone=alone))
            self._marks.popleft()
            suspect.recorded = alone and bool(held)
        for query, keys in ((offers.drop_taken, self._drops), (offers.give_back, self._given_back)):
            if sent := list(keys):
                await execute(session, query(self._lease, sent))
                del keys[: len(sent)]

    def _mailed(self, ends: list[Ended]) -> None:
        self._told({attempt.owner.owner for attempt, _ in ends})
        for attempt, end in ends:
            if not end.ended:
                self._pool.withdraw(attempt)

    async def _close_reporting(self) -> None:
        session, self._reporting = self._reporting, None
        if session is not None:
            await session.connection.close()


def _nobody(_suspect: Suspect) -> None:
    raise AssertionError("nobody was said to take it")
