"""Signs of life of workers in; which of them stand still, are stuck or hold too much memory, and why, out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from waymark_schema.wire.frames import Blocked, Tick
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.worker import Worker
from waymark_worker.telemetry import log

LOOK_SECONDS = 1.0
SILENT_SECONDS = 5.0
"""Without a tick for so long nothing more is sent to a worker, though no thread of it complains."""
TELL_FACTOR = 4
"""A worker that stands still is told of again after this many times as long."""
BLOAT_PAUSE_SECONDS = 1.0
MOST_BLOAT_PAUSE_SECONDS = 60.0
SHORT_LIFE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may do before another takes its place."""

    hang_seconds: float | None = None
    """Without a tick."""
    memory_bytes: int | None = None
    """Resident."""
    cancel_grace: float = 10.0
    """For an attempt that ignores its cancellation, and for a thread that nobody waits for."""


class Stable(Protocol):
    """The pool, as the vigil sees it."""

    def workers(self) -> Iterable[Worker]: ...
    def replace(self, worker: Worker, *, after: float = ...) -> None: ...
    def stands_still(self, worker: Worker) -> None: ...
    def moves_again(self, worker: Worker) -> None: ...


class Vigil:
    """Judges the workers of one pool; every method runs on the loop's thread."""

    def __init__(self, pool: Stable, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._looked_at = self._loop.time()
        self._bloated = 0
        """Workers in a row that soon held too much memory."""
        self._handle = self._loop.call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Judge no more."""
        self._handle.cancel()

    def ticked(self, worker: Worker, tick: Tick) -> None:
        """The worker's loop moves."""
        worker.silent_seconds = 0.0
        worker.resident_bytes = tick.resident_bytes
        if worker.blocked_at is not None:
            stood = self._loop.time() - worker.blocked_at
            log.info("worker.moves_again", worker=worker.number, stood_seconds=round(stood, 1))
            worker.blocked_at = worker.blocked_by = None
            self._pool.moves_again(worker)
        self._watch_threads(worker, stuck=tick.running > len(worker.in_flight))
        self._watch_memory(worker)

    def blocked(self, worker: Worker, told: Blocked) -> None:
        """A thread of the worker says that its loop does not move, and what keeps it."""
        culprit = worker.in_flight.get(told.ticket)
        self._still(worker, seconds=told.seconds, culprit=culprit, place=told.place)

    # inside -----------------------------------------------------------------------------------

    def _look(self) -> None:
        """Count the silence of each. What this process itself missed, stopped or starved, counts no more than twice."""
        now = self._loop.time()
        passed = min(now - self._looked_at, 2 * LOOK_SECONDS)
        self._looked_at = now
        for worker in tuple(self._pool.workers()):
            if worker.hello is None:
                continue
            worker.silent_seconds += passed
            limit = self._limits.hang_seconds
            if limit is not None and worker.silent_seconds > limit:
                self._hung(worker)
            elif worker.silent_seconds > SILENT_SECONDS and worker.blocked_at is None:
                self._still(worker, seconds=worker.silent_seconds, culprit=None, place="")
        self._handle = self._loop.call_later(LOOK_SECONDS, self._look)

    def _still(
        self, worker: Worker, *, seconds: float, culprit: Attempt[Any] | None, place: str
    ) -> None:
        if worker.blocked_at is None:
            worker.blocked_at = self._loop.time() - seconds
            worker.told_seconds = 0.0
        worker.blocked_by = culprit or worker.blocked_by
        if seconds >= TELL_FACTOR * worker.told_seconds:
            worker.told_seconds = seconds
            self._tell(worker, seconds, place)
        self._pool.stands_still(worker)

    def _tell(self, worker: Worker, seconds: float, place: str) -> None:
        """By name, if anybody knows it; otherwise everything that runs there."""
        told = {"worker": worker.number, "seconds": round(seconds, 1)}
        advice = "an async action must not compute or wait without await: make it a plain def, which gets a thread"
        culprit = worker.blocked_by
        if culprit is not None:
            name = {"action": culprit.action, "instance": str(UUID(bytes=culprit.instance))}
            log.warning("worker.blocked", **told, **name, at=place, advice=advice)
            return
        running = sorted({attempt.action for attempt in worker.in_flight.values()})
        log.warning("worker.blocked", **told, running=", ".join(running), at=place, advice=advice)

    def _hung(self, worker: Worker) -> None:
        culprit = worker.blocked_by
        name = culprit.action if culprit is not None else ""
        seconds = round(worker.silent_seconds)
        log.error("worker.hung", worker=worker.number, seconds=seconds, action=name)
        worker.why = f"its event loop had not moved for {seconds} s (WAYMARK_WORKER_HANG_MS)"
        worker.kill()

    def _watch_threads(self, worker: Worker, *, stuck: bool) -> None:
        """Replace a worker in which a thread still runs that nobody waits for: it keeps a slot."""
        if not stuck:
            worker.stuck_since = None
        elif worker.stuck_since is None:
            worker.stuck_since = self._loop.time()
        elif (
            self._loop.time() - worker.stuck_since >= self._limits.cancel_grace
            and not worker.replaced
        ):
            log.warning("worker.stuck_thread", worker=worker.number)
            self._pool.replace(worker)

    def _watch_memory(self, worker: Worker) -> None:
        """Replace a worker that holds too much; with a growing pause if those that follow do so at once."""
        limit = self._limits.memory_bytes
        if limit is None or worker.resident_bytes <= limit or worker.replaced:
            return
        lived = self._loop.time() - worker.ready_at
        self._bloated = self._bloated + 1 if lived < SHORT_LIFE_SECONDS else 0
        log.warning(
            "worker.bloated",
            worker=worker.number,
            resident_bytes=worker.resident_bytes,
            limit=limit,
            lived_seconds=round(lived),
        )
        wait = BLOAT_PAUSE_SECONDS * 2 ** min(self._bloated - 1, 10) if self._bloated else 0.0
        self._pool.replace(worker, after=min(MOST_BLOAT_PAUSE_SECONDS, wait))
