"""One run: its id goes in, queries for its state, its entries and its running calls come out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from waymark_schema.database.statement import Query, load
from waymark_schema.ids import InstanceId, LeaseId, ProgramId, ScheduleId


@dataclass(frozen=True, slots=True)
class RunDetail:
    """Everything about a run but its entries; `state` is an `InstanceState`.

    `host` and `pid` are those of the pool that holds it; `position` is that of its last entry.
    """

    id: InstanceId
    program: ProgramId
    workflow: str | None
    version: str | None
    state: int
    priority: int
    recoveries: int
    epoch: int
    created_at: datetime
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    wake_at: datetime | None
    inputs: bytes
    result: bytes | None
    error: bytes | None
    parent: InstanceId | None
    schedule: ScheduleId | None
    idempotency_key: str | None
    lease: LeaseId | None
    host: str | None
    pid: int | None
    position: int
    snapshot_position: int | None
    unread: int


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry of a run's journal as people see it; `kind` is a `JournalKind`."""

    position: int
    kind: int
    call: int | None
    attempt: int | None
    action: str
    inputs: bytes | None
    outcome: bytes | None
    outcome_kind: int | None
    local: bytes | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    worker: int | None
    python_minor: int


@dataclass(frozen=True, slots=True)
class FlyingLine:
    """One call that runs right now."""

    call: int
    attempt: int
    action: str
    inputs: bytes | None
    queued_at: datetime
    started_at: datetime
    worker: int | None
    host: str | None
    running_for: timedelta


_FILE = load(__package__, "run.sql")
DETAIL = _FILE.statement("detail", RunDetail)
ENTRIES = _FILE.statement("entries", EntryLine)
FLYING = _FILE.statement("flying", FlyingLine)


def detail(instance: UUID) -> Query[RunDetail]:
    """Read one run; no row when it does not exist."""
    return DETAIL.bind(instance=instance)


def entries(instance: UUID, *, after: int = 0, room: int = 200) -> Query[EntryLine]:
    """Read a page of a run's entries behind a position, in order."""
    return ENTRIES.bind(instance=instance, after=after, room=room)


def flying(instance: UUID) -> Query[FlyingLine]:
    """Read the calls of a run that have been running for a moment."""
    return FLYING.bind(instance=instance)
