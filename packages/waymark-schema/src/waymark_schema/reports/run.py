"""One run: its id goes in, queries for its state, its entries and its running calls come out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from waymark_schema.database.statement import Query, load
from waymark_schema.ids import InstanceId, LeaseId, ProgramId, ScheduleId


@dataclass(frozen=True, slots=True)
class RunDetail:
    """Everything about a run but its entries; `state` is an `InstanceState`.

    `host` and `pid` are those of the pool that holds it; `position` is that of its last entry. A value
    that is larger than was asked for is None beside its size.
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
    inputs: bytes | None
    inputs_size: int
    result: bytes | None
    result_size: int | None
    error: bytes | None
    error_size: int | None
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
    inputs_size: int | None
    outcome: bytes | None
    outcome_size: int | None
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
    inputs_size: int | None
    queued_at: datetime
    started_at: datetime
    worker: int | None
    host: str | None
    running_for: timedelta


WHOLE = 2**31 - 1
"""As `most`: values of any size."""

_FILE = load(__package__, "run.sql")
DETAIL = _FILE.statement("detail", RunDetail)
ENTRIES = _FILE.statement("entries", EntryLine)
LATEST_ENTRIES = _FILE.statement("latest_entries", EntryLine)
FLYING = _FILE.statement("flying", FlyingLine)


def detail(instance: UUID, *, most: int = WHOLE) -> Query[RunDetail]:
    """Read one run with values of up to `most` bytes each; no row when it does not exist."""
    return DETAIL.bind(instance=instance, most=most)


def entries(
    instance: UUID, *, after: int = 0, room: int = 200, most: int = WHOLE
) -> Query[EntryLine]:
    """Read a page of a run's entries behind a position, in order, with values of up to `most` bytes each."""
    return ENTRIES.bind(instance=instance, after=after, room=room, most=most)


def latest_entries(
    instance: UUID, *, before: int | None = None, room: int = 200, most: int = WHOLE
) -> Query[EntryLine]:
    """Read the last entries of a run (before a position), newest first: turn the rows round to show them."""
    return LATEST_ENTRIES.bind(instance=instance, before=before, room=room, most=most)


def flying(instance: UUID, *, most: int = WHOLE) -> Query[FlyingLine]:
    """Read the calls of a run that have been running for a moment."""
    return FLYING.bind(instance=instance, most=most)
