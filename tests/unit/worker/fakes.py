"""Workers without processes, databases without servers and clocks that are set; for tests of the pool's parts."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from waymark_schema.wire.frames import (
    PROTOCOL,
    RETURNED,
    Blocked,
    CallEnd,
    Calls,
    CallStart,
    CancelCalls,
    Drain,
    Ends,
    Hello,
    KnownTypes,
    ModuleFailure,
    TakeBack,
    TakenBack,
    Tick,
)
from waymark_schema.wire.framing import FrameReader, decode_to_worker, encode_frame
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.pool.process import Spawned, WorkerCommand


class FakeProcess:
    """A process that ends when it is told to."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self.on_end: Callable[[], None] = lambda: None

    def end(self, code: int) -> None:
        if self.returncode is None:
            self.returncode = code
            self._ended.set()
            self.on_end()

    def send(self, number: signal.Signals) -> None:
        self.end(-number)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


class FakeWorker:
    """The far end of a worker's socket, in the test's own loop: it does what the test says."""

    def __init__(self, number: int, token: str) -> None:
        self.number = number
        self.token = token
        self.process = FakeProcess(number)
        self.process.on_end = self._hang_up
        self.ours, self._theirs = socket.socketpair()
        self.watch, self._theirs_watch = socket.socketpair()
        self.watch.setblocking(False)
        self._theirs_watch.setblocking(False)
        self.asked_back: list[int] = []
        self._watch_reader = FrameReader()
        self.starts: list[CallStart] = []
        self.cancelled: list[int] = []
        self.known: list[KnownTypes] = []
        self.frames: list[str] = []
        self.draining = False
        self._reader = FrameReader()
        self._theirs.setblocking(False)
        self.ours.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._theirs, self._take)
        self._loop.add_reader(self._theirs_watch, self._hear)

    @property
    def running(self) -> list[int]:
        return [start.ticket for start in self.starts]

    def hello(self, **changes: Any) -> None:
        says: dict[str, Any] = {
            "protocol": PROTOCOL,
            "token": self.token,
            "pid": self.number,
            "python_minor": 12,
            "actions": ["m:act"],
        }
        self.send(Hello(**{**says, **changes}))

    def fail(self, message: str) -> None:
        self.hello(failures=[ModuleFailure("m", message)])

    def send(self, frame: Any) -> None:
        self._theirs.sendall(encode_frame(frame))

    def end(self, *tickets: int, kind: int = RETURNED, payload: bytes = b"\x01") -> None:
        """End these attempts, or all that run."""
        chosen = tickets or tuple(self.running)
        self.starts = [start for start in self.starts if start.ticket not in chosen]
        self.send(Ends([CallEnd(ticket, kind, payload, 0.0, 0.0) for ticket in chosen]))

    def tick(self, running: int | None = None, *, memory: int = 1_000) -> None:
        self.send(Tick(len(self.starts) if running is None else running, memory))

    def stand_still(self, ticket: int = -1, *, seconds: float = 1.0) -> None:
        """Say, as the thread of a worker does, that the loop does not move."""
        frame = Blocked(ticket, seconds, "count (/app/jobs.py:12)")
        self._theirs_watch.sendall(encode_frame(frame))

    def give_back(self, *tickets: int) -> None:
        """Say that these had not begun."""
        self.starts = [start for start in self.starts if start.ticket not in tickets]
        self._theirs_watch.sendall(encode_frame(TakenBack(list(tickets))))

    def _hear(self) -> None:
        try:
            data = self._theirs_watch.recv(1 << 20)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._theirs_watch)
            return
        for body in self._watch_reader.feed(data):
            self.asked_back = msgspec.msgpack.decode(body, type=TakeBack).tickets

    def _take(self) -> None:
        try:
            data = self._theirs.recv(1 << 20)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._theirs)
            return
        for body in self._reader.feed(data):
            frame = decode_to_worker(body)
            self.frames.append(type(frame).__name__)
            if isinstance(frame, Calls):
                self.starts += frame.starts
            elif isinstance(frame, CancelCalls):
                self.cancelled += frame.tickets
            elif isinstance(frame, KnownTypes):
                self.known.append(frame)
            elif isinstance(frame, Drain):
                self.draining = True

    def _hang_up(self) -> None:
        self._loop.remove_reader(self._theirs)
        self._theirs.close()
        self._loop.remove_reader(self._theirs_watch)
        self._theirs_watch.close()


@dataclass
class Listener:
    """Remembers what the pool says."""

    ended: list[tuple[Attempt[Any], CallEnd]] = field(default_factory=list)
    timed_out: list[Attempt[Any]] = field(default_factory=list)
    lost: list[tuple[list[Attempt[Any]], str]] = field(default_factory=list)
    gone: list[Attempt[Any]] = field(default_factory=list)
    hellos: list[Hello] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    freed: int = 0

    def attempt_ended(self, attempt: Attempt[Any], end: CallEnd) -> None:
        self.ended.append((attempt, end))

    def attempt_timed_out(self, attempt: Attempt[Any]) -> None:
        self.timed_out.append(attempt)

    def attempts_lost(self, attempts: list[Attempt[Any]], reason: str) -> None:
        self.lost.append((attempts, reason))

    def attempt_gone(self, attempt: Attempt[Any]) -> None:
        self.gone.append(attempt)

    def slots_freed(self) -> None:
        self.freed += 1

    def worker_ready(self, hello: Hello) -> None:
        self.hellos.append(hello)

    def worker_refused(self, reason: str) -> None:
        self.refusals.append(reason)


class Stable:
    """A pool of fake workers."""

    def __init__(self, *, size: int = 2, window: int = 2, **options: Any) -> None:
        self.listener = Listener()
        self.workers: list[FakeWorker] = []
        self.broken_starts = 0
        self.pool = WorkerPool(
            WorkerCommand(("m",), window),
            self.listener,
            size=size,
            types_of=lambda digest: (digest,),
            start_worker=self._start,
            **options,
        )

    async def _start(self, command: WorkerCommand) -> Spawned:
        if self.broken_starts:
            self.broken_starts -= 1
            raise OSError("no more processes")
        worker = FakeWorker(len(self.workers) + 1, f"secret {len(self.workers)}")
        self.workers.append(worker)
        return Spawned(worker.process, worker.ours, worker.watch, worker.token)  # type: ignore[arg-type] # a process to the pool

    async def ready(self) -> None:
        """Start all workers and let them say hello."""
        await self.pool.start()
        for worker in self.workers:
            worker.hello()
        await until(lambda: len(self.listener.hellos) == len(self.workers))

    def attempt(self, owner: Any = None, **changes: Any) -> Attempt[Any]:
        given: dict[str, Any] = {
            "instance": bytes(16),
            "program": b"p" * 32,
            "call": 0,
            "number": 1,
            "action": "m:act",
            "arguments": b"\x80",
            "timeout": 0.0,
            "queued_at": 0.0,
        }
        return Attempt(owner, **{**given, **changes})

    def submit(self, count: int = 1, **changes: Any) -> list[Attempt[Any]]:
        attempts = [self.attempt(call, call=call, **changes) for call in range(count)]
        for attempt in attempts:
            self.pool.submit(attempt)
        return attempts

    async def close(self) -> None:
        for worker in self.workers:
            worker.process.end(0)
        await self.pool.stop(grace=1.0)


async def until(true: Callable[[], object], *, turns: int = 400) -> None:
    """Let the loop turn until something is true; sockets of this process need a few turns."""
    for _ in range(turns):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come true")
