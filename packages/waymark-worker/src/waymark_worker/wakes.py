"""The wake duty: parked instances that are due or have mail in, runnable rows and a notification out."""

from __future__ import annotations

from collections.abc import Callable

from waymark_schema.database.execute import Session, fetch_all, fetch_optional
from waymark_schema.tables import instances, offers
from waymark_worker.clock import pause

ROOM = 1_000
LONGEST_SECONDS = 1.0


async def wake(session: Session, *, told: Callable[[], None]) -> float:
    """Queue what is due; return the seconds until the next look is worth while."""
    woken = 0
    while True:
        due = await fetch_all(session, instances.wake_due(room=ROOM))
        woken += len(due)
        if len(due) < ROOM:
            break
        told()
    woken += len(await fetch_all(session, instances.wake_addressed(room=ROOM)))
    if woken:
        told()
    upcoming = await fetch_optional(session, instances.next_wake())
    if upcoming is None:
        return LONGEST_SECONDS
    return min(LONGEST_SECONDS, max(0.0, upcoming.due_in.total_seconds()))


async def release_orphans(session: Session, *, room: int, told: Callable[[], None]) -> int:
    """Queue everything whose lease is fenced or gone; any pool may, at any time."""
    released = 0
    while True:
        rows = await fetch_all(session, instances.release(room=room))
        released += len(rows)
        if rows:
            told()
        if len(rows) < room:
            break
        await pause(0)
    while len(await fetch_all(session, offers.release(room=room))) == room:
        await pause(0)
    return released
