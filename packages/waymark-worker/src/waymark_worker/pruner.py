"""Retention: an age in, finished instances older than that gone."""

from __future__ import annotations

from datetime import timedelta

from waymark_schema.database.execute import Session, execute, fetch_all, fetch_one
from waymark_schema.tables import leases, offers, pools, programs, pruning
from waymark_worker.clock import Clock, pause
from waymark_worker.telemetry import log

TURN_SECONDS = 0.2
"""Other duties share the session."""
PROGRAM_KEPT = timedelta(days=7)
SAMPLES_KEPT = timedelta(days=2)
POOLS_KEPT = timedelta(days=2)


async def prune(session: Session, *, retention: timedelta, room: int, clock: Clock) -> bool:
    """Sweep for a moment, each batch a short statement of its own; True when nothing old is left."""
    deleted = 0
    until = clock.monotonic() + TURN_SECONDS
    while True:
        batch = await fetch_one(session, pruning.prune_instances(retention=retention, room=room))
        deleted += batch.instances
        if batch.instances < room:
            break
        if clock.monotonic() >= until:
            return False
        await pause(0)
    await fetch_all(session, programs.prune(unused_for=PROGRAM_KEPT))
    await execute(session, pools.prune_samples(older_than=SAMPLES_KEPT))
    await execute(session, pools.prune_pools(older_than=POOLS_KEPT))
    await execute(session, offers.sweep())
    await fetch_all(session, leases.remove())
    if deleted:
        log.info("pruned", instances=deleted)
    return True
