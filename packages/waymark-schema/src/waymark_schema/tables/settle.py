"""The group commit: the rows of one batch go in, the guarded statement comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from itertools import repeat
from typing import NamedTuple
from uuid import UUID

from waymark_schema.database.statement import Nothing, Query, load
from waymark_schema.errors import HistoryLost
from waymark_schema.ids import LeaseId

# Rows that go in are named tuples: a batch is turned into columns by one zip, 2,000 rows at a time.


class JournalRow(NamedTuple):
    """One entry: what was fed to an instance at one position."""

    instance: UUID
    position: int
    kind: int
    call: int | None = None
    attempt: int | None = None
    action: int | None = None
    inputs: bytes | None = None
    outcome: bytes | None = None
    outcome_kind: int | None = None
    local: bytes | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker: int | None = None


class FinalRow(NamedTuple):
    """What becomes of an owned instance in this commit; one row per instance, the last word.

    `wake_at` only for WAITING, `result` only for COMPLETED, `error` only for FAILED, CANCELLED and
    QUARANTINED. QUEUED hands it to any pool at once. `recoveries`: how many owners were lost in a row; 0 once
    anything was committed, so that RUNNING, which keeps the instance, forgets them.
    """

    id: UUID
    epoch: int
    state: int
    wake_at: datetime | None = None
    result: bytes | None = None
    error: bytes | None = None
    recoveries: int = 0


class SnapshotRow(NamedTuple):
    """The machine's state after one position; it replaces the one before."""

    instance: UUID
    position: int
    state: bytes


class InFlightRow(NamedTuple):
    """A call that has run long enough to be shown live."""

    instance: UUID
    call: int
    attempt: int
    action: int | None
    inputs: bytes | None
    queued_at: datetime
    started_at: datetime
    worker: int | None


@dataclass(frozen=True, slots=True)
class SettleBatch:
    """Everything one commit writes.

    `instances` names an instance at most once; `in_flight` and `landed` never name the same call, nor
    `snapshots` and `forget_snapshots` the same instance. Resending means passing the very same batch.
    """

    lease: LeaseId
    seq: int
    python_minor: int
    journal: Sequence[JournalRow] = ()
    instances: Sequence[FinalRow] = ()
    snapshots: Sequence[SnapshotRow] = ()
    forget_snapshots: Sequence[UUID] = ()
    consumed: Sequence[tuple[UUID, int]] = ()
    in_flight: Sequence[InFlightRow] = ()
    landed: Sequence[tuple[UUID, int]] = field(default=())

    @property
    def narrow(self) -> bool:
        """Whether the batch touches nothing but journal and instances."""
        return not (
            self.snapshots
            or self.forget_snapshots
            or self.consumed
            or self.in_flight
            or self.landed
        )


@dataclass(frozen=True, slots=True)
class SettleAnswer:
    """What the statement saw: the lease was held, the marker went in."""

    held: bool
    marked: bool
    refused: bool | None


@dataclass(frozen=True, slots=True)
class LastCommit:
    """The newest marker of a lease; 0 when it has none."""

    seq: int


class SettleResult(Enum):
    """What became of a batch."""

    COMMITTED = "committed"
    COMMITTED_BEFORE = "committed before"
    """An earlier try of the same batch is what was committed."""
    FENCED = "fenced"
    """The lease is lost: drop everything and register again."""


_FILE = load(__package__, "settle.sql")
SETTLE = _FILE.statement("settle", SettleAnswer)
SETTLE_NARROW = _FILE.statement("settle_narrow", SettleAnswer)
LAST_COMMIT = _FILE.statement("last_commit", LastCommit)
TRIM_COMMITS = _FILE.statement("trim_commits", Nothing)

_JOURNAL = JournalRow._fields
_FINAL = FinalRow._fields
_SNAPSHOT = SnapshotRow._fields
_IN_FLIGHT = InFlightRow._fields


def settle(batch: SettleBatch) -> Query[SettleAnswer]:
    """Write one batch under the fence; run it in autocommit on the lease's only committing session.

    Raises, when run, a psycopg error that `faults.classify` calls REFUSED if an instance of the batch is
    not held by the lease under the epoch given; then nothing was kept.
    """
    values: dict[str, object] = {
        "lease": batch.lease,
        "seq": batch.seq,
        "python_minor": batch.python_minor,
        **_columns("j_", _JOURNAL, batch.journal),
        **_columns("i_", _FINAL, batch.instances),
    }
    if batch.narrow:
        return SETTLE_NARROW.bind(**values)
    return SETTLE.bind(
        **values,
        **_columns("s_", _SNAPSHOT, batch.snapshots),
        forget_snapshot=list(batch.forget_snapshots),
        **_columns("x_", ("instance", "id"), batch.consumed),
        **_columns("f_", _IN_FLIGHT, batch.in_flight),
        **_columns("l_", ("instance", "call"), batch.landed),
    )


def last_commit(lease: LeaseId) -> Query[LastCommit]:
    """Read the newest marker of a lease."""
    return LAST_COMMIT.bind(lease=lease)


def trim_commits(lease: LeaseId, *, before: int) -> Query[Nothing]:
    """Delete the markers of a lease behind `before`; keep the newest confirmed and its predecessor."""
    return TRIM_COMMITS.bind(lease=lease, before=before)


def judge(batch: SettleBatch, answer: SettleAnswer, last: LastCommit | None) -> SettleResult:
    """Say what became of a batch from the statement's answer; `last` is needed when no marker went in.

    Raises HistoryLost when the predecessor of the batch is gone, ValueError when `last` is missing.
    """
    if not answer.held:
        return SettleResult.FENCED
    if answer.marked:
        return SettleResult.COMMITTED
    if last is None:
        raise ValueError("no marker went in; read last_commit(lease) in a new statement first")
    if last.seq == batch.seq:
        return SettleResult.COMMITTED_BEFORE
    raise HistoryLost(batch.lease, batch.seq - 1, last.seq)


def _columns(
    prefix: str, names: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> dict[str, object]:
    columns = zip(*rows, strict=True) if rows else repeat(())
    return {prefix + name: column for name, column in zip(names, columns, strict=False)}
