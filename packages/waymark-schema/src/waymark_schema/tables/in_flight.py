"""Calls that run right now: an instance goes in, a query for its live rows comes out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from waymark_schema.database.statement import Nothing, Query, load
from waymark_schema.ids import InstanceId, LeaseId


@dataclass(frozen=True, slots=True)
class InFlight:
    """One running attempt, written once it had run a moment."""

    instance: InstanceId
    call: int
    attempt: int
    action: int | None
    inputs: bytes | None
    queued_at: datetime
    started_at: datetime
    worker: int | None
    lease: LeaseId


_FILE = load(__package__, "in_flight.sql")
OF_INSTANCE = _FILE.statement("of_instance", InFlight)
SWEEP = _FILE.statement("sweep", Nothing)


def of_instance(instance: UUID) -> Query[InFlight]:
    """Read the running calls of an instance."""
    return OF_INSTANCE.bind(instance=instance)


def sweep() -> Query[Nothing]:
    """Delete live rows that nobody keeps up any more."""
    return SWEEP.bind()
