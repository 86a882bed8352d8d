"""Workflows in; a runloop whose commits and attempts wait for the test's word out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from waymark.coercion import codec
from waymark.starting import prepare
from waymark_schema.ids import InstanceId, LeaseId, ProgramId
from waymark_schema.inputs import pack_inputs
from waymark_schema.tables.instances import LoadedInstance
from waymark_schema.tables.journal import JournalEntry
from waymark_schema.wire.frames import RAISED, RETURNED, CallEnd
from waymark_worker.clock import DatabaseClock
from waymark_worker.journal import Change
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import recovery
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.pace import Pace
from waymark_worker.runloop.programs import ProgramShelf, RunnableProgram
from waymark_worker.runloop.runloop import Runloop
from waymark_worker.runloop.sharing import Sharer
from waymark_worker.runloop.taking import Taker
from waymark_worker.telemetry import Counters
from waymark_worker.vm.link import link

NOW = 1_800_000_000.0


class StillClock(DatabaseClock):
    """The database's time, moved by the test."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        super().__init__()
        self.at = NOW

    def now(self) -> float:
        return self.at


class NoSessions:
    """A database that nobody may ask."""

    knows_backends = True

    async def open(self, *, role: str) -> Any:
        raise AssertionError(f"the {role} session was opened")

    async def open_after_lost(self, *, role: str) -> Any:
        return await self.open(role=role)

    async def lose(self, session: Any) -> None:
        raise AssertionError("a session was given up")

    async def terminate_lost(self) -> None:
        raise AssertionError("sessions were ended")


class FakePool:
    """Keeps what is submitted; the test says how it ends."""

    slots = 20
    queued = 0

    def __init__(self) -> None:
        self.submitted: list[Attempt[Any]] = []
        self.withdrawn: list[Attempt[Any]] = []

    def submit(self, attempt: Attempt[Any]) -> None:
        attempt.runs = True
        attempt.worker_number = 1
        attempt.started_at = 1.0
        self.submitted.append(attempt)

    def withdraw(self, attempt: Attempt[Any]) -> bool:
        attempt.abandoned = True
        self.withdrawn.append(attempt)
        return False


class FakeCommitter:
    """Keeps changes until the test commits them."""

    def __init__(self) -> None:
        self.waiting: list[Change] = []
        self.all: list[Change] = []

    def add(self, change: Change) -> None:
        self.waiting.append(change)
        self.all.append(change)


def runnable(workflow: Any) -> RunnableProgram:
    """Compile and link."""
    report = prepare(workflow, (), _some_arguments(workflow)).request.program
    linked = link(report.program, report.digest)
    keys = [entry.key for entry in linked.program.actions]
    return RunnableProgram(
        ProgramId(1),
        report.digest,
        report.workflow,
        report.version,
        linked,
        {key: index for index, key in enumerate(keys)},
        (),
    )


def _some_arguments(workflow: Any) -> dict[str, Any]:
    names = workflow.run.__annotations__
    return {name: 1 for name in names if name != "return"}


def inputs_of(workflow: Any, *arguments: Any) -> bytes:
    request = prepare(workflow, arguments, {}).request
    return pack_inputs(request.inputs, request.attributes)


class Desk:
    """One runloop, its committer, pool and clock."""

    def __init__(self) -> None:
        self.committer = FakeCommitter()
        self.pool = FakePool()
        self.foreign: set[str] = set()
        self.clock = StillClock()
        self.finished: list[LiveInstance] = []
        self.idle: list[LiveInstance] = []
        self.advanced: list[LiveInstance | None] = []
        self.sharer = Sharer(
            LeaseId(1),
            NoSessions(),
            self.pool,  # type: ignore[arg-type] # likewise
            clock=self.clock,
            pace=Pace(self.clock.monotonic),
            told=lambda: None,
            knows=lambda action: action not in self.foreign,
        )
        self.runloop = Runloop(
            self.committer,  # type: ignore[arg-type] # a committer to the runloop
            self.pool,  # type: ignore[arg-type] # likewise
            clock=self.clock,
            counters=Counters(),
            finished=self.finished.extend,
            idle=self.idle.append,
            advancing=self.advanced.append,
            step_budget=1_000_000,
            crash_limit=3,
            sharer=self.sharer,
        )

    def begin(self, workflow: Any, *arguments: Any) -> LiveInstance:
        live = recovery.fresh(
            uuid4(), 1, runnable(workflow), inputs_of(workflow, *arguments), awaited=False
        )
        self.runloop.begin(live)
        return live

    def commit(self) -> list[Change]:
        """Commit what waits, and what that brings about, once."""
        changes, self.committer.waiting = self.committer.waiting, []
        self.runloop.committed(changes)
        return changes

    def end(
        self,
        attempt: Attempt[Any],
        value: Any = None,
        error: BaseException | None = None,
        log: bytes = b"",
    ) -> None:
        """An attempt ends with a value, or with an error."""
        attempt.runs = False
        payload = codec().encode_exception(error) if error else codec().encode(value)
        kind = RAISED if error else RETURNED
        end = CallEnd(1, kind, payload, 0.0, 0.5, log)
        if attempt.abandoned:
            self.runloop.attempt_gone(attempt)
        else:
            self.runloop.attempt_ended(attempt, end)

    def rows(self, instance: LiveInstance) -> list[Any]:
        """Every journal row of an instance, committed or on its way."""
        return [
            row
            for change in self.committer.all
            if change.instance == instance.id
            for row in change.rows
        ]

    def entries(self, instance: LiveInstance) -> list[JournalEntry]:
        """The rows as they are read back."""
        return [
            JournalEntry(
                instance=row.instance,
                position=row.position,
                kind=row.kind,
                call=row.call,
                attempt=row.attempt,
                action=row.action,
                outcome=row.outcome,
                outcome_kind=row.outcome_kind,
                local=row.local,
                python_minor=12,
            )
            for row in self.rows(instance)
        ]


def loaded(
    live: LiveInstance, inputs: bytes, *, snapshot: tuple[int, bytes] | None = None
) -> LoadedInstance:
    """The row that a claimed run is rebuilt from."""
    position, state = snapshot if snapshot is not None else (None, None)
    return LoadedInstance(
        InstanceId(live.id),
        2,
        live.program.id,
        inputs,
        0,
        1,
        datetime.now(UTC),
        position,
        None,
        state,
    )


def rebuilt(row: LoadedInstance, workflow: Any, entries: Iterable[JournalEntry]) -> LiveInstance:
    """The run behind its last entry, as the next owner has it."""
    replay = recovery.restored(row, runnable(workflow), now=NOW, awaited=False)
    for entry in entries:
        replay.feed(entry)
    return replay.rebuilt()


def value_of(payload: bytes) -> Any:
    return codec().decode(payload)


def taker_of(desk: Desk) -> Taker:
    """Another lease that takes what is offered, in the same pool."""
    return Taker(
        LeaseId(2),
        NoSessions(),
        desk.pool,  # type: ignore[arg-type] # a pool to the taker
        ProgramShelf(),
        clock=desk.clock,
        counters=Counters(),
        idle=lambda: True,
        told=lambda _leases: None,
        poll_interval=1.0,
    )
