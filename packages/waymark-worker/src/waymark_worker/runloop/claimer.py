"""Takes runnable instances under one lease: free room in, live instances out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import psycopg

from waymark_schema.database.execute import Session, fetch_all
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import LeaseId
from waymark_schema.tables import instances
from waymark_schema.tables.instances import Claimed
from waymark_worker.clock import Clock
from waymark_worker.journal import PYTHON_MINOR, Sessions
from waymark_worker.runloop import rebuilder, recovery
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.marks import Marks
from waymark_worker.runloop.programs import ProgramShelf, RunnableProgram
from waymark_worker.runloop.rebuilder import Rebuilder, why_not
from waymark_worker.runloop.searching import Search
from waymark_worker.runloop.turns import Turns
from waymark_worker.sessions import first_line, pause_after
from waymark_worker.telemetry import Counters, log

REFRESH_SECONDS = 1.0
"""Between two looks for programs that are new in the database."""
QUIET_REFRESH_SECONDS = 5.0
"""The same, while nobody says that there is anything to claim and whoever has something would say so."""


class Adopter(rebuilder.Adopter, Protocol):
    """Who takes the instances over."""

    def room(self) -> int: ...
    def knows(self, instance: UUID) -> bool: ...
    def set_aside(self, claimed: Claimed) -> bool: ...
    def begin(self, instance: LiveInstance) -> None: ...


class Claimer:
    """One per lease. Sleeps until there is room and a reason to look."""

    def __init__(
        self,
        lease: LeaseId,
        sessions: Sessions,
        adopter: Adopter,
        shelf: ProgramShelf,
        *,
        clock: Clock,
        counters: Counters,
        poll_interval: float,
        advancing: Callable[[LiveInstance | None], None],
    ) -> None:
        """``poll_interval`` in seconds bounds how long a lost notification delays a claim.

        ``advancing`` is told whose code is replayed.
        """
        self._lease = lease
        self._sessions = sessions
        self._adopter = adopter
        self._shelf = shelf
        self._clock = clock
        self._counters = counters
        self._poll_interval = poll_interval
        self._session: Session | None = None
        self._rebuilder = Rebuilder(lease, adopter, clock=clock, advancing=advancing)
        self._turns = Turns(clock)
        self._look = asyncio.Event()
        self._room = asyncio.Event()
        self._stopped = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._marks = Marks()
        self._refreshed_at = 0.0
        self._told = True
        self._quiet_refresh = (
            QUIET_REFRESH_SECONDS if poll_interval >= REFRESH_SECONDS else REFRESH_SECONDS
        )
        self._search = Search(sessions, clock.monotonic)
        self.took_all = True
        """Whether the last claim found fewer than it had room for."""

    def look(self) -> None:
        """Something may have become runnable."""
        self._told = True
        self._look.set()
        self._room.set()

    def has_room(self) -> None:
        """A slot came free; worth a look only if the last claim left something behind."""
        self._room.set()
        if not self.took_all:
            self._look.set()

    def _refresh_due_in(self) -> float:
        """Seconds until it is worth while to ask for new programs."""
        interval = REFRESH_SECONDS if self._told else self._quiet_refresh
        return self._refreshed_at + interval - self._clock.monotonic()

    def stop(self) -> None:
        """Claim nothing more, and hand back what is claimed and not in memory yet."""
        self._stopped = True
        self._rebuilder.stop()
        self.look()

    async def settled(self) -> None:
        """Wait until everything that was claimed is in memory or handed back."""
        await self._settled.wait()

    async def run(self) -> None:
        """Claim until ``stop``."""
        attempt = 0
        try:
            while not self._stopped:
                try:
                    await self._turn()
                    attempt = 0
                except (psycopg.Error, OSError, DatabaseError) as error:
                    log.warning("claim.failed", error=first_line(error))
                    await self._lose()
                    await pause_after(error, attempt)
                    attempt += 1
        finally:
            await self._close()

    async def _turn(self) -> None:
        if self._search.due_in <= 0:
            await self._find()
        room = self._adopter.room()
        if room <= 0:
            self._room.clear()
            await self._wait(self._room, self._poll_interval)
            return
        self._look.clear()
        taken = await self._claim(room)
        self.took_all = taken < room
        if self.took_all and not self._stopped:
            # Told of something that is of a program not known yet, it looks again once that may be known.
            soon = max(0.0, self._refresh_due_in()) if self._told else self._poll_interval
            await self._wait(self._look, min(self._poll_interval, soon))

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(min(seconds, max(0.0, self._search.due_in))):
                await event.wait()
        except TimeoutError:
            return

    async def _open(self) -> Session:
        if self._session is None:
            self._session = await self._sessions.open_after_lost(role="claim")
        return self._session

    async def _claim(self, room: int) -> int:
        session = await self._open()
        if self._refresh_due_in() <= 0 or not self._shelf.claimable:
            self._told = False
            await self._shelf.refresh(session, self._lease)
            self._refreshed_at = self._clock.monotonic()
        if not self._shelf.claimable or self._stopped:
            return 0
        self._settled.clear()
        try:
            return await self._take(session, room)
        finally:
            self._settled.set()

    async def _find(self) -> None:
        """Adopt what the lease holds and nobody here knows."""
        session = await self._open()
        self._settled.clear()
        try:
            held = await fetch_all(session, instances.owned(self._lease))
            unknown = [row for row in held if not self._adopter.knows(row.id)]
            if unknown:
                log.info("claim.found", runs=len(unknown))
            await self._adopt(session, unknown)
        finally:
            self._settled.set()
        self._search.done()

    async def _take(self, session: Session, room: int) -> int:
        self._search.asks()
        asked = self._marks.stretches(self._shelf.claimable, now=self._clock.monotonic())
        claim = instances.claim(self._lease, asked, room=room, python_minor=PYTHON_MINOR)
        rows = await fetch_all(session, claim)
        self._marks.note(rows)
        await self._adopt(session, rows)
        self._search.answered()
        return len(rows)

    async def _adopt(self, session: Session, rows: list[Claimed]) -> None:
        if not rows:
            return
        self._counters.instances_claimed += len(rows)
        programs = await self._shelf.get(session, {row.program for row in rows})
        old: list[Claimed] = []
        for row in rows:
            program = programs.get(row.program)
            if self._adopter.set_aside(row):
                continue
            if program is None:
                self._not_linked(row)
            elif not row.fresh:
                old.append(row)
            elif self._stopped:
                self._adopter.hand_back(row)
            else:
                self._begin(row, program)
                await self._turns.give()
        if old:
            await self._rebuilder.rebuild(session, old, programs)

    def _not_linked(self, row: Claimed) -> None:
        if self._shelf.is_sound(row.program):
            self._adopter.hand_back(row)
        else:
            reason = f"its program cannot be linked: {self._shelf.why(row.program)}"
            self._adopter.refuse(row, reason)

    def _begin(self, row: Claimed, program: RunnableProgram) -> None:
        try:
            live = recovery.fresh(
                row.id, row.epoch, program, row.inputs or b"", awaited=row.awaited
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one run is that run's trouble
            self._adopter.refuse(row, why_not(error))
            return
        self._adopter.begin(live)

    async def _lose(self) -> None:
        self._search.lost()
        session, self._session = self._session, None
        if session is not None:
            await self._sessions.lose(session)

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.connection.close()
