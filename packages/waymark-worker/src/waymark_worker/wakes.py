"""The wake duty: parked instances that are due or have mail in, runnable rows and a notification out."""

from __future__ import annotations

from collections.abc import Callable

from waymark_schema.database.execute import Session, fetch_all, fetch_optional
from waymark_schema.tables import instances, offers
from waymark_worker.clock import Clock, pause

ROOM = 1_000
LONGEST_SECONDS = 1.0
TURN_SECONDS = 0.2
"""Other duties share the session: nobody may be reaped late because very many are due at once."""


async def wake(session: Session, *, told: Callable[[], None], clock: Clock) -> float:
    """Queue what is due, for a moment; return the seconds until the next look is worth while."""
    until = clock.monotonic() + TURN_SECONDS
    addressed = await fetch_all(session, instances.wake_addressed(room=ROOM))
    if addressed:
        told()
    while True:
        due = await fetch_all(session, instances.wake_due(room=ROOM))
        if due:
            told()
        if len(due) < ROOM:
            break
        if clock.monotonic() >= until:
            return 0.0
        await pause(0)
    if len(addressed) == ROOM:
        return 0.0
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
