"""Bounds of one instance: numbers, and the charge of an interpreter that counts in chunks."""

from __future__ import annotations

from dataclasses import dataclass

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
TURN = 8
"""Units for turning to another frame."""
KEPT = 32
"""Units for an object that takes about a kilobyte: a call that has not started, a generator, a deque.

So what one step can make stays within some hundred megabytes.
"""
LONGEST = 3_200_000_000.0
"""Seconds of the longest timer, about a century: a longer one never fires in practice either."""

MEASURED_AFTER = 4_000_000
"""Units of work after which the state of an instance is measured: it cannot have grown far beyond its bound before."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a pool's settings allow each of its instances."""

    value_bytes: int = 16 * 1024 * 1024
    """``WAYMARK_MAX_VALUE_BYTES``: of one value on the wire, and characters of one text."""
    state_bytes: int = 64 * 1024 * 1024
    """``WAYMARK_MAX_SNAPSHOT_BYTES``: of everything that an instance keeps between two steps."""


_in_force = Bounds()


def bounds() -> Bounds:
    """What is in force in this process."""
    return _in_force


def set_bounds(chosen: Bounds) -> None:
    """Put a pool's settings in force, before anything is linked."""
    global _in_force  # noqa: PLW0603 - one pool's settings a process
    _in_force = chosen


__all__ = [
    "CHUNK",
    "DEFAULT_BUDGET",
    "HOP",
    "KEPT",
    "LONGEST",
    "MAX_ALIVE",
    "MAX_DEPTH",
    "MAX_NESTED",
    "MEASURED_AFTER",
    "TURN",
    "Bounds",
    "bounds",
    "charge",
    "set_bounds",
]


def charge(context: object, units: int) -> None:
    """Take ``units`` from what this advance may still do; raises ``LimitExceeded``."""
    METER.charge(units)
