"""The pool's composition root: settings in; leases kept alive, runloops watched, duties done, an exit status out.

It runs no workflow code, so nothing a workflow does can stop its heartbeats.
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

import psycopg

from waymark_schema.database.execute import Session, execute, fetch_one, fetch_optional
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import PoolId
from waymark_schema.ir.program import FORMAT, SEMANTICS
from waymark_schema.tables import leases, pools
from waymark_worker import duties, web
from waymark_worker.clock import SystemClock, pause
from waymark_worker.runloop.child import RunloopChild
from waymark_worker.runloop.process import CANNOT_RUN
from waymark_worker.sessions import LeaseSessions, pause_after
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import log

STUCK_SECONDS = 10.0
WATCH_SECONDS = 0.25
RESTART_SECONDS = 0.5
GRACE_MARGIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Known:
    """What a pool can run, in numbers."""

    workflows: int
    actions: int


class Supervisor:
    """One per pool process tree."""

    def __init__(
        self,
        settings: PoolSettings,
        database: DatabaseSettings,
        *,
        workers: int,
        session_features: bool,
    ) -> None:
        self._settings = settings
        self._database = database
        self._workers = workers
        self._features = session_features
        self._clock = SystemClock()
        self._children: list[RunloopChild] = []
        self._stopping = asyncio.Event()
        self._beat_now = asyncio.Event()
        self._status = 0
        self._web: asyncio.subprocess.Process | None = None
        self.pool: PoolId | None = None
        self.ready = asyncio.Event()
        """Set when the first runloop can run calls."""

    def stop(self) -> None:
        """First time: drain. Second time: end at once."""
        number = signal.SIGKILL if self._stopping.is_set() else signal.SIGTERM
        self._stopping.set()
        for child in self._children:
            child.signal(number)

    async def run(self) -> int:
        """Work until stopped; the exit status of the pool."""
        if self._settings.webapp_enabled:
            web.require_web()
        self.pool = await self._register()
        base = f"waymark pool {self.pool}"
        sessions = LeaseSessions(self._database, application=base, session_features=self._features)
        for index, share in enumerate(self._shares()):
            self._children.append(
                RunloopChild(
                    application=f"{base}/{index}", workers=share, session_features=self._features
                )
            )
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._beat(sessions)),
                group.create_task(
                    duties.run(
                        sessions,
                        self._settings,
                        clock=self._clock,
                        session_features=self._features,
                        own=lambda: {child.lease for child in self._children},
                        status=self._report_status,
                    )
                ),
            ]
            if self._settings.webapp_enabled:
                background.append(group.create_task(self._serve_web()))
            keeping = [group.create_task(self._keep(child)) for child in self._children]
            await asyncio.wait(keeping)
            for task in background:
                task.cancel()
        await self._leave(sessions)
        for child in self._children:
            child.close()
        return self._status

    def _shares(self) -> list[int]:
        shards = self._settings.executor_shards or max(1, self._workers // 8)
        shards = min(shards, self._workers)
        whole, rest = divmod(self._workers, shards)
        return [whole + (1 if index < rest else 0) for index in range(shards)]

    async def _register(self) -> PoolId:
        sessions = LeaseSessions(
            self._database, application="waymark pool", session_features=self._features
        )
        session = await sessions.open(role="register")
        try:
            registered = await fetch_one(
                session,
                pools.register(
                    pid=os.getpid(),
                    host=socket.gethostname(),
                    version=_version(),
                    python=platform.python_version(),
                    program_format=FORMAT,
                    program_semantics=SEMANTICS,
                ),
            )
        finally:
            await session.connection.close()
        return registered.id

    def known(self) -> Known:
        """How many workflows and actions the first runloop reported."""
        report = next(child.report for child in self._children if child.report is not None)
        return Known(len(report.workflows), len(report.actions))

    # runloops -----------------------------------------------------------------------------

    async def _keep(self, child: RunloopChild) -> None:
        """Start the runloop, watch it, start it again; until the pool stops or it says that this is useless."""
        while not self._stopping.is_set():
            await child.start(reported=self._reported)
            watching = asyncio.create_task(self._watch(child))  # noqa: TID251 - ends with the process it watches
            code = await child.wait()
            watching.cancel()
            self._beat_now.set()
            if code == CANNOT_RUN:
                self._status = CANNOT_RUN
                self.stop()
                return
            if self._stopping.is_set():
                if code not in (0, -signal.SIGKILL) and not self._status:
                    self._status = 1
                return
            log.warning("runloop.died", application=child.application, status=code)
            child.board.put("lost", child.generation)
            self._beat_now.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(RESTART_SECONDS):
                    await self._stopping.wait()

    async def _watch(self, child: RunloopChild) -> None:
        """Kill a runloop whose loop has stood still too long; it and its workers start anew."""
        deadline: float | None = None
        while True:
            await pause(WATCH_SECONDS)
            now = self._clock.monotonic()
            if child.report is not None and child.tick_age(now) > STUCK_SECONDS:
                log.error("runloop.stuck", application=child.application, seconds=STUCK_SECONDS)
                child.signal(signal.SIGKILL)
                return
            if self._stopping.is_set():
                deadline = deadline or now + self._settings.shutdown_grace_s + GRACE_MARGIN_SECONDS
                if now > deadline:
                    log.error("runloop.no_drain", application=child.application)
                    child.signal(signal.SIGKILL)
                    return

    def _reported(self) -> None:
        if all(child.report is not None and child.report.ready for child in self._children):
            if not self.ready.is_set():
                self._beat_now.set()
            self.ready.set()

    # heartbeats ---------------------------------------------------------------------------

    async def _beat(self, sessions: LeaseSessions) -> None:
        """Renew every lease whose runloop moves; a new session locks and beats before anything else."""
        session: Session | None = None
        attempt = 0
        try:
            while True:
                try:
                    if session is None:
                        session = await sessions.open(role="heartbeat")
                        for child in self._children:
                            await self._relock(session, child)
                    await self._beat_all(session)
                    attempt = 0
                except (psycopg.Error, OSError, DatabaseError) as error:
                    log.warning("heartbeat.failed", error=str(error).splitlines()[0])
                    if session is not None:
                        await session.connection.close()
                        session = None
                    await pause_after(error, attempt)
                    attempt += 1
                    continue
                await self._until_next_beat()
        finally:
            if session is not None:
                await session.connection.close()

    async def _until_next_beat(self) -> None:
        """Sleep a heartbeat interval, or until a lease is needed, looking at the pages in between."""
        due = self._clock.monotonic() + self._settings.lock_heartbeat_ms / 1000
        while self._clock.monotonic() < due and not self._beat_now.is_set():
            if not self._stopping.is_set() and any(child.wants_lease for child in self._children):
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._beat_now.wait()
        self._beat_now.clear()

    async def _relock(self, session: Session, child: RunloopChild) -> None:
        if self._features and child.lease is not None:
            await fetch_one(session, leases.lock_session(child.lease, schema=session.schema))

    async def _beat_all(self, session: Session) -> None:
        now = self._clock.monotonic()
        for child in self._children:
            if child.wants_lease:
                if not self._stopping.is_set():
                    await self._new_lease(session, child)
            elif child.lease is not None and child.tick_age(now) < STUCK_SECONDS:
                await self._renew(session, child)

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
        """A lease of a runloop that died or was fenced is given up at once, so that others need not wait."""
        if child.lease is not None:
            await fetch_optional(session, leases.leave(child.lease))
        assert self.pool is not None
        asked_at = self._clock.monotonic()
        lease = await fetch_one(
            session,
            leases.register(
                self.pool, application=child.next_application(), ttl=self._settings.lease_ttl
            ),
        )
        if self._features:
            await fetch_one(session, leases.lock_session(lease.id, schema=session.schema))
        child.hold(lease.id)
        ttl = self._settings.lease_ttl
        self._confirm(child, asked_at=asked_at, database_now=(lease.expires_at - ttl).timestamp())

    def _confirm(self, child: RunloopChild, *, asked_at: float, database_now: float) -> None:
        answered_at = self._clock.monotonic()
        child.board.put_time("beat_at", asked_at)
        child.board.put_time("database_now", database_now)
        child.board.put_time("database_at", (asked_at + answered_at) / 2)

    async def _leave(self, sessions: LeaseSessions) -> None:
        """Give the leases up, so that whatever is left is free at once."""
        try:
            async with asyncio.timeout(GRACE_MARGIN_SECONDS):
                session = await sessions.open(role="leave")
                try:
                    for child in self._children:
                        if child.lease is not None:
                            await fetch_optional(session, leases.leave(child.lease))
                    if self.pool is not None:
                        await execute(session, pools.stop(self.pool))
                finally:
                    await session.connection.close()
        except (TimeoutError, psycopg.Error, OSError, DatabaseError) as error:
            log.warning("pool.leave_failed", error=str(error) or "timeout")

    # status and web -----------------------------------------------------------------------

    async def _report_status(self, session: Session) -> None:
        reports = [child.report for child in self._children if child.report is not None]
        if not reports or self.pool is None:
            return
        await duties.report(session, self.pool, reports)

    async def _serve_web(self) -> None:
        while True:
            self._web = await web.start_web()
            try:
                code = await self._web.wait()
            except asyncio.CancelledError:
                await _end(self._web)
                raise
            log.warning("web.died", status=code)
            await pause(1.0)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GRACE_MARGIN_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _version() -> str:
    return version("waymark-worker")
