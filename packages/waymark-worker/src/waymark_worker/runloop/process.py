"""The runloop process: a page, a pipe and a lease from the supervisor in; workers, tenures and reports out."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import ProgramConflict, WaymarkError
from waymark_schema.ids import LeaseId
from waymark_schema.tables.pools import WorkerState
from waymark_schema.tables.programs import NewProgram
from waymark_schema.tables.transactions import store_program
from waymark_schema.wire.frames import CallEnd, Hello, ProgramReport
from waymark_worker.board import Board
from waymark_worker.clock import DatabaseClock, pause
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.pool.process import WorkerCommand
from waymark_worker.pool.vigil import Limits
from waymark_worker.runloop import stillness
from waymark_worker.runloop.control import Control, open_control
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.programs import ProgramShelf
from waymark_worker.runloop.report import RunloopReport
from waymark_worker.runloop.tenure import LOST_LEASE, Tenure
from waymark_worker.sessions import LeaseSessions
from waymark_worker.settings import DISPATCH_MARGIN_MS, PoolSettings
from waymark_worker.telemetry import Counters, log
from waymark_worker.vm.limits import Bounds, set_bounds
from waymark_worker.vm.link import link

CANNOT_RUN = 78
"""Exit status: starting again cannot help, a person has to change something."""
TICK_SECONDS = 0.25
PATIENCE_SECONDS = 0.25
"""Between two looks of a pool that drains at what it may hand back, and for a signal that it has to hurry."""
DRAIN_SECONDS = 2.0
"""For workers to clean up, and to end what still runs when the grace is over."""
RELEASE_SECONDS = 2.0
"""For handing back what is held, when the grace is over by then."""


class CannotRun(WaymarkError):
    """The pool must not be started again as it is."""


@dataclass(frozen=True, slots=True)
class RunloopArguments:
    """What the supervisor gives on the command line."""

    page_fd: int
    control_fd: int
    application: str
    workers: int
    session_features: bool
    poison: tuple[UUID, ...] = ()
    """Runs whose code has ended runloops, time after time, at the same place."""


class RunloopProcess:
    """Outlives its tenures: when a lease is lost, the workers stay and the next tenure begins."""

    def __init__(
        self, arguments: RunloopArguments, settings: PoolSettings, database: DatabaseSettings
    ) -> None:
        self._arguments = arguments
        self._settings = settings
        self._database = database
        self._board = Board(arguments.page_fd)
        self._clock = DatabaseClock()
        self._counters = Counters()
        set_bounds(Bounds(settings.max_value_bytes, settings.max_snapshot_bytes))
        self._shelf = ProgramShelf()
        self._tenure: Tenure | None = None
        self._pool: WorkerPool | None = None
        self._hello: asyncio.Future[Hello] | None = None
        self._actions: list[str] = []
        self._workflows: list[str] = []
        self._ready = False
        self._failure = ""
        """Why starting again cannot help; once said, every later report says it too."""
        self._generation = self._board.get("generation")
        """Of the lease that is held; what the page says at the start belonged to a process that died."""
        self._draining = asyncio.Event()
        self._patient = False
        """What runs may take as long as it takes to end: another pool has taken over."""
        self._control: Control | None = None
        self._poison = frozenset(arguments.poison)

    async def run(self) -> None:
        """Work until SIGTERM has been obeyed. Raises CannotRun."""
        loop = asyncio.get_running_loop()
        self._hello = loop.create_future()
        loop.add_signal_handler(signal.SIGTERM, self._drain_soon)
        loop.add_signal_handler(signal.SIGUSR1, self._drain_patiently)
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        self._control = await open_control(self._arguments.control_fd)
        try:
            await self._work()
        finally:
            await self._control.close()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            duties = [group.create_task(self._tick()), group.create_task(self._report_regularly())]
            self._pool = WorkerPool(
                WorkerCommand(self._settings.user_module, self._settings.concurrent_per_worker),
                self,
                size=self._arguments.workers,
                lifecycle=self._settings.max_action_lifecycle,
                types_of=self._shelf.types_of,
                limits=Limits(
                    hang_seconds=self._settings.worker_hang_s,
                    memory_bytes=self._settings.max_worker_memory_bytes,
                ),
                may_start=self._may_start,
            )
            try:
                await self._pool.start()
                if await self._first_hello():
                    await self._hold_leases()
            except CannotRun as error:
                self._failure = str(error)
                self._report()
                raise
            finally:
                await self._pool.stop(grace=DRAIN_SECONDS if self._draining.is_set() else 0.0)
            for duty in duties:
                duty.cancel()

    # start --------------------------------------------------------------------------------

    async def _first_hello(self) -> bool:
        """Wait for the first worker; False if SIGTERM came first."""
        assert self._hello is not None
        if not await self._unless_draining(asyncio.shield(self._hello)):
            return False
        hello = self._hello.result()
        if not hello.actions and not hello.programs:
            modules = ", ".join(self._settings.user_module)
            raise CannotRun(
                f"WAYMARK_USER_MODULE={modules} can be imported, but defines no workflow and no action.\n"
                "Name the module whose functions carry @action and whose classes carry @workflow."
            )
        if not await self._unless_draining(self._register(hello.programs)):
            return False
        self._actions = sorted(hello.actions)
        self._workflows = sorted(report.workflow for report in hello.programs)
        self._shelf.set_actions(hello.actions)
        self._ready = True
        self._report()
        return True

    async def _unless_draining(self, work: Awaitable[object]) -> bool:
        """Do some work of the start; False if SIGTERM came first and it was given up."""
        doing = asyncio.ensure_future(work)
        draining = asyncio.ensure_future(self._draining.wait())
        await asyncio.wait([doing, draining], return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        if not doing.done():
            doing.cancel()
            return False
        await doing
        return True

    async def _register(self, reports: list[ProgramReport]) -> None:
        sessions = LeaseSessions(
            self._database,
            application=f"{self._arguments.application} register",
            session_features=self._arguments.session_features,
        )
        session = await sessions.open(role="register")
        try:
            for report in reports:
                linked = link(report.program, report.digest, spans=report.spans)
                program = NewProgram(
                    workflow=report.workflow,
                    version=report.version,
                    digest=report.digest,
                    format=linked.program.format,
                    semantics=linked.program.semantics,
                    actions=[entry.key for entry in linked.program.actions],
                    program=report.program,
                    source=report.source,
                )
                await store_program(session, program)
        except ProgramConflict as error:
            raise CannotRun(str(error)) from error
        finally:
            await session.connection.close()

    # leases -------------------------------------------------------------------------------

    async def _hold_leases(self) -> None:
        assert self._pool is not None
        while not self._draining.is_set():
            generation = await self._next_lease(self._generation)
            if not generation:
                return
            self._generation = generation
            # Before anything is told to a run: the clock of this host may be wrong by any amount.
            self._learn_time()
            tenure = Tenure(
                LeaseId(self._board.get("lease")),
                application=f"{self._arguments.application}:{generation}",
                database=self._database,
                settings=self._settings,
                session_features=self._arguments.session_features,
                clock=self._clock,
                counters=self._counters,
                shelf=self._shelf,
                pool=self._pool,
                advancing=self._advancing,
                poison=self._why_poison,
            )
            self._tenure = tenure
            try:
                await self._serve(tenure)
            except* LOST_LEASE as group:
                log.warning("lease.lost", lease=tenure.lease, reason=str(_first(group)) or "fenced")
            finally:
                self._tenure = None
                tenure.drop_all()
            self._board.put("lost", generation)

    async def _next_lease(self, after: int) -> int:
        """Wait for a lease of a later generation; 0 when draining began instead."""
        while self._board.get("generation") <= after:
            if self._draining.is_set():
                return 0
            await pause(0.02)  # the page has no event to wait on
        return self._board.get("generation")

    async def _serve(self, tenure: Tenure) -> None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(tenure.run())
            draining = group.create_task(self._drain(tenure))
            await asyncio.wait([running, draining], return_when=asyncio.FIRST_COMPLETED)
            if not draining.cancel():
                # Drained: what still waits for a database that is away has nothing left to do.
                released = draining.exception() is None and draining.result()
                await asyncio.wait([running], timeout=RELEASE_SECONDS if released else 0.0)
                running.cancel()

    async def _drain(self, tenure: Tenure) -> bool:
        """When it is time, let end what runs and hand the rest back; whether the database took that."""
        await self._draining.wait()
        assert self._pool is not None
        tenure.stop_claiming()
        self._pool.hold()
        tenure.hand_back_waiting()
        while self._awaited() and self._patient:
            await self._pool.settled(PATIENCE_SECONDS)
            tenure.hand_back_waiting()
        loop = asyncio.get_running_loop()
        grace = loop.time() + self._settings.shutdown_grace_s
        while self._awaited() and loop.time() < grace:
            await self._pool.settled(min(PATIENCE_SECONDS, grace - loop.time()))
            tenure.hand_back_waiting()
        # Before others may begin it again: what is killed here has then ended.
        await self._pool.stop(grace=DRAIN_SECONDS)
        try:
            async with asyncio.timeout(max(grace - loop.time(), RELEASE_SECONDS)):
                await tenure.release()
        except TimeoutError:
            log.warning(
                "runs.not_handed_back: the database did not answer in time; other pools take them over"
                " when the lease of this one expires"
            )
            # Sessions that hang, which cannot even be closed, end with the process.
            loop.call_later(2 * DRAIN_SECONDS, os._exit, 0)
            return False
        return True

    def _drain_soon(self) -> None:
        self._patient = False
        self._draining.set()

    def _drain_patiently(self) -> None:
        self._patient = not self._draining.is_set()
        self._draining.set()

    def _in_flight(self) -> int:
        assert self._pool is not None
        return sum(len(worker.in_flight) for worker in self._pool.workers())

    def _awaited(self) -> bool:
        """Whether an attempt runs whose outcome matters."""
        assert self._pool is not None
        return any(not attempt.abandoned for attempt in self._pool.running())

    def _advancing(self, instance: LiveInstance | None) -> None:
        if instance is None:
            self._board.advanced()
        else:
            self._board.advancing(instance.id_bytes, instance.position)

    def _why_poison(self, instance: UUID) -> str | None:
        if instance not in self._poison:
            return None
        return (
            "its code ended the runloop, or kept it from everything else, time after time at the same place; "
            "see what the pool printed then"
        )

    # pool listener ------------------------------------------------------------------------

    def attempt_ended(self, attempt: Attempt[Any], end: CallEnd) -> None:
        """Pass on to the tenure that holds the instance."""
        if self._tenure is not None:
            self._tenure.attempt_ended(attempt, end)

    def attempt_timed_out(self, attempt: Attempt[Any]) -> None:
        """Pass on."""
        if self._tenure is not None:
            self._tenure.attempt_timed_out(attempt)

    def attempt_gone(self, attempt: Attempt[Any]) -> None:
        """Pass on."""
        if self._tenure is not None:
            self._tenure.attempt_gone(attempt)

    def attempts_lost(self, attempts: list[Attempt[Any]], reason: str) -> None:
        """Pass on."""
        if self._tenure is not None:
            self._tenure.attempts_lost(attempts, reason)

    def slots_freed(self) -> None:
        """Pass on."""
        if self._tenure is not None:
            self._tenure.slots_freed()

    def worker_ready(self, hello: Hello) -> None:
        """The first one says what this pool can run."""
        assert self._hello is not None
        if not self._hello.done():
            self._hello.set_result(hello)

    def worker_refused(self, reason: str) -> None:
        """Before the pool is ready this ends it; later it is only logged."""
        assert self._hello is not None
        if not self._hello.done():
            self._hello.set_exception(CannotRun(reason))
        elif self._ready:
            log.error("worker.refused", reason=reason)

    # duties -------------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Show the supervisor that the loop lives, take over its clock, stop dispatch when beats stop."""
        while True:
            board = self._board
            board.tick()
            self._learn_time()
            over = max(board.get("fenced"), board.get("generation") - 1)
            if self._tenure is not None and over >= self._generation:
                self._tenure.fenced.set()
            assert self._pool is not None
            solo = self._tenure.runloop.solo if self._tenure is not None else None
            stillness.keep(board, self._pool, solo)
            may_start = self._may_start()
            if self._tenure is not None:
                self._tenure.runloop.dispatcher.allow(may_start)
            if may_start and self._pool.queued:
                self._pool.fill()
            if self._tenure is not None:
                self._tenure.runloop.flights.look(self._pool.running())
            await pause(TICK_SECONDS)

    def _learn_time(self) -> None:
        ahead = self._board.time("database_ahead")
        if ahead:
            self._clock.set(ahead)

    def _may_start(self) -> bool:
        """Whether the last confirmed heartbeat is young enough; asked anew each time: we may have been stopped."""
        silent = self._clock.monotonic() - self._board.time("beat_at")
        return silent < (self._settings.lock_ttl_ms - DISPATCH_MARGIN_MS) / 1000

    async def _report_regularly(self) -> None:
        while True:
            await pause(min(1.0, self._settings.runner_profile_interval_ms / 1000))
            self._report()

    def _report(self) -> None:
        if self._control is None or self._pool is None:
            return
        runloop = self._tenure.runloop if self._tenure is not None else None
        workers = [
            WorkerState(
                number=worker.number,
                pid=worker.process.pid,
                state=worker.state,
                calls=len(worker.in_flight),
                completed=worker.started_count - len(worker.in_flight),
                memory_bytes=worker.resident_bytes,
                action=worker.blocked_by.action if worker.blocked_by is not None else "",
            )
            for worker in self._pool.workers()
        ]
        self._control.report(
            RunloopReport(
                ready=self._ready,
                actions=self._actions,
                programs=[int(id_) for id_ in self._shelf.can_run],
                workflows=self._workflows,
                workers=workers,
                counters=self._counters.values(),
                instances_active=len(runloop.instances) if runloop else 0,
                calls_in_flight=self._in_flight(),
                calls_queued=self._pool.queued,
                memory_bytes=sum(worker.resident_bytes for worker in self._pool.workers()),
                refusals={int(id_): why for id_, why in self._shelf.refusals().items()},
                failure=self._failure,
            )
        )


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
