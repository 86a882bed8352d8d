"""Bounds of one instance: numbers, and the charge of an interpreter that counts in chunks."""

from __future__ import annotations

from waymark_worker.vm.meter import DEFAULT_BUDGET, METER

MAX_DEPTH = 500
"""Frames of one task; one more raises ``RecursionError``, at the same depth everywhere."""
MAX_NESTED = 100
"""Builtins inside one another (a ``map`` over a ``map`` over a ``map`` ...), likewise."""
MAX_ALIVE = 1_000_000
"""Open calls, timers and tasks of one instance."""
CHUNK = 4096
"""Units that the interpreter counts by itself before it tells the meter."""
HOP = 16
"""Units for waking a task up."""
LONGEST = 3_200_000_000.0
"""Seconds of the longest timer, about a century: a longer one never fires in practice either."""

__all__ = [
    "CHUNK",
    "DEFAULT_BUDGET",
    "HOP",
    "LONGEST",
    "MAX_ALIVE",
    "MAX_DEPTH",
    "MAX_NESTED",
    "charge",
]


def charge(context: object, units: int) -> None:
    """Take ``units`` from what this advance may still do; raises ``LimitExceeded``."""
    METER.charge(units)
