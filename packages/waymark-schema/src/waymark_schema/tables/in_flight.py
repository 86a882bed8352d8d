"""Calls that run right now: rows that nobody keeps up any more go. `settle` writes them, `reports.run` reads them."""

from waymark_schema.database.statement import Nothing, Query, load

_FILE = load(__package__, "in_flight.sql")
SWEEP = _FILE.statement("sweep", Nothing)


def sweep() -> Query[Nothing]:
    """Delete live rows that nobody keeps up any more."""
    return SWEEP.bind()
