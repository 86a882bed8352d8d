"""The processes of a pool's workers: a command and a number of them in; each watched, and replaced when it ends."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from waymark_worker.pool.channel import Channel, ChannelListener
from waymark_worker.pool.process import Spawned, WorkerCommand, exit_text
from waymark_worker.pool.watching import WatchChannel, WatchListener
from waymark_worker.pool.worker import Worker
from waymark_worker.telemetry import log

MAX_BACKOFF_SECONDS = 10.0
STABLE_SECONDS = 10.0
HELLO_SECONDS = 60.0
LAST_WORDS_SECONDS = 1.0
DEATHS_BEFORE_HELLO = 3
"""Per worker, before the pool was ever ready: then starting another cannot help."""


class CrewListener(ChannelListener, WatchListener[Worker], Protocol):
    """The pool, as its crew and what its workers say see it."""

    def worker_ended(self, worker: Worker, code: int) -> None: ...
    def worker_refused(self, reason: str) -> None: ...


class Crew:
    """Every worker process of one pool, from its start to its end. All on the loop's thread."""

    def __init__(
        self,
        command: WorkerCommand,
        listener: CrewListener,
        *,
        size: int,
        start_worker: Callable[[WorkerCommand], Awaitable[Spawned]],
    ) -> None:
        self._command = command
        self._listener = listener
        self._size = size
        self._start_worker = start_worker
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._failures = 0
        """Workers in a row that ended soon and had done nothing."""
        self._failed_at = 0.0
        """Loop time of the last of them."""
        self._watchers: set[asyncio.Task[None]] = set()
        self.workers: dict[Channel, Worker] = {}
        self.by_number: dict[int, Worker] = {}
        self._stopped = asyncio.Event()
        self.proven = False
        """One worker has been ready: what stops a later one from starting may pass, so it is tried again."""

    @property
    def stopping(self) -> bool:
        """Whether no worker is started any more."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Start no worker any more."""
        self._stopped.set()

    async def start(self) -> None:
        """Start all workers."""
        for _ in range(self._size):
            await self._spawn()

    def replace(self, worker: Worker, *, after: float = 0.0) -> None:
        """Start the one that will take its place; it works on until that one is ready."""
        if worker.replaced or self.stopping:
            return
        worker.replaced = True
        self._watch(self._spawn_after(after))

    def refuse(self, worker: Worker, reason: str) -> None:
        """Before any was ready this ends the pool, so no other is started; later another one is tried."""
        worker.replaced = not self.proven
        worker.kill()
        self._listener.worker_refused(reason)

    def worked(self, worker: Worker) -> None:
        """A worker has ended its first call: if it began after the last failure, that was the last in a row."""
        if worker.ready_at >= self._failed_at:
            self._failures = 0

    async def ended(self) -> None:
        """Wait until no worker is left."""
        while self._watchers:
            await asyncio.wait(self._watchers)

    # inside -----------------------------------------------------------------------------------

    async def _spawn_after(self, seconds: float) -> None:
        await self._pause(seconds)
        if not self.stopping:
            await self._spawn()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    async def _spawn(self) -> None:
        """Start one worker. Once one was ready, one that cannot be started now is tried until it can."""
        while True:
            try:
                await self._spawn_once()
            except OSError as error:
                if not self.proven:
                    self._listener.worker_refused(f"a worker could not be started: {error}")
                    return
                self._failures += 1
                log.error("worker.not_started", error=str(error))
                await self._backoff()
                if not self.stopping:
                    continue
            return

    async def _backoff(self) -> None:
        await self._pause(min(MAX_BACKOFF_SECONDS, 0.05 * 2 ** min(self._failures, 10)))

    async def _spawn_once(self) -> None:
        spawned = await self._start_worker(self._command)
        channel = Channel(self._listener, self._loop)
        worker = Worker(next(self._numbers), spawned.process, spawned.token, channel)
        self.workers[channel] = self.by_number[worker.number] = worker
        await self._loop.create_unix_connection(lambda: channel, sock=spawned.connection)
        worker.watch = WatchChannel(worker, self._listener)
        await self._loop.create_unix_connection(lambda: worker.watch, sock=spawned.watch)
        if self.stopping:
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
        self.workers.pop(worker.channel, None)
        self.by_number.pop(worker.number, None)
        worker.channel.close(f"the worker ended with {code}")
        worker.watch.close()
        self._listener.worker_ended(worker, code)
        if self.stopping or worker.replaced or not self._may_go_on(worker, code):
            return
        await self._backoff()
        if not self.stopping:
            await self._spawn()

    def _may_go_on(self, worker: Worker, code: int) -> bool:
        """Count a short life; False before the pool was ever ready, when no worker gets as far as its hello."""
        lived = self._loop.time() - worker.ready_at if worker.ready_at else 0.0
        if lived < STABLE_SECONDS and not worker.worked:
            self._failures += 1
            self._failed_at = self._loop.time()
        if self.proven or worker.hello is not None:
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
