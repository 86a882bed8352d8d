"""The leases of a pool's runloops in; beats that keep them, new ones for those that gave theirs up out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg

from waymark_schema.database.execute import Session, fetch_one, fetch_optional, hurried
from waymark_schema.database.faults import Fault, classify
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import PoolId
from waymark_schema.tables import leases
from waymark_schema.tables.transactions import leave
from waymark_worker.clock import Clock
from waymark_worker.runloop.child import RunloopChild
from waymark_worker.sessions import SHORT_PAUSE_SECONDS, LeaseSessions, first_line, pause_after
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import log

STUCK_SECONDS = 10.0
LOOK_SECONDS = 0.25
LEAST_ANSWER_SECONDS = 2.0
UNLOCKED_BEAT_SECONDS = 0.4
"""A reaper that sees a free lock for a second without a beat takes the owner for dead."""


class Heartbeats:
    """One per pool, on one session."""

    def __init__(
        self,
        settings: PoolSettings,
        children: Sequence[RunloopChild],
        *,
        clock: Clock,
        session_features: bool,
        stopping: asyncio.Event,
        register: Callable[[Session], Awaitable[PoolId]],
        retire: Callable[[Session], Awaitable[None]],
    ) -> None:
        """``register`` writes the pool down, once; ``retire`` writes, once, that it takes nothing more."""
        self._settings = settings
        self._children = children
        self._clock = clock
        self._features = session_features
        self._stopping = stopping
        self._register = register
        self._retire = retire
        self._unlocked: set[RunloopChild] = set()
        """Whose session lock is not ours yet: the server has not missed the lost session that holds it."""
        self._put_off: dict[RunloopChild, float] = {}
        """When those for whom the last lease was not to be had are due again."""
        self._unanswered: set[RunloopChild] = set()
        """Whose last beat failed: the others' come first, since somebody may hold the row for long."""
        self.at_once = asyncio.Event()
        """Set by whoever cannot wait for the next beat."""
        self.ready = asyncio.Event()
        """Set when every runloop can run calls and holds a lease."""

    def reported(self) -> None:
        """A runloop has told something; it may want its first lease."""
        if any(child.wants_lease for child in self._children):
            self.at_once.set()

    async def run(self, sessions: LeaseSessions) -> None:
        """Renew every lease whose runloop moves; a new session locks and beats before anything else."""
        session: Session | None = None
        attempt = 0
        try:
            while True:
                try:
                    if session is None:
                        session = hurried(await sessions.open(role="heartbeat"), self._answer_limit)
                        for child in self._children:
                            await self._relock(session, child)
                    await self._beat_all(session)
                    attempt = 0
                    with self._noticing_loss(session):
                        await self._until_next_beat()
                except (psycopg.Error, OSError, DatabaseError) as error:
                    log.warning("heartbeat.failed", error=first_line(error))
                    if session is not None:
                        await session.connection.close()
                        session = None
                    await pause_after(error, attempt, most=SHORT_PAUSE_SECONDS)
                    attempt += 1
        finally:
            if session is not None:
                await session.connection.close()

    @property
    def _answer_limit(self) -> float:
        """An answer that takes longer is not worth waiting for: the lease needs a session that answers."""
        return max(LEAST_ANSWER_SECONDS, self._settings.lock_ttl_ms / 3000)

    @contextmanager
    def _noticing_loss(self, session: Session) -> Iterator[None]:
        """Beat at once, on a new session, when this one ends: with it goes the lock that others look at."""
        loop, fd = asyncio.get_running_loop(), session.connection.fileno()
        loop.add_reader(fd, self.at_once.set)
        try:
            yield
        finally:
            loop.remove_reader(fd)

    async def _until_next_beat(self) -> None:
        """Sleep a heartbeat interval, or until a lease is needed, looking at the pages in between."""
        interval = self._settings.lock_heartbeat_ms / 1000
        due = self._clock.monotonic() + min(
            interval, UNLOCKED_BEAT_SECONDS if self._unlocked else interval
        )
        while self._clock.monotonic() < due and not self.at_once.is_set():
            if self._left_behind() or (not self._stopping.is_set() and self._wanting()):
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.at_once.wait()
        self.at_once.clear()

    async def _relock(self, session: Session, child: RunloopChild) -> None:
        if self._features and child.lease is not None:
            query = leases.lock_session(child.lease, schema=session.schema)
            held = (await fetch_one(session, query)).held
            (self._unlocked.discard if held else self._unlocked.add)(child)

    async def _beat_all(self, session: Session) -> None:
        """Renew what is held before anything is given: nobody's lease may end for what another left behind."""
        await self._renew_all(session)
        for child in self._left_behind():
            await self._or_put_off(session, child, self._give_up(session, child))
        if self._stopping.is_set():
            await self._retire(session)
            return
        for child in self._wanting():
            await self._or_put_off(session, child, self._new_lease(session, child))

    async def _or_put_off(
        self, session: Session, child: RunloopChild, change: Awaitable[None]
    ) -> None:
        """Change the lease of one runloop, later if that is not possible now; no other waits for it."""
        try:
            await change
        except psycopg.Error as error:
            if classify(error) is not Fault.TRANSIENT:
                raise
            log.warning("lease.put_off", application=child.application, error=first_line(error))
            self._put_off[child] = self._clock.monotonic() + SHORT_PAUSE_SECONDS
            await self._renew_all(session)

    def _left_behind(self) -> list[RunloopChild]:
        """Whose lease has to go now: its runloop has ended, and nobody knows when another one can be started."""
        return self._due(child for child in self._children if child.ended and child.lease)

    def _wanting(self) -> list[RunloopChild]:
        """Who is to get a lease now."""
        return self._due(child for child in self._children if child.wants_lease)

    def _due(self, children: Iterable[RunloopChild]) -> list[RunloopChild]:
        now = self._clock.monotonic()
        return [child for child in children if self._put_off.get(child, now) <= now]

    async def _renew_all(self, session: Session) -> None:
        for child in sorted(self._children, key=lambda child: child in self._unanswered):
            moves = child.tick_age(self._clock.monotonic()) < STUCK_SECONDS
            if child.lease is None or child.ended or child.wants_lease or not moves:
                continue
            self._unanswered.add(child)
            if child in self._unlocked:
                await self._relock(session, child)
            await self._renew(session, child)
            self._unanswered.discard(child)

    async def _renew(self, session: Session, child: RunloopChild) -> None:
        assert child.lease is not None
        asked_at = self._clock.monotonic()
        beat = await fetch_optional(
            session, leases.heartbeat(child.lease, ttl=self._settings.lease_ttl)
        )
        if beat is None:
            log.warning("lease.fenced_by_another", lease=child.lease)
            child.board.put_time("beat_at", 0.0)
            child.board.put("fenced", child.generation)
            return
        self._confirm(child, asked_at=asked_at, database_now=beat.now.timestamp())

    async def _new_lease(self, session: Session, child: RunloopChild) -> None:
        """A lease of a runloop that was fenced is given up at once, so that others need not wait."""
        await self._give_up(session, child)
        pool = await self._register(session)
        asked_at = self._clock.monotonic()
        lease = await fetch_one(
            session,
            leases.register(
                pool,
                application=child.next_application(),
                ttl=self._settings.lease_ttl,
                has_lock=self._features,
            ),
        )
        ttl = self._settings.lease_ttl
        self._confirm(child, asked_at=asked_at, database_now=(lease.expires_at - ttl).timestamp())
        child.hold(lease.id)
        await self._relock(session, child)
        if all(each.lease is not None for each in self._children):
            self.ready.set()

    async def _give_up(self, session: Session, child: RunloopChild) -> None:
        """Fence the lease, if there is one, and only then let go of its lock, which would stay with the session."""
        lease = child.lease
        if lease is None:
            return
        await leave(session, lease, application=child.lease_application)
        if self._features and child not in self._unlocked:
            await fetch_one(session, leases.unlock_session(lease, schema=session.schema))
        self._unlocked.discard(child)
        child.lease = None

    def _confirm(self, child: RunloopChild, *, asked_at: float, database_now: float) -> None:
        answered_at = self._clock.monotonic()
        child.board.put_time("beat_at", asked_at)
        # The server read it somewhere between the two.
        child.board.put_time("database_ahead", database_now - (asked_at + answered_at) / 2)
