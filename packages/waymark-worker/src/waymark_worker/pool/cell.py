"""Attempts suspected of killing their workers in; one at a time, and the worker that is emptied for it, out."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.worker import Worker


class Cell:
    """At most one worker at a time is confined: it takes no others, runs one suspect, and is free again."""

    def __init__(self) -> None:
        self.suspects: deque[Attempt[Any]] = deque()
        self._worker: Worker | None = None

    def worker(self, ready: Sequence[Worker]) -> Worker | None:
        """The worker that takes no others: it runs a suspect, or is being emptied for the next one."""
        if self._worker is not None and self._worker.in_flight:
            return self._worker
        self._worker = None
        if self.suspects and ready:
            self._worker = min(ready, key=_busyness)
        return self._worker

    def confine(self, worker: Worker) -> None:
        """Give this worker no others while it runs what is started in it now."""
        self._worker = worker

    def next(self, ready: Sequence[Worker]) -> tuple[Worker, Attempt[Any]] | None:
        """A suspect and the empty worker to run it in; None while there is none of either."""
        worker = self.worker(ready)
        if worker is None or not self.suspects or worker.in_flight:
            return None
        return worker, self.suspects.popleft()

    def remove(self, attempt: Attempt[Any]) -> bool:
        """Take out a suspect that need not run any more; False if it does not wait here."""
        if attempt not in self.suspects:
            return False
        self.suspects.remove(attempt)
        return True

    def forget(self, worker: Worker) -> None:
        """The worker takes no calls any more."""
        if worker is self._worker:
            self._worker = None


def _busyness(worker: Worker) -> int:
    return len(worker.in_flight)
