"""Calls around which pools have died in; each begun with nothing beside it, out.

Such a call is recorded before it starts, and it starts only when nothing else runs in the whole pool. So if
the pool dies once more, nobody else can have been the cause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.telemetry import log

REASON = "a call must run alone"
ALONE_SECONDS = 5.0
"""After this long a call that ran alone counts as harmless and others start again; each further time twice as long."""
MOST_DOUBLINGS = 10
PATIENCE_SECONDS = 5.0
"""So long nothing else is started while what runs ends; then the others go on, and the next try waits longer."""
MOST_PATIENCE_SECONDS = 60.0
RESTS = 3
"""How many times as long as a try the others then go on."""


class Suspect(Protocol):
    """An attempt that must be begun with nothing beside it, as whoever has to answer for it sees it."""

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
    def put_off(self) -> None: ...
    def record(self) -> None: ...
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
        """Since when nothing else is started."""
        self._patience = PATIENCE_SECONDS
        self._rest_until = 0.0

    @property
    def asking(self) -> bool:
        """Whether nothing else may be started in the whole pool."""
        return self._asked_at is not None

    def take(self, suspect: Suspect) -> None:
        """Begin it when nothing else runs."""
        self._waiting.append(suspect)

    def step(self, *, granted: bool) -> None:
        """Do what can be done now; ``granted``: the other runloops of the pool keep still."""
        now = self._now()
        self._sort_out()
        if self._current is not None:
            self._attend(self._current, now)
        if self._current is not None:
            return
        if not self._waiting:
            self.stop()
        elif now >= self._rest_until:
            self._ask(now, granted=granted)

    def stop(self) -> None:
        """Let the others start again."""
        if self._asked_at is not None:
            self._asked_at = None
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

    def _ask(self, now: float, *, granted: bool) -> None:
        if self._asked_at is None:
            self._asked_at = now
            self._pool.keep_from_starting(REASON)
        if granted and not self._pool.busy:
            self._current, self._begun_at = self._waiting.popleft(), None
            self._current.record()
        elif now - self._asked_at > self._patience:
            log.info("call.waits_to_run_alone", seconds=self._patience)
            self._rest_until = now + RESTS * self._patience
            self._patience = min(MOST_PATIENCE_SECONDS, 2 * self._patience)
            for suspect in self._waiting:
                suspect.put_off()
            self.stop()

    def _attend(self, suspect: Suspect, now: float) -> None:
        attempt = suspect.attempt
        if suspect.over:
            if not attempt.runs:
                self._done()
        elif self._begun_at is None:
            if suspect.recorded and self._pool.begin(attempt):
                self._begun_at = now
        elif now - self._begun_at > suspect.trial_seconds:
            log.info(
                "call.harmless",
                instance=str(UUID(bytes=attempt.instance)),
                action=attempt.action,
            )
            suspect.acquit()
            self._done()

    def _done(self) -> None:
        self._current = None
        self._patience = PATIENCE_SECONDS


def trial_seconds(times_before: int) -> float:
    """How long a call runs alone that did so, or might have to, so often before."""
    return ALONE_SECONDS * 2.0 ** min(max(times_before, 0), MOST_DOUBLINGS)
