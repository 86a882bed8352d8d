"""What every pool does for all of them: one session in; due runs woken, dead leases reaped, old runs pruned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import timedelta

import psycopg

from waymark_schema.database.execute import Session, execute, fetch_all, fetch_one
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import PoolId, ProgramId
from waymark_schema.tables import leases, notifications, pools
from waymark_schema.tables.pools import PoolSample
from waymark_worker import wakes
from waymark_worker.clock import Clock, pause
from waymark_worker.pruner import Pruner, Seldom
from waymark_worker.reaper import Reaper
from waymark_worker.runloop.programs import INLINE_ACTION
from waymark_worker.runloop.report import RunloopReport
from waymark_worker.sessions import LeaseSessions, first_line, pause_after
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import log

PRUNE_PAUSE_SECONDS = 0.2
SUSPECT_SECONDS = 0.5
"""Between two looks while a lease may be dead."""
NOW = timedelta(0)


async def run(
    sessions: LeaseSessions,
    settings: PoolSettings,
    *,
    clock: Clock,
    session_features: bool,
    own: Callable[[], AbstractSet[object]],
    status: Callable[[Session], Awaitable[None]],
) -> None:
    """Do the duties in turn until cancelled; a lost session means a new round with a new reaper."""
    attempt = 0
    seldom = Seldom()
    while True:
        session: Session | None = None
        try:
            session = await sessions.open(role="duties")
            duties = _Duties(session, settings, clock, status, seldom)
            duties.reaper = Reaper(session, clock=clock, own=own, session_features=session_features)
            await duties.run()
        except (psycopg.Error, OSError, DatabaseError) as error:
            log.warning("duties.failed", error=first_line(error))
            await pause_after(error, attempt)
            attempt += 1
        finally:
            if session is not None:
                with suppress(psycopg.Error):
                    await session.connection.close()


class _Duties:
    """When each duty is due next, by monotonic time."""

    def __init__(
        self,
        session: Session,
        settings: PoolSettings,
        clock: Clock,
        status: Callable[[Session], Awaitable[None]],
        seldom: Seldom,
    ) -> None:
        self._session = session
        self._settings = settings
        self._clock = clock
        self._status = status
        self._ready_told = False
        self._pruner = Pruner(
            session,
            retention=settings.retention,
            room=settings.garbage_collector_batch_size,
            clock=clock,
            seldom=seldom,
        )
        self.reaper: Reaper | None = None

    async def run(self) -> None:
        duties = (self._look, self._prune, self._show)
        due = dict.fromkeys(duties, 0.0)
        while True:
            now = self._clock.monotonic()
            for duty in [duty for duty, at in due.items() if at <= now]:
                due[duty] = self._clock.monotonic() + await duty()
            if self._ready_told:
                self._ready_told = False
                await self._tell()
            await pause(max(0.0, min(due.values()) - self._clock.monotonic()))

    def _told(self) -> None:
        self._ready_told = True

    async def _tell(self) -> None:
        channel = notifications.ready_channel(self._session.schema)
        await fetch_one(self._session, notifications.notify([(channel, "")]))

    async def _look(self) -> float:
        """Wake, reap and release what one statement shows to be worth it: an idle pool runs only that one."""
        assert self.reaper is not None
        watched = await fetch_all(self._session, leases.watch(schema=self._session.schema))
        # Without any lease nothing is known of the rest.
        seen = watched[0] if watched else None
        again = wakes.LONGEST_SECONDS
        if seen is None or seen.mail or (seen.due_in is not None and seen.due_in <= NOW):
            again = await wakes.wake(self._session, told=self._told, clock=self._clock)
        elif seen.due_in is not None:
            again = min(again, seen.due_in.total_seconds())
        fenced = await self.reaper.look(watched)
        if seen is None or seen.orphans or fenced:
            await self._release()
        interval = self._settings.expired_lock_reclaimer_interval_ms / 1000
        return min(again, interval, SUSPECT_SECONDS if self.reaper.suspects else interval)

    async def _release(self) -> None:
        released = await wakes.release_orphans(
            self._session, room=self._settings.expired_lock_reclaimer_batch_size, told=self._told
        )
        if released:
            log.warning("instances.released", count=released)

    async def _prune(self) -> float:
        """Sweep for a moment at a time: waking and reaping must not wait for a long sweep."""
        swept = await self._pruner.turn()
        return self._settings.garbage_collector_interval_ms / 1000 if swept else PRUNE_PAUSE_SECONDS

    async def _show(self) -> float:
        await self._status(self._session)
        return self._settings.runner_profile_interval_ms / 1000


async def report(
    session: Session, pool: PoolId, reports: Iterable[RunloopReport], *, stopping: bool
) -> None:
    """Write down what the runloops of a pool said of themselves; one that stops begins no program any more."""
    reports = list(reports)
    programs = () if stopping else {ProgramId(id_) for item in reports for id_ in item.programs}
    await execute(
        session,
        pools.report(
            pool,
            actions=sorted({action for item in reports for action in item.actions}),
            programs=sorted(programs),
            workers=[worker for item in reports for worker in item.workers],
        ),
    )
    await execute(
        session,
        pools.sample(
            PoolSample(
                pool=pool,
                actions_completed=_sum(reports, "actions_completed"),
                actions_failed=_sum(reports, "actions_failed"),
                instances_completed=_sum(reports, "instances_completed"),
                memory_bytes=sum(item.memory_bytes for item in reports),
                instances_active=sum(item.instances_active for item in reports),
                calls_in_flight=sum(item.calls_in_flight for item in reports),
                calls_queued=sum(item.calls_queued for item in reports),
                workers=sum(len(item.workers) for item in reports),
                queue_latency_ms=None,
            )
        ),
    )


class Unserved:
    """Says once, and why, that runs of a workflow are queued which no live pool can run."""

    def __init__(self, *, silent: timedelta) -> None:
        """``silent``: how long a pool may not have reported and still counts as alive."""
        self._silent = silent
        self._before: set[int] = set()
        self._told: set[tuple[str, str]] = set()

    async def look(self, session: Session, reports: Iterable[RunloopReport]) -> None:
        """Two looks in a row must find a program: a pool that has just begun to run it reports meanwhile."""
        refusals = {program: why for item in reports for program, why in item.refusals.items()}
        if not refusals:
            return
        found = await fetch_all(session, pools.unserved(silent=self._silent, inline=INLINE_ACTION))
        for program in found:
            why = refusals.get(program.id)
            if program.id in self._before and why and (program.workflow, why) not in self._told:
                self._told.add((program.workflow, why))
                log.warning(
                    "runs.waiting", workflow=program.workflow, version=program.version, reason=why
                )
        self._before = {program.id for program in found}


def _sum(reports: Iterable[RunloopReport], counter: str) -> int:
    return sum(item.counters.get(counter, 0) for item in reports)
