"""The owner's side of offers: attempts that wait for a slot in, outcomes from other pools out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import psycopg

from waymark_schema.database.execute import Session, execute, fetch_all
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import LeaseId
from waymark_schema.kinds import InboxKind, OutcomeKind
from waymark_schema.tables import inbox, offers
from waymark_schema.tables.inbox import Message
from waymark_schema.tables.offers import NewOffer, OfferKey, OfferState
from waymark_worker.batches import fitting, halves, refused, too_long
from waymark_worker.clock import Clock
from waymark_worker.journal import Sessions
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop.live import LiveCall
from waymark_worker.runloop.offered import OfferedOutcome, decode_outcome
from waymark_worker.runloop.pace import Pace
from waymark_worker.runloop.programs import INLINE_ACTIONS
from waymark_worker.sessions import first_line, pause_after
from waymark_worker.telemetry import log

LOOK_SECONDS = 0.1
"""Between two looks at one's offers, and before what waits for a slot is offered at all."""
FOREIGN_SECONDS = 1.0
"""The same, while all of them are calls that this pool cannot run: their owner is told of the outcomes."""
ALONE_SECONDS = 0.5
"""Between two looks for others while nobody wants anything."""
WORTH_SECONDS = 0.2
"""What this pool itself has begun within this time is not worth an offer."""
MOST_OFFERED = 2_000
MAIL_ROOM = 10_000
MOST_DEATHS = 1_000
"""More are not told: they fit into the row, and say no more."""


class Owner(Protocol):
    """The runloop, as its offers see it."""

    def offered_ended(
        self,
        attempt: Attempt[LiveCall],
        kind: OutcomeKind,
        outcome: OfferedOutcome,
        letter: tuple[UUID, int],
    ) -> None: ...
    def attempts_lost(self, attempts: list[Attempt[LiveCall]], reason: str) -> None: ...
    def attempt_gone(self, attempt: Attempt[LiveCall]) -> None: ...
    def resubmit(self, attempt: Attempt[LiveCall]) -> None: ...
    def refused(self, attempt: Attempt[LiveCall], reason: str) -> None: ...
    def discard(self, letter: tuple[UUID, int]) -> bool: ...


class Sharer:
    """One per lease. A pool without company reads one small table twice a second while calls queue up."""

    def __init__(
        self,
        lease: LeaseId,
        sessions: Sessions,
        pool: WorkerPool,
        *,
        clock: Clock,
        pace: Pace,
        told: Callable[[], None],
        knows: Callable[[str], bool],
    ) -> None:
        """``pace`` counts the attempts that end here; ``told`` is to tell other pools that there are offers.

        ``knows`` says whether the workers of this pool have an action.
        """
        self.knows = knows
        self._lease = lease
        self._sessions = sessions
        self._pool = pool
        self._clock = clock
        self._pace = pace
        self._told = told
        self.owner: Owner | None = None
        self._offered: dict[OfferKey, Attempt[LiveCall]] = {}
        self._foreign: list[Attempt[LiveCall]] = []
        """Attempts that only other pools can run, not offered yet."""
        self._missed: set[str] = set()
        self._withdrawn: list[OfferKey] = []
        self._delivered: set[int] = set()
        """Messages whose consumption is on its way to the journal."""
        self._pressed = asyncio.Event()
        self._look = asyncio.Event()
        self._alone_until = 0.0
        self._session: Session | None = None
        self.draining = False
        """Nothing more is offered; runs are handed back once ``written``."""
        self.written = asyncio.Event()
        """Cleared while an offer may still appear: a next owner that looked before would run the call, too."""
        self.written.set()

    # what the runloop says --------------------------------------------------------------------

    def press(self) -> None:
        """A call waits for a slot."""
        self._pressed.set()

    def hand_out(self, attempt: Attempt[LiveCall]) -> None:
        """Offer at once what no worker of this pool can run, whoever wants it or nobody yet."""
        attempt.offered = True
        attempt.alone = False
        self._foreign.append(attempt)
        self._pressed.set()
        self._look.set()

    def look(self) -> None:
        """Mail has come."""
        if self._offered:
            self._look.set()

    def adopt(self, attempt: Attempt[LiveCall]) -> None:
        """Await an attempt that the last owner offered, or whose outcome is in the mail already."""
        attempt.offered = True
        attempt.alone = False
        self._offered[_key(attempt)] = attempt
        self._look.set()
        self._pressed.set()

    def disown(self, keys: Iterable[OfferKey]) -> None:
        """Offers that came with an instance and that it does not wait for."""
        self._withdrawn += keys
        self._pressed.set()

    def withdraw(self, attempt: Attempt[LiveCall]) -> None:
        """Nobody waits for it any more."""
        attempt.offered = False
        attempt.abandoned = True
        key = _key(attempt)
        if self._offered.pop(key, None) is not None:
            self.disown((key,))

    def leave(self, attempt: Attempt[LiveCall]) -> None:
        """Its instance is handed on; the next owner adopts the offer."""
        attempt.offered = False
        self._offered.pop(_key(attempt), None)

    # loop -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Offer, collect and take back until cancelled."""
        attempt = 0
        try:
            while True:
                await self._pressed.wait()
                await self._wait()
                try:
                    await self._turn()
                    attempt = 0
                except (psycopg.Error, OSError, DatabaseError) as error:
                    log.warning("offers.failed", error=first_line(error))
                    await self._lose()
                    await pause_after(error, attempt)
                    attempt += 1
                if not any((self._offered, self._withdrawn, self._foreign, self._pool.queued)):
                    self._pressed.clear()
        finally:
            await self._close()

    async def _wait(self) -> None:
        waiting = self._offered and not self._pool.queued and not self._withdrawn
        foreign = all(not self.knows(attempt.action) for attempt in self._offered.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(FOREIGN_SECONDS if waiting and foreign else LOOK_SECONDS):
                await self._look.wait()
        self._look.clear()

    async def _turn(self) -> None:
        if self._withdrawn:
            keys, self._withdrawn = self._withdrawn, []
            try:
                await execute(await self._open(), offers.withdraw(self._lease, keys))
            except BaseException:
                self._withdrawn += keys
                raise
        if self._foreign and not self.draining:
            session = await self._open()
            if not self.draining:
                await self._offer_foreign(session)
        open_ = 0
        if self._offered:
            open_ = await self._collect(await self._open())
        if self.draining:
            return
        if self._pool.queued > self._pace.per(WORTH_SECONDS):
            await self._offer(open_)

    async def _collect(self, session: Session) -> int:
        """Deliver outcomes, take back what nobody runs; return how many offers are still open."""
        asked = set(self._offered)
        # In this order: an offer goes in the statement that leaves its outcome.
        states = {
            OfferKey(row.instance, row.call, row.attempt): row
            for row in await fetch_all(session, offers.offered(self._lease))
        }
        letters = await fetch_all(session, inbox.pending_of_lease(self._lease, room=MAIL_ROOM))
        self._deliver(letters)
        if len(letters) == MAIL_ROOM:
            return len(states)
        open_ = self._missing(asked, states)
        over = {key for key in open_ if states[key].takes or self._offered[key].abandoned}
        wanted = [key for key in open_ if key not in over and self.knows(self._offered[key].action)]
        idle = self._pool.free_slots if not self.draining else 0
        back = [*over, *wanted[:idle]]
        if back:
            for row in await fetch_all(session, offers.take_back(self._lease, back)):
                key = OfferKey(row.instance, row.call, row.attempt)
                self._returned(key, dead=bool(states[key].takes), alone=states[key].alone)
        return len(wanted) - min(idle, len(wanted))

    def _missing(
        self, asked: Iterable[OfferKey], states: Mapping[OfferKey, OfferState]
    ) -> list[OfferKey]:
        """Go on with attempts whose offer is gone; return the keys of those that nobody holds now."""
        open_ = []
        for key in asked:
            attempt = self._offered.get(key)
            if attempt is None:
                continue
            state = states.get(key)
            if state is None:
                self._returned(key, dead=False)
            elif not state.taken:
                open_.append(key)
        return open_

    def _returned(self, key: OfferKey, *, dead: bool, alone: bool = False) -> None:
        attempt = self._offered.pop(key, None)
        if attempt is None or self.owner is None:
            return
        attempt.offered = False
        attempt.alone = alone
        if attempt.abandoned:  # its timeout is settled; now it has ended, too
            self.owner.attempt_gone(attempt)
        elif dead:
            self.owner.attempts_lost([attempt], "the pool that ran it has ended")
        else:
            self.owner.resubmit(attempt)

    def _deliver(self, letters: list[Message]) -> None:
        assert self.owner is not None
        self._delivered &= {letter.id for letter in letters}
        for letter in letters:
            if letter.kind != InboxKind.OFFERED_OUTCOME or letter.id in self._delivered:
                continue
            key = OfferKey(letter.instance, letter.call or 0, letter.attempt or 0)
            attempt = self._offered.get(key)
            address = (letter.instance, letter.id)
            if attempt is None or attempt.abandoned:
                if self.owner.discard(address):
                    self._delivered.add(letter.id)
                continue
            self._delivered.add(letter.id)
            kind = OutcomeKind(letter.outcome_kind or 0)
            if kind is not OutcomeKind.TIMEOUT:
                del self._offered[key]
                attempt.offered = False
            self.owner.offered_ended(attempt, kind, decode_outcome(letter.payload or b""), address)

    async def _offer(self, open_: int) -> None:
        now = self._clock.monotonic()
        if now < self._alone_until:
            return
        session = await self._open()
        demands = await fetch_all(session, offers.demand(self._lease))
        room = min(sum(demand.wants for demand in demands), MOST_OFFERED) - open_
        if not demands:
            self._alone_until = now + ALONE_SECONDS
        if room <= 0 or self.draining:
            return
        actions = INLINE_ACTIONS.union(*(demand.actions for demand in demands))
        # Half of what waits: the rest is begun here soon enough.
        attempts = self._pool.waiting.steal(
            min(room, (self._pool.queued + 1) // 2),
            lambda attempt: type(attempt.owner) is LiveCall and attempt.action in actions,
        )
        if not attempts:
            return
        await self._put(session, attempts)

    async def _offer_foreign(self, session: Session) -> None:
        attempts = [each for each in self._foreign if each.offered and not each.abandoned]
        self._foreign.clear()
        await self._put(session, attempts)
        for action in {attempt.action for attempt in attempts} - self._missed:
            self._missed.add(action)
            log.info(
                "calls.offered: no worker of this pool has their action; they run in a pool that has,"
                " and wait until there is one",
                action=action,
            )

    async def _put(self, session: Session, attempts: Iterable[Attempt[LiveCall]]) -> None:
        waiting = list(attempts)
        for attempt in waiting:
            attempt.offered = True
            self._offered[_key(attempt)] = attempt
        if not waiting:
            return
        self.written.clear()
        while waiting:
            part = fitting(waiting, _size)
            del waiting[: len(part)]
            # While others were written, some may have been withdrawn, or left to the next owner of their run.
            await self._write(session, [attempt for attempt in part if attempt.offered])
            self._told()
        self.written.set()

    async def _write(self, session: Session, attempts: list[Attempt[LiveCall]]) -> None:
        """Write offers; one that the server refuses is isolated by halving and is none."""
        pending = [attempts]
        while pending:
            part = pending.pop()
            if not part:
                continue
            try:
                await execute(session, offers.offer(self._lease, [_row(each) for each in part]))
            except Exception as error:
                if len(part) > 1 and (refused(error) or too_long(error)):
                    log.warning("offers.halved", offers=len(part), error=first_line(error))
                    pending += halves(part)
                    continue
                if not refused(error):
                    raise
                self._refused(part[0], error)

    def _refused(self, attempt: Attempt[LiveCall], error: Exception) -> None:
        """Nobody else can be asked: it runs here, or ends with that."""
        reason = str(error).strip() or repr(error)
        key = _key(attempt)
        log.error("offer.rejected", instance=str(key.instance), call=key.call, error=reason)
        # It may have been withdrawn while the statement was under way.
        if self._offered.pop(key, None) is None or self.owner is None:
            return
        attempt.offered = False
        if self.knows(attempt.action):
            self.owner.resubmit(attempt)
        else:
            self.owner.refused(attempt, reason)

    async def _open(self) -> Session:
        if self._session is None:
            self._session = await self._sessions.open_after_lost(role="offers")
            self.written.set()
        return self._session

    async def _lose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._sessions.lose(session)

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.connection.close()


def _size(attempt: Attempt[LiveCall]) -> int:
    return len(attempt.arguments)


def _key(attempt: Attempt[LiveCall]) -> OfferKey:
    return OfferKey(attempt.owner.instance.id, attempt.call, attempt.number)


def _row(attempt: Attempt[LiveCall]) -> NewOffer:
    instance = attempt.owner.instance
    return NewOffer(
        instance.id,
        attempt.call,
        attempt.number,
        attempt.action,
        attempt.arguments,
        instance.program.id,
        timedelta(seconds=attempt.timeout),
        min(attempt.owner.deaths, MOST_DEATHS),
    )
