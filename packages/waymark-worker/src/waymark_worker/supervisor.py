"""The pool's composition root: settings in; leases kept alive, runloops watched, duties done, an exit status out.

It runs no workflow code, so nothing a workflow does can stop its heartbeats.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

import psycopg

from waymark_schema.database.execute import (
    Session,
    execute,
    fetch_one,
    fetch_optional,
)
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import PoolId
from waymark_schema.ir.program import FORMAT, SEMANTICS
from waymark_schema.tables import pools
from waymark_schema.tables.transactions import leave
from waymark_worker import duties, orphans, web
from waymark_worker.clock import SystemClock, pause
from waymark_worker.deaths import Deaths
from waymark_worker.floor import give_floor
from waymark_worker.heartbeats import STUCK_SECONDS, Heartbeats
from waymark_worker.pool.process import exit_text
from waymark_worker.runloop.child import RunloopChild
from waymark_worker.runloop.process import CANNOT_RUN
from waymark_worker.sessions import (
    LeaseSessions,
)
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import log, settle

WATCH_SECONDS = 0.25
RESTART_SECONDS = 0.5
MAX_RESTART_SECONDS = 10.0
GRACE_MARGIN_SECONDS = 8.0
LEAVE_SECONDS = 2.0
"""For the last words to the database; without them the leases expire and others take over then."""
FAREWELL_SECONDS = 4.0
"""For everything behind the last runloop's end; sessions that hang end with the process."""


_ENDS_OF_A_STOP = (0, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGUSR1)
"""SIGKILL is our own, on the second signal; SIGTERM came before the runloop could answer it."""


def restart_pause(useless: int) -> float:
    """Seconds before a runloop is started again, after so many useless starts in a row."""
    return min(MAX_RESTART_SECONDS, RESTART_SECONDS * 2.0 ** min(useless, 10))


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
        self._retiring = False
        """Draining without a limit, until somebody says stop."""
        self._retired = False
        """Whether the database says that this pool takes nothing more."""
        self._heartbeats = Heartbeats(
            settings,
            self._children,
            clock=self._clock,
            session_features=session_features,
            stopping=self._stopping,
            register=self._register,
            retire=self._retire_pool,
        )
        self._status = 0
        self.pool: PoolId | None = None
        self.ready = self._heartbeats.ready
        """Set when every runloop can run calls and holds a lease."""
        self.failure = ""
        """Why starting again cannot help, when ``run`` returned CANNOT_RUN."""
        self._unserved = duties.Unserved(
            silent=timedelta(milliseconds=4 * settings.runner_profile_interval_ms)
        )
        self._deaths = Deaths(settings.crash_limit)

    def stop(self) -> None:
        """First time: drain. Second time: end at once."""
        if self._stopping.is_set() and not self._retiring:
            number = signal.SIGKILL
            log.warning("pool.killed: a second signal: what runs is run again by the next pool")
        else:
            number = signal.SIGTERM
            log.info(
                f"pool.draining: what runs may end within {self._settings.shutdown_grace_ms:,} ms"
                " (WAYMARK_SHUTDOWN_GRACE_MS); a second signal ends it now"
            )
        self._end_children(number)

    def _end_children(self, number: signal.Signals) -> None:
        self._retiring = False
        self._begin_to_stop()
        for child in self._children:
            child.signal(number)

    def retire(self) -> None:
        """Another pool takes over: start nothing more, and end when all that runs has ended."""
        if self._stopping.is_set():
            return
        log.info("pool.retiring: another one takes over; what runs here may end")
        self._retiring = True
        self._begin_to_stop()
        for child in self._children:
            child.signal(signal.SIGUSR1)

    def _begin_to_stop(self) -> None:
        self._stopping.set()
        # With the next beat everybody is told that no run is left to this pool.
        self._heartbeats.at_once.set()

    async def run(self) -> int:
        """Work until stopped; the exit status of the pool."""
        # Sessions are ended by this name: no two pools may ever share it.
        base = f"waymark pool {secrets.token_hex(6)}"
        sessions = LeaseSessions(self._database, application=base, session_features=self._features)
        for index, share in enumerate(self._shares()):
            self._children.append(
                RunloopChild(
                    application=f"{base}/{index}", workers=share, session_features=self._features
                )
            )
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._heartbeats.run(sessions)),
                group.create_task(orphans.collect()),
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
                background.append(group.create_task(web.serve_until_cancelled()))
            keeping = [group.create_task(self._keep(child)) for child in self._children]
            await asyncio.wait(keeping)
            farewell = asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self._end_now)
            for task in background:
                task.cancel()
        await self._leave(sessions)
        farewell.cancel()
        for child in self._children:
            child.close()
        return self._status

    def _end_now(self) -> None:
        """A server that neither answers nor hangs up keeps sessions from closing: leave without that."""
        log.warning("pool.left: the database does not answer; other pools take over")
        settle()
        os._exit(self._status)

    def _shares(self) -> list[int]:
        shards = self._settings.executor_shards or max(1, self._workers // 8)
        shards = min(shards, self._workers)
        whole, rest = divmod(self._workers, shards)
        return [whole + (1 if index < rest else 0) for index in range(shards)]

    async def _register(self, session: Session) -> PoolId:
        """Write the pool down once it can run something: one that cannot start leaves nothing behind.

        Once more if the database has forgotten it: its tables may have been made anew under it.
        """
        pid, host = os.getpid(), socket.gethostname()
        if self.pool is not None:
            known = await fetch_optional(session, pools.find(self.pool, pid=pid, host=host))
            self.pool = known.id if known is not None else None
        if self.pool is None:
            registered = await fetch_one(
                session,
                pools.register(
                    pid=pid,
                    host=host,
                    version=version("waymark-worker"),
                    python=platform.python_version(),
                    program_format=FORMAT,
                    program_semantics=SEMANTICS,
                ),
            )
            self.pool, self._retired = registered.id, False
        return self.pool

    async def _retire_pool(self, session: Session) -> None:
        """Say that this pool takes nothing more; one that was never written down has nobody to tell."""
        if self.pool is not None and not self._retired:
            await execute(session, pools.retire(self.pool))
            self._retired = True

    def known(self) -> Known:
        """How many workflows and actions the first runloop reported."""
        reports = [child.report for child in self._children if child.report is not None]
        if not reports:
            return Known(0, 0)
        return Known(len(reports[0].workflows), len(reports[0].actions))

    # runloops -----------------------------------------------------------------------------

    async def _keep(self, child: RunloopChild) -> None:
        """Start the runloop, watch it, start it again; until the pool stops or it says that this is useless."""
        useless = 0
        while not self._stopping.is_set():
            try:
                await child.start(reported=self._heartbeats.reported, poison=self._deaths.poison)
            except OSError as error:
                if not self.ready.is_set():
                    raise
                # It was possible before: descriptors, processes or memory are short for now.
                log.error("runloop.not_started", application=child.application, error=str(error))
                useless += 1
                await self._pause_after(useless)
                continue
            if self._stopping.is_set():
                # asked to stop while it was being started
                child.signal(signal.SIGUSR1 if self._retiring else signal.SIGTERM)
            watching = asyncio.create_task(self._watch(child))  # noqa: TID251 - ends with the process it watches
            code = await child.wait()
            watching.cancel()
            self._heartbeats.at_once.set()
            if code == CANNOT_RUN:
                self._give_up(child)
                return
            if self._stopping.is_set():
                if code not in _ENDS_OF_A_STOP and not self._status:
                    self._status = 1
                return
            log.warning("runloop.died", application=child.application, exit=exit_text(code))
            child.board.put("lost", child.generation)
            child.board.put("asks", 0)
            child.board.put("still", 0)
            self._deaths.note(child.board)
            useless = 0 if child.report is not None and child.report.ready else useless + 1
            await self._pause_after(useless)

    def _give_up(self, child: RunloopChild) -> None:
        self._status = CANNOT_RUN
        if not self.failure and child.report is not None:
            self.failure = child.report.failure
        self._end_children(signal.SIGTERM)

    async def _pause_after(self, useless: int) -> None:
        """Wait before the next start, the longer the more of them in a row were useless; not while stopping."""
        with suppress(TimeoutError):
            async with asyncio.timeout(restart_pause(useless)):
                await self._stopping.wait()

    async def _watch(self, child: RunloopChild) -> None:
        """Kill a runloop whose loop has stood still too long; it and its workers start anew."""
        deadline: float | None = None
        while True:
            await pause(WATCH_SECONDS)
            give_floor([each.board for each in self._children])
            now = self._clock.monotonic()
            if child.report is not None and child.tick_age(now) > STUCK_SECONDS:
                log.error("runloop.stuck", application=child.application, seconds=STUCK_SECONDS)
                child.signal(signal.SIGKILL)
                return
            if self._stopping.is_set() and not self._retiring:
                deadline = deadline or now + self._settings.shutdown_grace_s + GRACE_MARGIN_SECONDS
                if now > deadline:
                    log.error("runloop.no_drain", application=child.application)
                    child.signal(signal.SIGKILL)
                    return

    # end ----------------------------------------------------------------------------------

    async def _leave(self, sessions: LeaseSessions) -> None:
        """Give the leases up, so that whatever is left is free at once."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                session = await sessions.open(role="leave")
                try:
                    for child in self._children:
                        await self._leave_one(session, child)
                    if self.pool is not None:
                        await execute(session, pools.stop(self.pool))
                finally:
                    await session.connection.close()
        except (TimeoutError, psycopg.Error, OSError, DatabaseError) as error:
            log.warning(
                "pool.leave_failed: other pools take over when the leases of this one expire",
                error=str(error).strip() or f"no answer within {LEAVE_SECONDS:g} s",
            )

    async def _leave_one(self, session: Session, child: RunloopChild) -> None:
        if child.lease is None:
            return
        try:
            await leave(session, child.lease, application=child.lease_application)
        except psycopg.errors.LockNotAvailable:
            log.warning(
                "lease.not_given_up: somebody holds its row; other pools take over when it expires",
                lease=child.lease,
            )

    # status ---------------------------------------------------------------------------

    async def _report_status(self, session: Session) -> None:
        reports = [child.report for child in self._children if child.report is not None]
        if not reports or self.pool is None:
            return
        await duties.report(session, self.pool, reports, stopping=self._stopping.is_set())
        await self._unserved.look(session, reports)
