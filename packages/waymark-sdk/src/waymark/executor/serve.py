"""Frames of one pool in, frames of ends and ticks out, until the pool says drain or goes away."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

from waymark.attempts import ActionAttempt
from waymark.executor.memory import resident_bytes
from waymark.executor.watchdog import Admission, Watchdog
from waymark_schema.wire.frames import (
    CallEnd,
    Calls,
    CallStart,
    CancelCalls,
    Drain,
    Ends,
    Hello,
    KnownTypes,
    Tick,
)
from waymark_schema.wire.framing import FrameError, FrameReader, decode_to_worker, encode_frame

if TYPE_CHECKING:
    import socket

    from waymark.executor.invoke import Invoker
    from waymark_schema.wire.frames import ToPool

TICK_SECONDS = 1.0
BATCH_BYTES = 4 * 1024 * 1024
"""Ends of one loop turn share a frame up to this size; a larger one gets its own."""


class PoolConnection(asyncio.Protocol):
    """The worker's end of its connection; every method runs on the loop's thread."""

    def __init__(
        self, invoker: Invoker, hello: Hello, *, watch: socket.socket | None = None
    ) -> None:
        """``watch``: where to tell the pool that the loop stands still."""
        self._invoker = invoker
        self._hello = hello
        self._watch = watch
        self._admission = Admission()
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._running: dict[int, tuple[asyncio.Task[None] | None, ActionAttempt]] = {}
        self._ends: list[CallEnd] = []
        self._flush_due = False
        self._draining = False
        self._tick: asyncio.TimerHandle | None = None
        self.finished: asyncio.Future[int] = self._loop.create_future()
        """Resolves to the exit code."""
        self._lost: asyncio.Future[None] = self._loop.create_future()

    # asyncio.Protocol -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello, then tick."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=64 * BATCH_BYTES)
        self._send(self._hello)
        self._beat()
        if self._watch is not None:
            Watchdog(self._watch, self._loop, self._admission, ticket_of=self._ticket_of).start()

    def data_received(self, data: bytes) -> None:
        """Take frames; a stream that cannot be read ends the worker."""
        try:
            for body in self._reader.feed(data):
                self._take(decode_to_worker(body))
        except FrameError as error:
            print(f"waymark worker: {error}", file=sys.stderr)  # noqa: T201 - the pool shows it
            self._finish(1)

    def connection_lost(self, exc: Exception | None) -> None:
        """Without its pool a worker has nothing to do: nobody can commit what it finishes."""
        self._finish(1)
        if not self._lost.done():
            self._lost.set_result(None)

    # frames ---------------------------------------------------------------------------------

    def _take(self, frame: Calls | KnownTypes | CancelCalls | Drain) -> None:
        if type(frame) is Calls:
            for start in frame.starts:
                if self._admission.begin(start.ticket):
                    self._begin(start)
        elif type(frame) is KnownTypes:
            self._invoker.know(frame)
        elif type(frame) is CancelCalls:
            for ticket in frame.tickets:
                self._cancel(ticket)
        elif type(frame) is Drain:
            self.drain()

    def drain(self) -> None:
        """Finish what runs, then exit 0."""
        self._draining = True
        self._finish_if_drained()

    def _begin(self, start: CallStart) -> None:
        deadline_at = time.time() + start.timeout if start.timeout else None  # noqa: TID251 - told to the action
        attempt = ActionAttempt(start.instance, start.call, start.attempt, deadline_at=deadline_at)
        self._running[start.ticket] = (None, attempt)
        task = _eager(self._attempt(start, attempt), self._loop)
        if start.ticket in self._running:
            self._running[start.ticket] = (task, attempt)

    async def _attempt(self, start: CallStart, attempt: ActionAttempt) -> None:
        end = await self._invoker.invoke(start, attempt)
        del self._running[start.ticket]
        self._ends.append(end)
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _ticket_of(self, attempt: ActionAttempt | None, task: asyncio.Task[Any] | None) -> int:
        """For the watchdog's thread: the list is made in one step."""
        for ticket, (own_task, own_attempt) in list(self._running.items()):
            if own_attempt is attempt or (task is not None and own_task is task):
                return ticket
        return -1

    def _cancel(self, ticket: int) -> None:
        task, attempt = self._running.get(ticket, (None, None))
        if task is None or attempt is None or attempt.cancelled:
            return  # it has ended: its outcome is on the way
        attempt.cancelled = True
        # Not at once: a task that is cancelled before its first step would end without a word.
        self._loop.call_soon(task.cancel)

    # outgoing -------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._flush_due = False
        ends, self._ends = self._ends, []
        batch: list[CallEnd] = []
        size = 0
        for end in ends:
            weight = len(end.payload) + len(end.log)
            if batch and size + weight > BATCH_BYTES:
                self._send(Ends(batch))
                batch, size = [], 0
            batch.append(end)
            size += weight
        if batch:
            self._send(Ends(batch))
        self._finish_if_drained()

    def _send(self, frame: ToPool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(frame))

    def _beat(self) -> None:
        self._send(Tick(len(self._running) + self._invoker.abandoned, resident_bytes()))
        self._tick = self._loop.call_later(TICK_SECONDS, self._beat)

    # the end --------------------------------------------------------------------------------

    def _finish_if_drained(self) -> None:
        if self._draining and not self._running and not self._ends:
            self._finish(0)

    def _finish(self, code: int) -> None:
        if self._tick is not None:
            self._tick.cancel()
        if not self.finished.done():
            self.finished.set_result(code)

    async def close(self) -> None:
        """Let what was sent leave, then close."""
        if self._transport is not None:
            self._transport.close()
            await self._lost


if sys.version_info >= (3, 12):

    def _eager(coroutine: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Start at once: an action that never waits is over when this returns."""
        return asyncio.Task(coroutine, loop=loop, eager_start=True)

else:

    def _eager(coroutine: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        return loop.create_task(coroutine)
