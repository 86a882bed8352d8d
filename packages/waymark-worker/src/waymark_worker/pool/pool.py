"""Chooses a worker for each attempt, bounds concurrency, replaces workers: attempts in, ended attempts out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from waymark_schema.wire.frames import PROTOCOL, CallEnd, Ends, Hello, Tick
from waymark_worker.clock import pause
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.cell import Cell
from waymark_worker.pool.channel import Channel
from waymark_worker.pool.process import Spawned, WorkerCommand, exit_text, spawn
from waymark_worker.pool.waiting import Waiting
from waymark_worker.pool.worker import Worker
from waymark_worker.telemetry import log

MAX_BACKOFF_SECONDS = 10.0
STABLE_SECONDS = 10.0
HELLO_SECONDS = 60.0
CANCEL_GRACE_SECONDS = 10.0
LAST_WORDS_SECONDS = 1.0
DEATHS_BEFORE_HELLO = 3
"""Per worker, before the pool was ever ready: then starting another cannot help."""


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
        cancel_grace: float = CANCEL_GRACE_SECONDS,
        start_worker: Callable[[WorkerCommand], Awaitable[Spawned]] = spawn,
    ) -> None:
        """``lifecycle``: attempts after which a worker is replaced; ``types_of``: digest → known types.

        ``cancel_grace``: seconds that an attempt may ignore its cancellation before its worker is replaced.
        """
        self._command = command
        self._listener = listener
        self._size = size
        self._lifecycle = lifecycle
        self._types_of = types_of
        self._cancel_grace = cancel_grace
        self._start_worker = start_worker
        self._loop = asyncio.get_running_loop()
        self._workers: dict[Channel, Worker] = {}
        self._by_number: dict[int, Worker] = {}
        self._ready: list[Worker] = []
        self.waiting = Waiting()
        self._cell = Cell()
        self._tickets = itertools.count(1)
        self._numbers = itertools.count(1)
        self._window = command.concurrency
        self._holding = False
        """What is queued stays queued: the pool drains."""
        self._stopping = False
        self._proven = False
        """One worker has been ready: what stops a later one from starting may pass, so it is tried again."""
        self._failures = 0
        self._watchers: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()

    # what others ask ------------------------------------------------------------------------

    @property
    def slots(self) -> int:
        """Attempts that can run at once."""
        return self._size * self._window

    @property
    def free_slots(self) -> int:
        """Attempts that could start now, less those that wait already (never below zero)."""
        taken = sum(len(worker.in_flight) for worker in self._ready)
        return max(0, len(self._ready) * self._window - taken - self.queued)

    @property
    def queued(self) -> int:
        """Attempts that wait for a slot."""
        return len(self.waiting) + len(self._cell.suspects)

    def workers(self) -> Iterable[Worker]:
        """Every live worker, those that are starting or draining too."""
        return tuple(self._workers.values())

    async def start(self) -> None:
        """Start all workers; their hellos arrive at the listener."""
        for _ in range(self._size):
            await self._spawn()

    def submit(self, attempt: Attempt[Any]) -> None:
        """Start the attempt on the least busy worker, or queue it."""
        if attempt.alone:
            self._cell.suspects.append(attempt)
            self._fill()
            return
        worker = None if self._holding else self._choose()
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
            try:
                (self._cell.suspects if attempt.alone else self.waiting).remove(attempt)
            except ValueError:
                return False
            return True
        worker = self._by_number.get(attempt.worker_number)
        if worker is not None and attempt.runs:
            worker.channel.cancel(attempt.ticket)
            attempt.grace_handle = self._loop.call_later(
                self._cancel_grace, self._grace_over, worker, attempt
            )
        return False

    def hold(self) -> None:
        """Start nothing of what is queued any more; what runs goes on."""
        self._holding = True

    async def settled(self, timeout: float) -> None:  # noqa: ASYNC109 - what is left of a grace period
        """Return when the next attempt has ended, or after ``timeout`` seconds."""
        self._settled.clear()
        try:
            async with asyncio.timeout(max(0.0, timeout)):
                await self._settled.wait()
        except TimeoutError:
            return

    async def stop(self, *, grace: float) -> None:
        """Drain every worker, kill those that are not done after ``grace`` seconds; idempotent."""
        self._stopping = True
        for attempt in (*self.waiting, *self._cell.suspects):
            attempt.release_handles()
        self.waiting.clear()
        self._cell.suspects.clear()
        for worker in tuple(self._workers.values()):
            self._drain(worker)
        try:
            async with asyncio.timeout(grace):
                while self._watchers:
                    await asyncio.wait(self._watchers)
        except TimeoutError:
            for worker in tuple(self._workers.values()):
                worker.kill()
            while self._watchers:
                await asyncio.wait(self._watchers)

    # channel listener -----------------------------------------------------------------------

    def said_hello(self, channel: Channel, hello: Hello) -> None:
        """Compare protocol and secret, then let the worker take calls."""
        worker = self._workers.get(channel)
        if worker is None or worker.hello is not None:
            channel.close("an unexpected hello")
            return
        if hello.protocol != PROTOCOL:
            older = "waymark-sdk" if hello.protocol < PROTOCOL else "waymark-worker"
            self._refuse(
                worker,
                f"the worker speaks protocol {hello.protocol}, this pool {PROTOCOL}: {older} is older; "
                "install the same version of both, then start the pool again",
            )
            return
        if hello.token != worker.token:
            self._refuse(
                worker, "the process on the worker's socket is not the one that was started"
            )
            return
        worker.hello = hello
        if hello.failures:
            self._refuse(worker, "\n\n".join(failure.message for failure in hello.failures))
            return
        worker.ready_at = self._loop.time()
        worker.ready = True
        self._proven = True
        self._ready.append(worker)
        self._retire_replaced()
        self._listener.worker_ready(hello)
        self._fill()

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
            else:
                listener.attempt_ended(attempt, end)
        self._failures = 0
        self._settled.set()
        if self._lifecycle is not None and worker.started_count >= self._lifecycle:
            self._replace(worker)
        if worker.draining:
            self._drained(worker)
        self._fill()

    def ticked(self, channel: Channel, tick: Tick) -> None:
        """Note that the worker's loop lives."""
        worker = self._workers.get(channel)
        if worker is not None:
            worker.last_tick_at = self._loop.time()
            worker.resident_bytes = tick.resident_bytes
            self._watch_threads(worker, stuck=tick.running > len(worker.in_flight))

    def closed(self, channel: Channel, reason: str) -> None:
        """The socket is gone, so the process must go too."""
        worker = self._workers.get(channel)
        if worker is not None:
            self._unready(worker)
            if not worker.draining:
                log.debug("worker.closed", worker=worker.number, reason=reason)
            worker.kill()

    # inside ---------------------------------------------------------------------------------

    def _watch_threads(self, worker: Worker, *, stuck: bool) -> None:
        """Replace a worker in which a thread still runs that nobody waits for: it keeps a slot."""
        if not stuck:
            worker.stuck_since = None
        elif worker.stuck_since is None:
            worker.stuck_since = self._loop.time()
        elif self._loop.time() - worker.stuck_since >= self._cancel_grace and not worker.replaced:
            log.warning("worker.stuck_thread", worker=worker.number)
            self._replace(worker)

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

    def _fill(self) -> None:
        if self._cell.suspects and not self._holding:
            chosen = self._cell.next(self._ready)
            if chosen is not None:
                self._start(*chosen)
        queue = self.waiting
        while queue and not self._holding:
            worker = self._choose()
            if worker is None:
                return
            self._start(worker, queue.popleft())
        if not self._stopping:
            self._listener.slots_freed()

    async def _spawn(self) -> None:
        """Start one worker. Once one was ready, one that cannot be started now is tried until it can."""
        while True:
            try:
                await self._spawn_once()
            except OSError as error:
                if not self._proven:
                    self._listener.worker_refused(f"a worker could not be started: {error}")
                    return
                self._failures += 1
                log.error("worker.not_started", error=str(error))
                await self._backoff()
                if not self._stopping:
                    continue
            return

    async def _backoff(self) -> None:
        await pause(min(MAX_BACKOFF_SECONDS, 0.05 * 2 ** min(self._failures, 10)))

    async def _spawn_once(self) -> None:
        spawned = await self._start_worker(self._command)
        channel = Channel(self, self._loop)
        worker = Worker(next(self._numbers), spawned.process, spawned.token, channel)
        self._workers[channel] = self._by_number[worker.number] = worker
        await self._loop.create_unix_connection(lambda: channel, sock=spawned.connection)
        if self._stopping:
            worker.kill()
        self._watch(self._watched(worker))

    def _watch(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._watchers.add(task)
        task.add_done_callback(self._unwatch)

    def _unwatch(self, task: asyncio.Task[None]) -> None:
        self._watchers.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._listener.worker_refused(f"a worker is no longer watched: {error!r}")

    async def _watched(self, worker: Worker) -> None:
        """Wait for the end of one worker, report what it took along, start the next one."""
        hello_due = self._loop.call_later(HELLO_SECONDS, self._hello_missing, worker)
        code = await worker.process.wait()
        hello_due.cancel()
        # What it said last may still lie in the socket; whoever inherited that from it must not hold us up.
        await asyncio.wait([worker.channel.ended], timeout=LAST_WORDS_SECONDS)
        self._unready(worker)
        self._workers.pop(worker.channel, None)
        self._by_number.pop(worker.number, None)
        worker.channel.close(f"the worker ended with {code}")
        self._collect(worker, code)
        if self._stopping or worker.replaced or not self._may_go_on(worker, code):
            return
        await self._backoff()
        if not self._stopping:
            await self._spawn()

    def _collect(self, worker: Worker, code: int) -> None:
        """Hand back what ran in a worker that ended."""
        ended = [attempt for ticket in tuple(worker.in_flight) if (attempt := worker.end(ticket))]
        lost = [attempt for attempt in ended if not attempt.abandoned]
        for attempt in ended:
            attempt.release_handles()
            if attempt.abandoned:
                self._listener.attempt_gone(attempt)
        known = self._proven or worker.hello is not None
        if known and not worker.draining and not self._stopping:
            log.warning("worker.died", worker=worker.number, exit=exit_text(code), lost=len(lost))
        if lost:
            self._listener.attempts_lost(
                lost, f"worker {worker.number} ended with {exit_text(code)}"
            )
        self._settled.set()

    def _may_go_on(self, worker: Worker, code: int) -> bool:
        """Count a short life; False before the pool was ever ready, when no worker gets as far as its hello."""
        lived = self._loop.time() - worker.ready_at if worker.ready_at else 0.0
        if lived < STABLE_SECONDS:
            self._failures += 1
        if self._proven or worker.hello is not None:
            return True
        if self._failures < self._size * DEATHS_BEFORE_HELLO:
            return True
        self._listener.worker_refused(
            f"workers end before they are ready ({exit_text(code)}); see what they printed above"
        )
        return False

    def _hello_missing(self, worker: Worker) -> None:
        if worker.hello is None:
            log.warning("worker.silent", worker=worker.number, seconds=HELLO_SECONDS)
            worker.kill()

    def _refuse(self, worker: Worker, reason: str) -> None:
        """Before any was ready this ends the pool, so no other is started; later another one is tried."""
        worker.replaced = not self._proven
        worker.kill()
        self._listener.worker_refused(reason)

    def _unready(self, worker: Worker) -> None:
        worker.ready = False
        if worker in self._ready:
            self._ready.remove(worker)
        self._cell.forget(worker)

    def _replace(self, worker: Worker) -> None:
        if worker.replaced or self._stopping:
            return
        worker.replaced = True
        self._watch(self._spawn())

    def _retire_replaced(self) -> None:
        surplus = len(self._ready) - self._size
        for worker in tuple(self._ready):
            if surplus <= 0:
                return
            if worker.replaced:
                self._drain(worker)
                surplus -= 1

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
        self._replace(worker)
        worker.draining = True
        self._unready(worker)
        self._drained(worker)
