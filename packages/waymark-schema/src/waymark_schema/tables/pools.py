"""Pool process trees: what one reports about itself goes in, queries that write it down come out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from waymark_schema.database.statement import Nothing, Query, load
from waymark_schema.ids import LeaseId, PoolId, ProgramId


@dataclass(frozen=True, slots=True)
class RegisteredPool:
    """The id of a pool that was just registered."""

    id: PoolId


class WorkerState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One worker process as the workers page shows it; kept as JSON in the pool's row."""

    number: int
    pid: int
    state: str
    calls: int = 0
    completed: int = 0
    failed: int = 0
    memory_bytes: int = 0
    action: str = ""


@dataclass(frozen=True, slots=True)
class PoolSample:
    """Counters of one pool since it started, and gauges at this moment."""

    pool: PoolId
    actions_completed: int
    actions_failed: int
    instances_completed: int
    memory_bytes: int
    instances_active: int
    calls_in_flight: int
    calls_queued: int
    workers: int
    queue_latency_ms: float | None


@dataclass(frozen=True, slots=True)
class OtherPool:
    """What another live pool can run: actions, and programs all alone."""

    actions: list[str]
    programs: list[ProgramId]


@dataclass(frozen=True, slots=True)
class UnservedProgram:
    """A program with runnable runs that no live pool can run."""

    id: ProgramId
    workflow: str
    version: str


_FILE = load(__package__, "pools.sql")
REGISTER = _FILE.statement("register", RegisteredPool)
FIND = _FILE.statement("find", RegisteredPool)
REPORT = _FILE.statement("report", Nothing)
RETIRE = _FILE.statement("retire", Nothing)
STOP = _FILE.statement("stop", Nothing)
SAMPLE = _FILE.statement("sample", Nothing)
ELSEWHERE = _FILE.statement("elsewhere", OtherPool)
UNSERVED = _FILE.statement("unserved", UnservedProgram)
PRUNE_SAMPLES = _FILE.statement("prune_samples", Nothing)
PRUNE_POOLS = _FILE.statement("prune_pools", Nothing)


def register(
    *,
    pid: int,
    host: str,
    version: str,
    python: str,
    program_format: int,
    program_semantics: int,
) -> Query[RegisteredPool]:
    """Write a new pool down; `python` is its version, `program_*` the newest numbers it runs."""
    return REGISTER.bind(
        pid=pid,
        host=host,
        version=version,
        python=python,
        program_format=program_format,
        program_semantics=program_semantics,
    )


def find(pool: PoolId, *, pid: int, host: str) -> Query[RegisteredPool]:
    """Look whether a pool is still written down; no row when it is not."""
    return FIND.bind(pool=pool, pid=pid, host=host)


def report(
    pool: PoolId,
    *,
    actions: Iterable[str],
    programs: Iterable[ProgramId],
    workers: Iterable[WorkerState],
) -> Query[Nothing]:
    """Say that a pool lives, what its workers know and how they are."""
    return REPORT.bind(
        pool=pool,
        actions=list(actions),
        programs=list(programs),
        workers=msgspec.json.encode(list(workers)),
    )


def unserved(*, silent: timedelta, inline: str) -> Query[UnservedProgram]:
    """Read which queued runs wait for pools that know their program; `silent` ones do not count.

    `inline` is the action that every worker has.
    """
    return UNSERVED.bind(silent=silent, inline=inline)


def elsewhere(lease: LeaseId) -> Query[OtherPool]:
    """Read what the pools of other leases can run."""
    return ELSEWHERE.bind(lease=lease)


def retire(pool: PoolId) -> Query[Nothing]:
    """Say that a pool runs what it has to its end and nothing else; its reports must name no program any more."""
    return RETIRE.bind(pool=pool)


def stop(pool: PoolId) -> Query[Nothing]:
    """Say that a pool ended on purpose."""
    return STOP.bind(pool=pool)


def sample(sample: PoolSample) -> Query[Nothing]:
    """Add one point to a pool's charts."""
    return SAMPLE.bind(
        pool=sample.pool,
        actions_completed=sample.actions_completed,
        actions_failed=sample.actions_failed,
        instances_completed=sample.instances_completed,
        memory_bytes=sample.memory_bytes,
        instances_active=sample.instances_active,
        calls_in_flight=sample.calls_in_flight,
        calls_queued=sample.calls_queued,
        workers=sample.workers,
        queue_latency_ms=sample.queue_latency_ms,
    )


def prune_samples(*, older_than: timedelta, room: int) -> Query[Nothing]:
    """Delete at most `room` old points of the charts."""
    return PRUNE_SAMPLES.bind(older_than=older_than, room=room)


def prune_pools(*, older_than: timedelta) -> Query[Nothing]:
    """Delete pools that ended or fell silent long ago."""
    return PRUNE_POOLS.bind(older_than=older_than)
