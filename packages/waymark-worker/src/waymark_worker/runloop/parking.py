"""Which waiting instances leave memory, and how: an idle instance in, the change that parks it out."""

from __future__ import annotations

from waymark_schema.kinds import InstanceState
from waymark_schema.tables.settle import FinalRow, SnapshotRow
from waymark_worker.clock import moment
from waymark_worker.journal import Change
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.recovery import snapshot_state
from waymark_worker.telemetry import log
from waymark_worker.vm.snapshot import SnapshotRefused


def next_due(instance: LiveInstance) -> float | None:
    """When the instance goes on by itself: its first timer or retry; None if it only waits for mail."""
    moments = [timer.due_at for timer in instance.timers.values()]
    moments += [call.retry_at for call in instance.calls.values() if call.retry_at is not None]
    return min(moments, default=None)


def parked(instance: LiveInstance, *, limit: int) -> Change | None:
    """The change that snapshots and releases an idle instance; None if its state cannot be kept that way."""
    try:
        state = snapshot_state(instance)
    except SnapshotRefused as error:
        log.info("snapshot.refused", instance=str(instance.id), reason=str(error))
        return None
    if len(state) > limit:
        log.warning("snapshot.too_big", instance=str(instance.id), bytes=len(state), limit=limit)
        return None
    due = next_due(instance)
    return Change(
        instance.id,
        instance.epoch,
        (instance, (), None, None),
        final=FinalRow(
            instance.id,
            instance.epoch,
            int(InstanceState.WAITING),
            None if due is None else moment(due),
        ),
        snapshot=SnapshotRow(instance.id, instance.position, state),
    )
