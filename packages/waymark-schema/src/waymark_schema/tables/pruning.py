"""Retention: an age goes in, a query that deletes finished runs with all that hangs on them comes out."""

from dataclasses import dataclass
from datetime import timedelta

from waymark_schema.database.statement import Query, load


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much one batch deleted."""

    instances: int
    entries: int


_FILE = load(__package__, "pruning.sql")
PRUNE_INSTANCES = _FILE.statement("prune_instances", Pruned)


def prune_instances(*, retention: timedelta, room: int) -> Query[Pruned]:
    """Delete at most `room` runs that ended longer ago than `retention`; repeat until it says none.

    Quarantined runs stay: they wait for a person.
    """
    return PRUNE_INSTANCES.bind(retention=retention, room=room)
