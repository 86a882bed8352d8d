"""Attempts that run and callers that wait in; whether time may pass now, and how far, out."""

from __future__ import annotations

from collections.abc import Collection

from waymark_worker.testing.alarm import real_time
from waymark_worker.testing.clock import Event, VirtualClock
from waymark_worker.testing.performing import PATIENCE, Try
from waymark_worker.testing.waiting import Waiter

CHAIN_PATIENCE = 5.0
"""As PATIENCE, for one short attempt after the other, without a pause between them."""


class Pacing:
    """Weighs virtual time against the real time that attempts take."""

    def __init__(
        self,
        clock: VirtualClock,
        tries: Collection[Try],
        waiters: Collection[Waiter],
        closing: Collection[object],
    ) -> None:
        """All three are the engine's own, and change."""
        self._clock = clock
        self._tries = tries
        self._waiters = waiters
        self._closing = closing
        self._busy_since = real_time()
        """Real time since which there is always an attempt running, or since the clock last moved."""
        self.quiet = True
        """No attempt runs, none waits for its turn."""

    def begin(self) -> None:
        """An attempt begins."""
        if self.quiet:
            self.quiet, self._busy_since = False, real_time()

    def move_to(self, moment: float) -> None:
        """Let time pass."""
        if moment > self._clock.now():
            self._clock.move_to(moment)
            self._busy_since = real_time()

    def live(self) -> list[Try]:
        """Attempts that do something right now."""
        return [tried for tried in self._tries if tried.live]

    def fresh(self) -> bool:
        """Whether an attempt has begun so recently that the next one waits for it."""
        now = real_time()
        return any(now - tried.began < PATIENCE for tried in self.live())

    def limit(self) -> float:
        """How far time may pass: only while somebody waits."""
        limits = [float("inf") if w.until is None else w.until for w in self._waiters]
        return max([self._clock.now(), *limits])

    def may_happen(self, event: Event) -> bool:
        """Whether the next event may happen now."""
        return event.due_at <= self.limit() and self.held_for(event) <= 0.0

    def held_for(self, event: Event) -> float:
        """Seconds of real time for which attempts that run right now hold up the event.

        They hold it up until their patience ends. Then time passes at once for whoever waits for a run
        (or for time itself) that has nothing else to do; else as real time does.
        """
        live = self.live()
        if not live:
            return PATIENCE if self._closing else 0.0
        now = real_time()
        patience = max(PATIENCE - (now - tried.began) for tried in live)
        if now - self._busy_since >= CHAIN_PATIENCE:
            patience = 0.0
        if any(_has_nothing_else(waiter) for waiter in self._waiters):
            return patience
        ahead = event.due_at - self._clock.now()
        pace = ahead - (now - max(self._busy_since, event.planned))
        return pace if event.own_time else max(patience, pace)


def _has_nothing_else(waiter: Waiter) -> bool:
    if waiter.instance is None:
        return True
    tries = waiter.instance.tries.values()
    return not any(tried.live or tried.waits for tried in tries)
