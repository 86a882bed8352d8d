"""Retention: an age in, finished instances older than that gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from waymark_schema.database.execute import Session, execute, fetch_all, fetch_one
from waymark_schema.tables import in_flight, inbox, leases, offers, pools, pruning
from waymark_schema.tables.transactions import prune_programs
from waymark_worker.clock import Clock, pause
from waymark_worker.telemetry import log

TURN_SECONDS = 0.2
"""Other duties share the session."""
PROGRAM_KEPT = timedelta(days=7)
PROGRAMS_SECONDS = 3_600.0
"""Between two looks for programs that nobody uses: it may have to read every run that is parked."""
PROGRAMS_LIMIT = timedelta(seconds=2)
"""Waking and reaping wait meanwhile."""
SAMPLES_KEPT = timedelta(days=2)
SAMPLES_ROOM = 10_000
POOLS_KEPT = timedelta(days=2)


@dataclass(slots=True)
class Seldom:
    """When programs were last looked for. It outlives a session: if it was that which broke it, the next is spared."""

    tried_at: float | None = None

    def due(self, now: float) -> bool:
        """Whether it is time again; then that counts as tried."""
        if self.tried_at is not None and now - self.tried_at < PROGRAMS_SECONDS:
            return False
        self.tried_at = now
        return True


class Pruner:
    """One per session. A sweep begins at the oldest run and remembers how far it has come."""

    def __init__(
        self, session: Session, *, retention: timedelta, room: int, clock: Clock, seldom: Seldom
    ) -> None:
        """``room``: how many instances one statement deletes at most."""
        self._session = session
        self._retention = retention
        self._room = room
        self._clock = clock
        self._states = list(pruning.STATES)
        self._since: datetime | None = None
        self._deleted = 0
        self._tidied = False
        self._seldom = seldom

    async def turn(self) -> bool:
        """Go on for a moment, each batch a short statement of its own; True when nothing old is left."""
        until = self._clock.monotonic() + TURN_SECONDS
        if not self._tidied:
            # First: a backlog of runs must not keep everything else for ever.
            await self._tidy()
            self._tidied = True
        while self._states:
            await self._batch()
            if self._clock.monotonic() >= until:
                break
            await pause(0)
        if self._states:
            return False
        if self._deleted:
            log.info("pruned", instances=self._deleted)
        self._states, self._since = list(pruning.STATES), None
        self._deleted, self._tidied = 0, False
        return True

    async def _batch(self) -> None:
        batch = await fetch_one(
            self._session,
            pruning.prune_instances(
                self._states[0], retention=self._retention, room=self._room, since=self._since
            ),
        )
        self._deleted += batch.instances
        if batch.newest is not None:
            self._since = batch.newest
        if batch.found < self._room and batch.instances == batch.found:
            del self._states[0]
            self._since = None

    async def _tidy(self) -> None:
        session = self._session
        if self._seldom.due(self._clock.monotonic()):
            await self._prune_programs()
        samples = pools.prune_samples(older_than=SAMPLES_KEPT, room=SAMPLES_ROOM)
        while await execute(session, samples) == SAMPLES_ROOM:
            await pause(0)
        await execute(session, pools.prune_pools(older_than=POOLS_KEPT))
        await execute(session, offers.sweep())
        await execute(session, in_flight.sweep())
        await execute(session, inbox.sweep())
        await fetch_all(session, leases.remove())

    async def _prune_programs(self) -> None:
        pruned = await prune_programs(self._session, unused_for=PROGRAM_KEPT, limit=PROGRAMS_LIMIT)
        if pruned is None:
            log.info(
                "programs.not_pruned: too many runs are parked to look for programs that nobody uses",
                seconds=PROGRAMS_LIMIT.total_seconds(),
            )
