"""Pools and their workers: a span of time goes in, queries for who lives and what nobody serves come out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from waymark_schema.database.statement import Query, load
from waymark_schema.ids import PoolId, ProgramId
from waymark_schema.tables.pools import WorkerState


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One pool; `alive` when one of its leases has not run out, `held` the runs it owns."""

    id: PoolId
    host: str
    pid: int
    version: str
    python: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    actions: list[str]
    programs: int
    workers_json: str
    leases: int
    alive: bool
    held: int

    @property
    def workers(self) -> list[WorkerState]:
        """The worker processes as the pool last reported them."""
        return msgspec.json.decode(self.workers_json, type=list[WorkerState])


@dataclass(frozen=True, slots=True)
class KnownLine:
    """One version of a workflow that the workers of a pool know."""

    pool: PoolId
    workflow: str
    version: str


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One point of a pool's charts."""

    pool: PoolId
    sampled_at: datetime
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
class UnservedLine:
    """A program whose runs stay queued because no live pool can run it."""

    id: ProgramId
    workflow: str
    version: str
    queued: int
    format: int
    semantics: int
    unknown_actions: list[str]


_FILE = load(__package__, "workers.sql")
POOLS = _FILE.statement("pools", PoolLine)
KNOWN = _FILE.statement("known", KnownLine)
SAMPLES = _FILE.statement("samples", SampleLine)
UNSERVED = _FILE.statement("unserved", UnservedLine)


def pools(*, seen_within: timedelta = timedelta(hours=1)) -> Query[PoolLine]:
    """Read the pools that live or reported lately, newest first."""
    return POOLS.bind(seen_within=seen_within)


def known(pools: Iterable[PoolId]) -> Query[KnownLine]:
    """Read the workflow versions that the workers of each of these pools know."""
    return KNOWN.bind(pools=list(pools))


def samples(*, within: timedelta) -> Query[SampleLine]:
    """Read the points of all charts, by pool and time."""
    return SAMPLES.bind(within=within)


def unserved(*, most: int = 1001) -> Query[UnservedLine]:
    """Read which programs have runs that nobody can run, and which actions nobody knows."""
    return UNSERVED.bind(most=most)
