"""Whether the database answers: nothing goes in, a query for its pulse comes out."""

from dataclasses import dataclass
from datetime import datetime

from waymark_schema.database.statement import Query, load


@dataclass(frozen=True, slots=True)
class Pulse:
    """The database's clock, whether it is a standby, and how many runloops live."""

    now: datetime
    standby: bool
    live_leases: int


_FILE = load(__package__, "health.sql")
PULSE = _FILE.statement("pulse", Pulse)


def pulse() -> Query[Pulse]:
    """Read whether the database answers and whether any pool lives."""
    return PULSE.bind()
