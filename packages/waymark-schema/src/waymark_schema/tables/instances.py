"""Runs: ids, inputs and leases go in, queries that enqueue, claim, wake and read instances come out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from waymark_schema.database.statement import Query
from waymark_schema.database.statement import load as load_file
from waymark_schema.ids import InstanceId, LeaseId, ProgramId


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A run to be queued; `start_at` or `delay` (by the database's clock) hold it back."""

    id: InstanceId
    program: ProgramId
    inputs: bytes
    priority: int = 0
    awaited: bool = False
    """Somebody blocks until it ends: the pool notifies when it does."""
    start_at: datetime | None = None
    delay: timedelta | None = None
    idempotency_key: str | None = None
    """Unique over all runs: put the workflow's name in front."""


@dataclass(frozen=True, slots=True)
class NotQueued:
    """A run that was not queued: its program is not `registered`, or its id or its key has a run already."""

    instance: InstanceId
    program: ProgramId
    registered: bool


@dataclass(frozen=True, slots=True)
class Stranger:
    """A run whose id another workflow, not the `wanted` one, has already."""

    id: InstanceId
    program: ProgramId
    workflow: str
    wanted: str


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """Where a run stands; `state` is an `InstanceState`."""

    id: InstanceId
    state: int
    finished: bool


@dataclass(frozen=True, slots=True)
class InstanceResult:
    """How a run ended; `state` is an `InstanceState`."""

    id: InstanceId
    state: int
    result: bytes | None
    error: bytes | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class KeyedInstance:
    """The run that an idempotency key already names."""

    id: InstanceId
    state: int


LOWEST, HIGHEST = -(2**31), 2**31 - 1
"""The priorities that a row can have."""


class Stretch(NamedTuple):
    """A part of the queue: one program's runs of some priorities.

    With `since`, of the one priority `low` those that are ready since then or later: a claim that passes
    over what it has claimed before stays flat while a long transaction holds dead rows back.
    """

    program: ProgramId
    low: int = LOWEST
    high: int = HIGHEST
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that the lease now holds.

    `fresh`: nobody ever ran it, so there is nothing to load and `inputs` is here. Otherwise `inputs` is
    None and `load`, `journal.tail` and `inbox.pending` are read in later statements.
    """

    id: InstanceId
    epoch: int
    program: ProgramId
    priority: int
    recoveries: int
    awaited: bool
    created_at: datetime
    ready_at: datetime
    fresh: bool
    inputs: bytes | None


@dataclass(frozen=True, slots=True)
class LoadedInstance:
    """What a claimed run resumes from: its inputs and its latest snapshot, if it has one."""

    id: InstanceId
    epoch: int
    program: ProgramId
    inputs: bytes
    priority: int
    recoveries: int
    created_at: datetime
    snapshot_position: int | None
    snapshot_python_minor: int | None
    snapshot: bytes | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that is runnable, and its program, so that the right pools are told."""

    id: InstanceId
    program: ProgramId


@dataclass(frozen=True, slots=True)
class NextWake:
    """How long it is until the first parked run is due; at most a day, either way."""

    due_in: timedelta


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many runs are runnable and how long the oldest has waited."""

    queued: int
    oldest_ready_at: datetime | None
    oldest_s: float


_FILE = load_file(__package__, "instances.sql")
ENQUEUE = _FILE.statement("enqueue", NotQueued)
STRANGERS = _FILE.statement("strangers", Stranger)
STATUS = _FILE.statement("status", InstanceStatus)
QUEUED = _FILE.statement("queued", Queued)
RESULTS = _FILE.statement("results", InstanceResult)
FIND_BY_KEY = _FILE.statement("find_by_key", KeyedInstance)
CLAIM = _FILE.statement("claim", Claimed)
LOAD = _FILE.statement("load", LoadedInstance)
OWNED = _FILE.statement("owned", Claimed)
WAKE_DUE = _FILE.statement("wake_due", Queued)
WAKE_ADDRESSED = _FILE.statement("wake_addressed", Queued)
WAKE_PARKED = _FILE.statement("wake_parked", Queued)
NEXT_WAKE = _FILE.statement("next_wake", NextWake)
RELEASE = _FILE.statement("release", Queued)
QUEUE_DEPTH = _FILE.statement("queue_depth", QueueDepth)


def enqueue(runs: Sequence[NewInstance]) -> Query[NotQueued]:
    """Queue runs; ids that exist already are left as they are, so a resend is safe.

    The rows that come back were *not* queued. Those that are not registered: register their programs and enqueue
    them again; the others are there already, perhaps as runs of other workflows: ask for `strangers`. Fit for the
    caller's own transaction: it writes nothing but the instances.
    """
    return ENQUEUE.bind(
        id=[run.id for run in runs],
        program=[run.program for run in runs],
        inputs=[run.inputs for run in runs],
        priority=[run.priority for run in runs],
        awaited=[run.awaited for run in runs],
        start_at=[run.start_at for run in runs],
        delay=[run.delay for run in runs],
        idempotency_key=[run.idempotency_key for run in runs],
    )


def strangers(runs: Iterable[tuple[InstanceId, ProgramId]]) -> Query[Stranger]:
    """Read which of these ids belong to runs of other workflows than these programs are of."""
    asked = list(runs)
    return STRANGERS.bind(id=[run for run, _ in asked], program=[program for _, program in asked])


def status(ids: Iterable[UUID]) -> Query[InstanceStatus]:
    """Read where runs stand; an unknown id has no row."""
    return STATUS.bind(id=list(ids))


def queued(ids: Iterable[UUID]) -> Query[Queued]:
    """Read which of these runs nobody runs although they could, and their programs."""
    return QUEUED.bind(id=list(ids))


def results(ids: Iterable[UUID]) -> Query[InstanceResult]:
    """Read how runs ended; a run that is still going has no row."""
    return RESULTS.bind(id=list(ids))


def find_by_key(idempotency_key: str) -> Query[KeyedInstance]:
    """Read the run that an idempotency key names."""
    return FIND_BY_KEY.bind(idempotency_key=idempotency_key)


def claim(
    lease: LeaseId, stretches: Iterable[Stretch], *, room: int, python_minor: int
) -> Query[Claimed]:
    """Take at most `room` runnable runs out of these stretches: one of each program in turn, by priority within.

    `python_minor` is the claimant's, 12 for CPython 3.12: runs that another one began are left to its pools,
    as long as one that knows the program lives.

    The stretches of a program follow each other, from the highest priority down; which program comes first
    gets the odd one. A `since` is safe as long as a claim of whole programs runs each second. No row also
    when the lease is fenced.
    """
    asked = list(stretches)
    return CLAIM.bind(
        lease=lease,
        program=[stretch.program for stretch in asked],
        low=[stretch.low for stretch in asked],
        high=[stretch.high for stretch in asked],
        since=[stretch.since for stretch in asked],
        room=room,
        python_minor=python_minor,
    )


def whole(programs: Iterable[ProgramId]) -> list[Stretch]:
    """Everything that is queued of these programs."""
    return [Stretch(program) for program in programs]


def load(ids: Iterable[UUID], *, lease: LeaseId, room: int) -> Query[LoadedInstance]:
    """Read what claimed runs resume from, by id; run it after the claim, never in its transaction.

    It ends with the run whose inputs and snapshot fill the room, in bytes; `load` the rest afterwards.
    """
    return LOAD.bind(id=list(ids), lease=lease, room=room)


def owned(lease: LeaseId) -> Query[Claimed]:
    """Read what a lease holds, to find runs of which a lost claim never told; `load` them afterwards."""
    return OWNED.bind(lease=lease)


def wake_due(*, room: int) -> Query[Queued]:
    """Queue parked and delayed runs whose time has come."""
    return WAKE_DUE.bind(room=room)


def wake_addressed(*, room: int) -> Query[Queued]:
    """Queue parked runs that have mail, and delayed ones that were cancelled."""
    return WAKE_ADDRESSED.bind(room=room)


def wake_parked(ids: Iterable[UUID]) -> Query[Queued]:
    """Queue those of the runs just parked that got mail meanwhile."""
    return WAKE_PARKED.bind(id=list(ids))


def next_wake() -> Query[NextWake]:
    """Read when the first parked run is due; no row when none has a time."""
    return NEXT_WAKE.bind()


def release(*, room: int) -> Query[Queued]:
    """Queue at most `room` runs whose lease is fenced or gone; repeat until no row comes back."""
    return RELEASE.bind(room=room)


def queue_depth(*, room: int = 100_000) -> Query[QueueDepth]:
    """Count runnable runs, up to `room` of them."""
    return QUEUE_DEPTH.bind(room=room)
