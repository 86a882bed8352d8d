"""Calls around which pools have died in; each begun with nothing beside it, or nothing new, out.

Such a call is recorded before it starts, and it starts when nothing else runs in the whole pool. So if
the pool dies once more, nobody else can have been the cause. In a pool that does not come to rest, because a call in
it runs for hours, it starts when nothing has been started for a while, and the record says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.telemetry import log

REASON = "a call must run with nothing new beside it"
ALONE_SECONDS = 5.0
"""After this long a call that ran alone counts as harmless and others start again; each further time twice as long."""
MOST_DOUBLINGS = 10
PATIENCE_SECONDS = 5.0
"""So long nothing else is started while what runs ends. Then it has company, if its record can say so; if not, the
others go on, and the next try waits longer."""
MOST_PATIENCE_SECONDS = 60.0
ROUND_SECONDS = 30.0
"""After so long of trials with company the others go on for as long."""
RESTS = 3
"""How many times as long as a try the others then go on."""


class Suspect(Protocol):
    """An attempt that must be begun with nothing new beside it, as whoever has to answer for it sees it."""

    @property
    def attempt(self) -> Attempt[Any]: ...
    @property
    def over(self) -> bool: ...
    @property
    def cleared(self) -> bool: ...
    @property
    def recorded(self) -> bool: ...
    @property
    def trial_seconds(self) -> float: ...
    @property
    def bears_company(self) -> bool: ...
    def put_off(self) -> None: ...
    def record(self, *, beside: bool) -> None: ...
    def acquit(self) -> None: ...


class Solo:
    """One per lease; asked to ``step`` a few times a second."""

    def __init__(self, pool: WorkerPool, *, now: Callable[[], float]) -> None:
        """``now``: the loop's time."""
        self._pool = pool
        self._now = now
        self._waiting: deque[Suspect] = deque()
        self._current: Suspect | None = None
        self._begun_at: float | None = None
        """Loop time at which the present one was started; None while its record is being committed."""
        self._asked_at: float | None = None
        """Since when nothing else is started here."""
        self._floor_at: float | None = None
        """Since when nothing else is started in the other runloops of the pool either."""
        self._beside = False
        """Whether others run beside the present one."""
        self._could_begin_at: float | None = None
        """Since when only a worker is missing for the present one."""
        self._patience = PATIENCE_SECONDS
        self._rest_until = 0.0

    @property
    def asking(self) -> bool:
        """Whether nothing else may be started in the whole pool."""
        return self._asked_at is not None

    def take(self, suspect: Suspect) -> None:
        """Begin it when nothing else runs."""
        self._waiting.append(suspect)

    def step(self, *, granted: bool, floor: bool) -> None:
        """Do what can be done now.

        ``granted``: nothing runs in the other runloops of the pool; ``floor``: they start nothing, or would not if this
        one asked for it.
        """
        now = self._now()
        self._sort_out()
        if self._current is not None:
            self._attend(self._current, now)
        if self._current is not None:
            return
        if not self._waiting:
            self.stop()
        elif now >= self._rest_until:
            self._ask(now, granted=granted, floor=floor)

    def stop(self) -> None:
        """Let the others start again."""
        if self._asked_at is not None:
            self._asked_at = self._floor_at = None
            self._pool.let_start(REASON)

    # inside -----------------------------------------------------------------------------------

    def _sort_out(self) -> None:
        """Forget what nobody waits for any more; what need not run alone by now runs like any other."""
        for suspect in tuple(self._waiting):
            if suspect.over:
                self._waiting.remove(suspect)
            elif suspect.cleared:
                self._waiting.remove(suspect)
                self._pool.submit(suspect.attempt)

    def _ask(self, now: float, *, granted: bool, floor: bool) -> None:
        if self._asked_at is None:
            self._asked_at = now
            self._pool.keep_from_starting(REASON)
        if not floor:
            self._floor_at = None
        elif self._floor_at is None:
            self._floor_at = now
        if granted and not self._pool.busy:
            self._try(self._waiting[0], beside=False)
            return
        waited = now - (self._asked_at if self._floor_at is None else self._floor_at)
        if floor and waited > PATIENCE_SECONDS:
            for suspect in self._waiting:
                if suspect.bears_company and self._pool.has_room(suspect.attempt):
                    self._try(suspect, beside=True)
                    return
        if waited > self._patience:
            self._put_off(now)

    def _put_off(self, now: float) -> None:
        log.info("call.waits_to_run_alone", seconds=self._patience)
        self._rest_until = now + RESTS * self._patience
        self._patience = min(MOST_PATIENCE_SECONDS, 2 * self._patience)
        for suspect in self._waiting:
            suspect.put_off()
        self.stop()

    def _try(self, suspect: Suspect, *, beside: bool) -> None:
        self._waiting.remove(suspect)
        self._current, self._beside = suspect, beside
        self._begun_at = self._could_begin_at = None
        suspect.record(beside=beside)

    def _attend(self, suspect: Suspect, now: float) -> None:
        attempt = suspect.attempt
        if suspect.over:
            if not attempt.runs:
                self._done(now)
        elif self._begun_at is None:
            if suspect.recorded:
                self._begin(suspect, now)
        elif not attempt.runs:
            # It lay unread in a worker that stands still, and was taken back.
            self._begun_at = self._could_begin_at = None
            if not self._pool.recall(attempt):
                self._done(now)  # it was offered meanwhile
        elif now - self._begun_at > suspect.trial_seconds:
            log.info(
                "call.harmless",
                instance=str(UUID(bytes=attempt.instance)),
                action=attempt.action,
            )
            suspect.acquit()
            self._done(now)

    def _begin(self, suspect: Suspect, now: float) -> None:
        if self._pool.begin(suspect.attempt, beside=self._beside):
            self._begun_at = now
        elif self._could_begin_at is None:
            self._could_begin_at = now
        elif now - self._could_begin_at > PATIENCE_SECONDS:
            # No worker takes it: nobody else may be held up for that, nor may it be blamed for what happens meanwhile.
            suspect.acquit()
            self._current = None
            self._waiting.append(suspect)
            self._put_off(now)

    def _done(self, now: float) -> None:
        self._current = None
        self._patience = PATIENCE_SECONDS
        asked = now - self._asked_at if self._asked_at is not None else 0.0
        if self._beside and asked >= ROUND_SECONDS:
            # The pool will not come to rest by waiting: the others get their turn.
            self._rest_until = now + asked
            self.stop()


def trial_seconds(times_before: int) -> float:
    """How long a call runs alone that did so, or might have to, so often before."""
    return ALONE_SECONDS * 2.0 ** min(max(times_before, 0), MOST_DOUBLINGS)
