"""Chooses a worker for each attempt, bounds concurrency, replaces workers: attempts in, ended attempts out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from waymark_schema.wire.frames import PROTOCOL, Blocked, CallEnd, Ends, Hello, Tick
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.cell import Cell
from waymark_worker.pool.channel import Channel
from waymark_worker.pool.crew import Crew
from waymark_worker.pool.process import Spawned, WorkerCommand, exit_text, spawn
from waymark_worker.pool.vigil import Limits, Vigil
from waymark_worker.pool.waiting import Waiting
from waymark_worker.pool.worker import Worker
from waymark_worker.telemetry import log


class PoolListener(Protocol):
    """The runloop, as the pool sees it."""

    def attempt_ended(self, attempt: Attempt[Any], end: CallEnd) -> None: ...
    def attempt_timed_out(self, attempt: Attempt[Any]) -> None: ...
    def attempts_lost(self, attempts: list[Attempt[Any]], reason: str) -> None: ...
    def attempt_gone(self, attempt: Attempt[Any]) -> None: ...
    def slots_freed(self) -> None: ...
    def worker_ready(self, hello: Hello) -> None: ...
    def worker_refused(self, reason: str) -> None: ...


class WorkerPool:
    """The workers of one runloop. Every method runs on the loop's thread."""

    def __init__(
        self,
        command: WorkerCommand,
        listener: PoolListener,
        *,
        size: int,
        lifecycle: int | None = None,
        types_of: Callable[[bytes], tuple[bytes, ...]],
        may_start: Callable[[], bool] = lambda: True,
        limits: Limits | None = None,
        start_worker: Callable[[WorkerCommand], Awaitable[Spawned]] = spawn,
    ) -> None:
        """``lifecycle``: attempts after which a worker is replaced; ``types_of``: digest → known types.

        ``limits``: what a worker may do before another takes its place. ``may_start`` is asked before
        every start; who makes it true again calls ``fill``.
        """
        self._listener = listener
        self._size = size
        self._lifecycle = lifecycle
        self._types_of = types_of
        self._may_start = may_start
        self._limits = limits or Limits()
        self._loop = asyncio.get_running_loop()
        self._crew = Crew(command, self, size=size, start_worker=start_worker)
        self._workers = self._crew.workers
        self._vigil = Vigil(self, self._limits)
        self._ready: list[Worker] = []
        self.waiting = Waiting()
        self._cell = Cell()
        self._tickets = itertools.count(1)
        self._window = command.concurrency
        self._draining = False
        self._reasons: set[str] = set()
        """Why what is queued stays queued, though the pool does not drain."""
        self._settled = asyncio.Event()

    # what others ask ------------------------------------------------------------------------

    @property
    def slots(self) -> int:
        """Attempts that can run at once."""
        return self._size * self._window

    @property
    def free_slots(self) -> int:
        """Attempts that could start now, less those that wait already (never below zero)."""
        if self.held:
            return 0
        taken = sum(len(worker.in_flight) for worker in self._ready)
        return max(0, len(self._ready) * self._window - taken - self.queued)

    @property
    def held(self) -> bool:
        """Whether nothing of what is queued is started."""
        return self._draining or bool(self._reasons) or not self._may_start()

    @property
    def busy(self) -> bool:
        """Whether anything runs in any worker."""
        return any(worker.in_flight for worker in self._workers.values())

    @property
    def queued(self) -> int:
        """Attempts that wait for a slot."""
        return len(self.waiting) + len(self._cell.suspects)

    def workers(self) -> Iterable[Worker]:
        """Every live worker, those that are starting or draining too."""
        return tuple(self._workers.values())

    def running(self) -> Iterable[Attempt[Any]]:
        """Every attempt that a worker holds, given up ones too."""
        return [
            attempt for worker in self._workers.values() for attempt in worker.in_flight.values()
        ]

    async def start(self) -> None:
        """Start all workers; their hellos arrive at the listener."""
        await self._crew.start()

    def submit(self, attempt: Attempt[Any]) -> None:
        """Start the attempt on the least busy worker, or queue it."""
        if attempt.alone:
            self._cell.suspects.append(attempt)
            self.fill()
            return
        worker = None if self.held else self._choose()
        if worker is None:
            self.waiting.append(attempt)
        else:
            self._start(worker, attempt)

    def withdraw(self, attempt: Attempt[Any]) -> bool:
        """Forget an attempt that may not have started; True if it had not.

        One that runs is cancelled: its end is reported to nobody, and a worker that ignores the
        cancellation is replaced once its neighbours are done.
        """
        attempt.release_handles()
        attempt.abandoned = True
        if attempt.worker_number is None:
            return (self._cell if attempt.alone else self.waiting).remove(attempt)
        worker = self._crew.by_number.get(attempt.worker_number)
        if worker is not None and attempt.runs:
            worker.channel.cancel(attempt.ticket)
            attempt.grace_handle = self._loop.call_later(
                self._limits.cancel_grace, self._grace_over, worker, attempt
            )
        return False

    def hold(self) -> None:
        """Start nothing of what is queued any more; what runs goes on."""
        self._draining = True

    def keep_from_starting(self, reason: str) -> None:
        """The same until ``let_start`` is called with the same reason."""
        self._reasons.add(reason)

    def let_start(self, reason: str) -> None:
        """Start what waits, if there is no other reason to hold it."""
        if reason in self._reasons:
            self._reasons.remove(reason)
            self.fill()

    def has_room(self, attempt: Attempt[Any]) -> bool:
        """Whether a worker could take it beside others, or without if it must have none, were others not held."""
        chosen = self._choose()
        return chosen is not None and not (attempt.alone and chosen.in_flight)

    def recall(self, attempt: Attempt[Any]) -> bool:
        """Take out what waits, to begin it later; False if it does not wait here."""
        return (self._cell if attempt.alone else self.waiting).remove(attempt)

    def begin(self, attempt: Attempt[Any], *, beside: bool = False) -> bool:
        """Start an attempt though others are held; False while no worker is free of others, or ``beside`` them has room."""
        empty = next((worker for worker in self._ready if not worker.in_flight), None)
        worker = empty or (self._choose() if beside and not attempt.alone else None)
        if self._draining or worker is None:
            return False
        if attempt.alone:
            self._cell.confine(worker)
        self._start(worker, attempt)
        return True

    async def settled(self, timeout: float) -> None:  # noqa: ASYNC109 - what is left of a grace period
        """Return when the next attempt has ended, or after ``timeout`` seconds."""
        self._settled.clear()
        try:
            async with asyncio.timeout(max(0.0, timeout)):
                await self._settled.wait()
        except TimeoutError:
            return

    async def stop(self, *, grace: float) -> None:
        """Cancel what runs, drain every worker, kill those that are not done after ``grace`` seconds; idempotent.

        What is cut off has ended when this returns. It is reported to nobody: neither its end nor its loss counts.
        """
        self._crew.stop()
        self._vigil.stop()
        for attempt in (*self.waiting, *self._cell.suspects):
            attempt.release_handles()
        self.waiting.clear()
        self._cell.suspects.clear()
        for worker in tuple(self._workers.values()):
            self._cut_off(worker)
            self._drain(worker)
        try:
            async with asyncio.timeout(grace):
                await self._crew.ended()
        except TimeoutError:
            for worker in tuple(self._workers.values()):
                worker.kill()
            await self._crew.ended()

    # channel listener -----------------------------------------------------------------------

    def said_hello(self, channel: Channel, hello: Hello) -> None:
        """Compare protocol and secret, then let the worker take calls."""
        worker = self._workers.get(channel)
        if worker is None or worker.hello is not None:
            channel.close("an unexpected hello")
            return
        if hello.protocol != PROTOCOL:
            older = "waymark-sdk" if hello.protocol < PROTOCOL else "waymark-worker"
            self._crew.refuse(
                worker,
                f"the worker speaks protocol {hello.protocol}, this pool {PROTOCOL}: {older} is older; "
                "install the same version of both, then start the pool again",
            )
            return
        if hello.token != worker.token:
            self._crew.refuse(
                worker, "the process on the worker's socket is not the one that was started"
            )
            return
        worker.hello = hello
        if hello.failures:
            self._crew.refuse(worker, "\n\n".join(failure.message for failure in hello.failures))
            return
        worker.ready_at = self._loop.time()
        worker.ready = True
        self._crew.proven = True
        self._ready.append(worker)
        self._retire_replaced()
        self._listener.worker_ready(hello)
        self.fill()

    def calls_ended(self, channel: Channel, ends: Ends) -> None:
        """Hand every end to the listener, then use the slots that came free."""
        worker = self._workers.get(channel)
        if worker is None:
            return
        listener = self._listener
        for end in ends.ends:
            attempt = worker.end(end.ticket)
            if attempt is None:
                continue
            if attempt.timeout_handle is not None or attempt.grace_handle is not None:
                attempt.release_handles()
            if attempt.abandoned:
                listener.attempt_gone(attempt)
            elif not self._crew.stopping:
                listener.attempt_ended(attempt, end)
        if not worker.worked:
            worker.worked = True
            self._crew.worked(worker)
        self._settled.set()
        if self._lifecycle is not None and worker.started_count >= self._lifecycle:
            self.replace(worker)
        if worker.draining:
            self._drained(worker)
        self.fill()

    def ticked(self, channel: Channel, tick: Tick) -> None:
        """Note that the worker's loop lives."""
        worker = self._workers.get(channel)
        if worker is not None:
            self._vigil.ticked(worker, tick)

    def closed(self, channel: Channel, reason: str) -> None:
        """The socket is gone, so the process must go too."""
        worker = self._workers.get(channel)
        if worker is not None:
            self._unready(worker)
            if not worker.draining:
                log.debug("worker.closed", worker=worker.number, reason=reason)
            worker.kill()

    def blocked(self, worker: Worker, blocked: Blocked) -> None:
        """A thread of the worker says that its loop stands still; what has not begun there is taken back."""
        if worker.channel in self._workers:
            self._vigil.blocked(worker, blocked)
            worker.watch.take_back(worker.in_flight)

    def taken_back(self, worker: Worker, tickets: Iterable[int]) -> None:
        """These have not begun and never will there: they wait again, in front of all others."""
        back = [attempt for ticket in tickets if (attempt := worker.end(ticket)) is not None]
        for attempt in back:
            attempt.release_handles()
            if attempt.abandoned:
                self._listener.attempt_gone(attempt)
        again = [attempt for attempt in back if not attempt.abandoned]
        for attempt in again:
            attempt.worker_number = None
        if again:
            log.info("worker.relieved", worker=worker.number, calls=len(again))
        self._cell.suspects.extendleft(attempt for attempt in reversed(again) if attempt.alone)
        self.waiting.put_back([attempt for attempt in again if not attempt.alone])
        self._settled.set()
        self.fill()

    # what becomes of a worker ---------------------------------------------------------------

    def replace(self, worker: Worker, *, after: float = 0.0) -> None:
        """Start the worker that will take its place; it works on until that one is ready."""
        self._crew.replace(worker, after=after)

    def stands_still(self, worker: Worker) -> None:
        """Send nothing more to a worker whose loop does not move."""
        if worker in self._ready:
            self._ready.remove(worker)

    def moves_again(self, worker: Worker) -> None:
        """It takes calls again."""
        if worker.takes_calls and worker not in self._ready:
            self._ready.append(worker)
            self._retire_replaced()
            self.fill()

    def worker_refused(self, reason: str) -> None:
        """Pass on."""
        self._listener.worker_refused(reason)

    def worker_ended(self, worker: Worker, code: int) -> None:
        """Hand back what ran in a worker that ended."""
        self._unready(worker)
        self._collect(worker, code)

    # inside ---------------------------------------------------------------------------------

    def _choose(self) -> Worker | None:
        chosen, least = None, self._window
        cell = self._cell.worker(self._ready)
        for worker in self._ready:
            busy = len(worker.in_flight)
            if busy < least and worker is not cell:
                least = busy
                chosen = worker
        return chosen

    def _start(self, worker: Worker, attempt: Attempt[Any]) -> None:
        worker.start(
            attempt,
            ticket=next(self._tickets),
            types=self._types_of(attempt.program),
            now=self._loop.time(),
        )
        if attempt.timeout:
            attempt.timeout_handle = self._loop.call_later(
                attempt.timeout, self._timed_out, attempt
            )

    def _timed_out(self, attempt: Attempt[Any]) -> None:
        attempt.timeout_handle = None
        if not attempt.abandoned:
            self._listener.attempt_timed_out(attempt)

    def fill(self) -> None:
        """Use every free slot."""
        if self._cell.suspects and not self.held:
            chosen = self._cell.next(self._ready)
            if chosen is not None:
                self._start(*chosen)
        queue = self.waiting
        while queue and not self.held:
            worker = self._choose()
            if worker is None:
                return
            self._start(worker, queue.next())
        if not self._crew.stopping:
            self._listener.slots_freed()

    def _collect(self, worker: Worker, code: int) -> None:
        ended = [attempt for ticket in tuple(worker.in_flight) if (attempt := worker.end(ticket))]
        lost = [attempt for attempt in ended if not attempt.abandoned]
        for attempt in ended:
            attempt.release_handles()
            attempt.alone = len(ended) == 1
            if attempt.abandoned:
                self._listener.attempt_gone(attempt)
        how = f"{exit_text(code)}: {worker.why}" if worker.why else exit_text(code)
        known = self._crew.proven or worker.hello is not None
        if known and not worker.draining and not self._crew.stopping:
            log.warning("worker.died", worker=worker.number, exit=how, lost=len(lost))
        if lost and not self._crew.stopping:
            self._listener.attempts_lost(lost, f"worker {worker.number} ended with {how}")
        self._settled.set()

    def _unready(self, worker: Worker) -> None:
        worker.ready = False
        if worker in self._ready:
            self._ready.remove(worker)
        self._cell.forget(worker)

    def _retire_replaced(self) -> None:
        surplus = len(self._ready) - self._size
        for worker in tuple(self._ready):
            if surplus <= 0:
                return
            if worker.replaced:
                self._drain(worker)
                surplus -= 1

    def _cut_off(self, worker: Worker) -> None:
        for attempt in worker.in_flight.values():
            if not attempt.abandoned:
                attempt.release_handles()
                worker.channel.cancel(attempt.ticket)

    def _drain(self, worker: Worker) -> None:
        if worker.draining:
            return
        worker.draining = True
        self._unready(worker)
        if worker.hello is None:
            worker.kill()
        else:
            worker.channel.drain()

    def _drained(self, worker: Worker) -> None:
        """Kill a draining worker when all that is left in it is abandoned and past its grace."""
        left = worker.in_flight.values()
        if left and all(attempt.abandoned and attempt.grace_handle is None for attempt in left):
            worker.kill()

    def _grace_over(self, worker: Worker, attempt: Attempt[Any]) -> None:
        attempt.grace_handle = None
        if attempt.ticket not in worker.in_flight:
            return
        log.warning(
            "worker.ignored_cancel", worker=worker.number, action=attempt.action, call=attempt.call
        )
        self.replace(worker)
        worker.draining = True
        self._unready(worker)
        self._drained(worker)
        if worker.blocked_by is attempt:
            # Its neighbours stand behind it; nothing of theirs moves before it ends.
            worker.why = f"{attempt.action} ignored its cancellation and kept the event loop"
            worker.kill()
