"""A worker process of the SDK in; the pool's end of its socket, speaking frames, out."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any, Self

from waymark.coercion import codec
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
    ToPool,
    ToWorker,
)
from waymark_schema.wire.framing import FrameReader, decode_to_pool, encode_frame

INSTANCE = uuid.UUID("0190b7a0-0000-7000-8000-000000000001")
ROOT = Path(__file__).parents[2]


class WorkerUnderTest:
    """Use as ``async with WorkerUnderTest(modules) as worker``; killed at the end if it still lives."""

    def __init__(
        self,
        *modules: str,
        concurrency: int = 4,
        cwd: Path = ROOT,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._modules = modules
        self._concurrency = concurrency
        self._cwd = cwd
        self._environment = environment or {}
        self._tickets = 0
        self.ends: dict[int, CallEnd] = {}
        self.ticks: list[Tick] = []
        self.batches: list[int] = []
        self.hello: Hello | None = None
        self._changed = asyncio.Condition()
        self.closed = False

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "waymark.executor",
            "--socket-fd",
            str(theirs.fileno()),
            "--modules",
            ",".join(self._modules),
            "--concurrency",
            str(self._concurrency),
            pass_fds=(theirs.fileno(),),
            cwd=self._cwd,
            env={**os.environ, "WAYMARK_WORKER_TOKEN": "secret", **self._environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        theirs.close()
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.create_task(self._read())  # noqa: TID251 - ended in __aexit__
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()
        await self._reading
        self._writer.close()

    async def _read(self) -> None:
        reader = FrameReader()
        try:
            while received := await self._reader.read(1 << 16):
                for body in reader.feed(received):
                    await self._take(decode_to_pool(body))
        except ConnectionError:
            pass  # it was killed: the end of the stream, said louder
        async with self._changed:
            self.closed = True
            self._changed.notify_all()

    async def _take(self, frame: ToPool) -> None:
        async with self._changed:
            if isinstance(frame, Ends):
                self.batches.append(len(frame.ends))
                self.ends.update({end.ticket: end for end in frame.ends})
            elif isinstance(frame, Hello):
                self.hello = frame
            else:
                self.ticks.append(frame)
            self._changed.notify_all()

    async def shown(self) -> bytes:
        """End the worker in order; everything that it and its children wrote to standard output."""
        self.drain()
        shown, _ = await self.process.communicate()
        return shown

    async def until(self, condition: Any) -> None:
        """Wait until ``condition()`` holds; fails when the worker goes away first."""
        async with asyncio.timeout(90), self._changed:
            while not condition():
                assert not self.closed, "the worker went away"
                await self._changed.wait()

    async def said_hello(self) -> Hello:
        await self.until(lambda: self.hello is not None)
        assert self.hello is not None
        return self.hello

    def send(self, frame: ToWorker) -> None:
        self._writer.write(encode_frame(frame))

    def send_bytes(self, raw: bytes) -> None:
        self._writer.write(raw)

    def hang_up(self) -> None:
        self._writer.close()

    def start(
        self, *calls: tuple[str, dict[str, Any]], program: int = -1, timeout: float = 0
    ) -> list[int]:
        """Send one batch of calls; return their tickets."""
        starts = []
        for action, arguments in calls:
            self._tickets += 1
            key = action if ":" in action else f"tests.integration.executor.jobs:{action}"
            encoded = codec().encode(arguments)
            number = self._tickets
            starts.append(
                CallStart(number, key, encoded, INSTANCE.bytes, number, 2, timeout, program)
            )
        self.send(Calls(starts))
        return [start.ticket for start in starts]

    async def end(self, ticket: int) -> CallEnd:
        await self.until(lambda: ticket in self.ends)
        return self.ends[ticket]

    async def call(self, action: str, **arguments: Any) -> CallEnd:
        return await self.end(self.start((action, arguments))[0])

    async def value(self, action: str, **arguments: Any) -> Any:
        end = await self.call(action, **arguments)
        value = codec().decode(end.payload)
        assert end.kind == 0, repr(value)
        return value

    async def error(self, action: str, **arguments: Any) -> Any:
        end = await self.call(action, **arguments)
        assert end.kind == 1
        return codec().decode(end.payload)

    def cancel(self, *tickets: int) -> None:
        self.send(CancelCalls(list(tickets)))

    def know(self, program: int, digests: list[bytes]) -> None:
        self.send(KnownTypes(program, digests))

    def drain(self) -> None:
        self.send(Drain())

    async def exit_code(self) -> int:
        async with asyncio.timeout(90):
            return await self.process.wait()


async def exists(path: Path) -> None:
    """Wait until a file that another process makes is there."""
    async with asyncio.timeout(90):
        while not path.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it: there is no event
            await asyncio.sleep(0.005)  # noqa: TID251 - see above
