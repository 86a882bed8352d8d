"""Retention: an age goes in, a query that deletes finished runs with all that hangs on them comes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waymark_schema.database.statement import Query, load
from waymark_schema.kinds import InstanceState

STATES = (InstanceState.COMPLETED, InstanceState.FAILED, InstanceState.CANCELLED)
"""What is pruned, one state after the other, as the index has them. Quarantined runs wait for a person."""
MOST_ENTRIES = 5_000
"""Of all journals in one batch, whose locks are held for as long as it takes to delete them."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many old runs one batch found, how much it deleted, and when the newest of it had ended."""

    found: int
    instances: int
    entries: int
    newest: datetime | None


_FILE = load(__package__, "pruning.sql")
PRUNE_INSTANCES = _FILE.statement("prune_instances", Pruned)


def prune_instances(
    state: InstanceState,
    *,
    retention: timedelta,
    room: int,
    since: datetime | None = None,
    most: int = MOST_ENTRIES,
) -> Query[Pruned]:
    """Delete at most `room` runs of a state that ended longer ago than `retention`, and `most` entries.

    `since` is the `newest` of the batch before: what is dead or has to stay is not walked again. There is
    more while `found` is `room` or `instances` is less than `found`.
    """
    return PRUNE_INSTANCES.bind(
        state=int(state), since=since, retention=retention, room=room, most=most
    )
