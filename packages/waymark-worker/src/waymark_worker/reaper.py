"""Takes over from dead runloops: what was seen of other leases in, fenced leases out.

Fencing and releasing are separate transactions. A lease is fenced when its time is over and it was seen
without a beat for two seconds of this process's own time since its last reconnect; earlier only if a session
that did not break in between saw its session lock free on two looks a second apart without a beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from waymark_schema.database.execute import Session
from waymark_schema.tables.leases import WatchedLease
from waymark_schema.tables.transactions import fence_dead, fence_expired
from waymark_worker.clock import Clock
from waymark_worker.telemetry import log

UNBEATEN_SECONDS = 2.0
EARLY_SECONDS = 1.0
SERVER_UP = timedelta(seconds=2)


@dataclass(slots=True)
class _Seen:
    """One lease as this session has watched it."""

    beat: int
    since: float
    """Monotonic: since when the beat has not moved under this session."""
    free_since: float | None
    """Monotonic: since when every look saw the lock free, the beat unmoved; None: it was held."""


class Reaper:
    """Watches the other leases through one unbroken session; a new session means a new reaper."""

    def __init__(self, session: Session, *, clock: Clock, own: Any, session_features: bool) -> None:
        """``own`` gives the ids of this pool's leases, which it never fences."""
        self._session = session
        self._clock = clock
        self._own = own
        self._features = session_features
        self._seen: dict[int, _Seen] = {}
        self.suspects = False
        """Whether a lease may be dead, so that another look is soon worth while."""

    async def look(self, watched: Sequence[WatchedLease]) -> int:
        """Judge what one look at all leases has shown, and fence what is dead; returns how many."""
        now = self._clock.monotonic()
        own = self._own()
        alive = {lease.id for lease in watched}
        self._seen = {id_: seen for id_, seen in self._seen.items() if id_ in alive}
        fenced = 0
        self.suspects = any(
            lease.expired or lease.lock_free for lease in watched if lease.id not in own
        )
        for lease in watched:
            if lease.id in own:
                continue
            seen = self._note(lease, now)
            if lease.expired and now - seen.since >= UNBEATEN_SECONDS:
                fenced += await self._fence(lease, early=False)
            elif self._early(lease, seen, now):
                fenced += await self._fence(lease, early=True)
        return fenced

    def _note(self, lease: WatchedLease, now: float) -> _Seen:
        seen = self._seen.get(lease.id)
        if seen is None or seen.beat != lease.beat:
            seen = self._seen[lease.id] = _Seen(lease.beat, now, None)
        if not lease.lock_free:
            seen.free_since = None
        elif seen.free_since is None:
            seen.free_since = now
        return seen

    def _early(self, lease: WatchedLease, seen: _Seen, now: float) -> bool:
        return (
            self._features
            and lease.server_up > SERVER_UP
            and seen.free_since is not None
            and now - seen.free_since >= EARLY_SECONDS
        )

    async def _fence(self, lease: WatchedLease, *, early: bool) -> int:
        if early:
            done = await fence_dead(
                self._session, lease.id, observed=lease.beat, application=lease.application
            )
        else:
            done = await fence_expired(self._session, lease.id, application=lease.application)
        if done:
            log.warning("lease.fenced", lease=lease.id, early=early)
            self._seen.pop(lease.id, None)
        return int(done)
