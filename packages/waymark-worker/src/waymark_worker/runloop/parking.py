"""Which waiting instances leave memory, and how: an idle instance in, the change that parks it out."""

from __future__ import annotations

import math

from waymark_schema.kinds import InstanceState
from waymark_schema.tables.settle import FinalRow
from waymark_worker.clock import moment
from waymark_worker.journal import Change
from waymark_worker.runloop import keeping
from waymark_worker.runloop.live import LiveInstance


def waits_until(instance: LiveInstance) -> float | None:
    """When an idle instance goes on by itself; infinity if only mail moves it; None if it must stay.

    It must while a call of it is held back, which starts as soon as heartbeats are confirmed again: parked,
    it would wait for the timers beside it.
    """
    moments = [timer.due_at for timer in instance.timers.values()]
    for call in instance.calls.values():
        if call.retry_at is None:
            return None
        moments.append(call.retry_at)
    return min(moments, default=math.inf)


def parked(instance: LiveInstance, *, due: float, limit: int) -> Change:
    """The change that snapshots and releases an instance until ``due``.

    A state that cannot be kept as a snapshot is rebuilt from the journal: waiting takes no memory slot.
    """
    wake_at = None if due == math.inf else moment(due)
    return Change(
        instance.id,
        instance.epoch,
        (instance, (), None, None),
        final=FinalRow(
            instance.id,
            instance.epoch,
            int(InstanceState.WAITING),
            wake_at,
            recoveries=instance.recoveries,
        ),
        snapshot=keeping.taken(instance, limit=limit),
    )
