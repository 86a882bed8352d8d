"""Takes over from dead runloops: what was seen of other leases in, fenced leases out.

Fencing and releasing are separate transactions. A lease is fenced when its time is over and it was seen
without a beat for two seconds of this process's own time since its last reconnect; earlier only if a session
that did not break in between saw its session lock free on two looks a second apart without a beat. A time in
which nobody looked, because the server or this process stood still, counts for no more than one look.
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
LOOK_SECONDS = 0.6
"""The most that one look adds to what was seen: after an outage every owner is about to beat."""
EARLY_SECONDS = 1.0
SERVER_UP = timedelta(seconds=2)


@dataclass(slots=True)
class _Seen:
    """One lease as this session has watched it."""

    beat: int
    unbeaten: float = 0.0
    """Seconds over which this session has seen the beat unmoved."""
    free: float | None = None
    """Of these, seconds over which every look saw the lock free; None: it was held at the last one, or the
    server had just started, so that nobody's was held yet."""


class Reaper:
    """Watches the other leases through one unbroken session; a new session means a new reaper."""

    def __init__(self, session: Session, *, clock: Clock, own: Any, session_features: bool) -> None:
        """``own`` gives the ids of this pool's leases, which it never fences."""
        self._session = session
        self._clock = clock
        self._own = own
        self._features = session_features
        self._seen: dict[int, _Seen] = {}
        self._looked_at = clock.monotonic()
        self.suspects = False
        """Whether a lease may be dead, so that another look is soon worth while."""

    async def look(self, watched: Sequence[WatchedLease]) -> int:
        """Judge what one look at all leases has shown, and fence what is dead; returns how many."""
        now = self._clock.monotonic()
        passed, self._looked_at = min(now - self._looked_at, LOOK_SECONDS), now
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
            seen = self._note(lease, passed)
            if lease.expired and seen.unbeaten >= UNBEATEN_SECONDS:
                fenced += await self._fence(lease, early=False)
            elif self._features and seen.free is not None and seen.free >= EARLY_SECONDS:
                fenced += await self._fence(lease, early=True)
        return fenced

    def _note(self, lease: WatchedLease, passed: float) -> _Seen:
        """Add the seconds that have passed since the last look, if nothing moved in them."""
        seen = self._seen.get(lease.id)
        if seen is None or seen.beat != lease.beat:
            seen = self._seen[lease.id] = _Seen(lease.beat)
        else:
            seen.unbeaten += passed
        if not lease.lock_free or lease.server_up <= SERVER_UP:
            seen.free = None
        else:
            seen.free = 0.0 if seen.free is None else seen.free + passed
        return seen

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
