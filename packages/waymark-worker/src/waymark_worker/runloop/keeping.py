"""When the state of an instance is written down beside its journal: its changes in, a snapshot now and then out."""

from __future__ import annotations

from waymark_schema.tables.settle import SnapshotRow
from waymark_worker.journal import Change
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.recovery import entry_size, snapshot_state
from waymark_worker.telemetry import log
from waymark_worker.vm.limits import bounds
from waymark_worker.vm.snapshot import SnapshotRefused

LEAST_ENTRIES = 1_000
"""A journal that is shorter since the last snapshot is replayed in some milliseconds."""
MOST_BYTES = 16 * 1024 * 1024
"""One with so much in it is not: few entries with large values count as many."""
FEWEST_ENTRIES = 10
"""However large they are: values near their limit must not mean a snapshot at every step."""
BYTES_PER_CALL = 300
"""About what an open call takes in a snapshot: what the first one will take is not known before it is made."""


def note(instance: LiveInstance, change: Change) -> None:
    """Count the entries of a change, and add a snapshot to it when the journal has outgrown the last one.

    So a run of any length is rebuilt from a bounded number of entries and bytes, and what its snapshots take
    is no more than what its journal does.
    """
    for row in change.rows:
        instance.grown += entry_size(row)
    if not change.rows or change.final is not None or not _outgrown(instance):
        return
    if not instance.machine.idle:
        return  # it stands still for an inline step: at the next entry, then
    change.snapshot = taken(instance, limit=bounds().state_bytes)


def _outgrown(instance: LiveInstance) -> bool:
    least = LEAST_ENTRIES if instance.grown < MOST_BYTES else FEWEST_ENTRIES
    if instance.position - instance.kept_at < least:
        return False
    return instance.grown >= max(instance.kept_bytes, BYTES_PER_CALL * len(instance.calls))


def taken(instance: LiveInstance, *, limit: int) -> SnapshotRow | None:
    """The snapshot of an instance as it is now; None if its state cannot be kept that way, and the journal has to do."""
    try:
        state = snapshot_state(instance)
    except SnapshotRefused as error:
        log.info("snapshot.refused", instance=str(instance.id), reason=str(error))
        _put_off(instance)
        return None
    if len(state) > limit:
        log.warning("snapshot.too_big", instance=str(instance.id), bytes=len(state), limit=limit)
        _put_off(instance)
        return None
    instance.kept_at, instance.kept_bytes, instance.grown = instance.position, len(state), 0
    instance.had_snapshot = True
    return SnapshotRow(instance.id, instance.position, state)


def _put_off(instance: LiveInstance) -> None:
    """Try again when the journal has grown by as much once more: an attempt costs as much as a snapshot."""
    instance.kept_bytes = max(instance.kept_bytes, 2 * instance.grown)
