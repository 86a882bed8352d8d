"""A machine that only waits comes in; whether all that it keeps is within its bound goes out, now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waymark_worker.vm.limits import MEASURED_AFTER, bounds
from waymark_worker.vm.meter import METER
from waymark_worker.vm.refusals import LimitExceeded
from waymark_worker.vm.snapshot import SnapshotRefused, write_snapshot

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine


def measured(machine: Machine, grown: int) -> int:
    """Add the work of this advance to ``grown``; past a threshold measure the state and begin at 0 again.

    Whatever a workflow keeps it has made or been sent, and either is charged; so between two measurements
    it can have grown by a bounded amount. Raises ``LimitExceeded`` for a state beyond its bound.
    """
    grown += METER.spent()
    if (
        grown < min(MEASURED_AFTER, bounds().state_bytes >> 3)
        or not machine.idle
        or machine.finished
    ):
        return grown
    try:
        size = len(write_snapshot(machine))
    except SnapshotRefused:
        return 0  # something in it has no stored form: the journal alone has to do
    if size > bounds().state_bytes:
        msg = (
            f"everything that the workflow keeps between two steps takes {size} bytes; at most"
            f" {bounds().state_bytes} are kept (WAYMARK_MAX_SNAPSHOT_BYTES): store it in an action and keep"
            " a reference"
        )
        raise LimitExceeded(msg)
    return 0
