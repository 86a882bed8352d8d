"""A connected socket and requests in; their answers out, matched by number, on one event loop."""

from __future__ import annotations

import asyncio
import logging
import socket
import weakref
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

from waymark.bridge.protocol import (
    MAX_FRAME_BYTES,
    Answer,
    Forget,
    Hello,
    Request,
    Stuck,
    Unserved,
    Welcome,
    decode_answer,
    encode,
)
from waymark_schema.wire.framing import FrameError, FrameReader

_CHUNK = 256 * 1024
_WELCOME = 0
_log = logging.getLogger("waymark.bridge")


class LinkLost(Exception):
    """The bridge went away before it answered; whether it did what was asked is not known."""


class Link:
    """One connection of one event loop; must only be used by that loop's thread.

    Works with the plain socket: no task and no transport stays behind when its loop ends, and a
    forked child can let go of it without a word to anybody.
    """

    def __init__(self, connected: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        connected.settimeout(0)
        self._socket = connected
        self._loop = loop
        self._reader = FrameReader(max_frame_bytes=MAX_FRAME_BYTES)
        self._unsent = bytearray()
        self._pending: dict[int, asyncio.Future[Answer | None]] = {}
        self._last = _WELCOME
        self.alive = True
        self.nonsense = ""
        """Why what was received last could not be read."""
        self.opened_at = loop.time()
        self.on_lost: Callable[[], None] | None = None
        # Also when the loop is dropped without a word: the descriptor is closed, and quietly.
        self._finalizer = weakref.finalize(self, connected.close)
        self._ending: AsyncGenerator[None, None] | None = None
        loop.add_reader(connected.fileno(), self._readable)

    async def greet(self, hello: Hello) -> Welcome:
        """Say hello; raises ``LinkLost``."""
        await self._close_with_loop()
        answer = await self._exchange(_WELCOME, hello)
        if not isinstance(answer, Welcome):
            msg = f"the bridge answered hello with {type(answer).__name__}"
            raise LinkLost(msg)
        return answer

    async def ask(self, make: Callable[[int], Request]) -> Answer:
        """Send a request and return its answer; raises ``LinkLost``, ``FrameError`` if it is too large."""
        self._last += 1
        return await self._exchange(self._last, make(self._last))

    def close(self) -> None:
        """End the connection; whoever waits for an answer learns that it is lost. On the loop's thread."""
        if self.alive and self._unsent:
            self._send_some()
        self._lose()

    def let_go(self) -> None:
        """Close the descriptor only: for a forked child, whose parent goes on using loop and socket."""
        self.alive = False
        self._finalizer()

    async def _exchange(self, number: int, request: Request) -> Answer:
        sent = encode(request)
        if not self.alive:
            raise LinkLost
        answered: asyncio.Future[Answer | None] = self._loop.create_future()
        self._pending[number] = answered
        try:
            self._send(sent)
            answer = await answered
        finally:
            unanswered = self._pending.pop(number, None)
            if unanswered is not None and number != _WELCOME and self.alive:
                self._send(encode(Forget(number)))
        if answer is None:
            raise LinkLost
        return answer

    def _send(self, frame: bytes) -> None:
        if not self._unsent:
            # Whatever else is asked in this turn of the loop leaves in the same packet.
            self._loop.call_soon(self._flush)
        self._unsent += frame

    def _flush(self) -> None:
        if self.alive and not self._send_some() and self.alive:
            self._loop.add_writer(self._socket.fileno(), self._writable)

    def _writable(self) -> None:
        if self._send_some() and self.alive:
            self._loop.remove_writer(self._socket.fileno())

    def _send_some(self) -> bool:
        """Send what the socket takes; whether that was everything."""
        try:
            count = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._lose()
            return False
        del self._unsent[:count]
        return not self._unsent

    def _readable(self) -> None:
        try:
            received = self._socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            received = b""
        if not received:
            self._lose()
            return
        try:
            for body in self._reader.feed(received):
                self._take(decode_answer(body))
        except FrameError as error:
            self.nonsense = str(error)
            _log.error("the bridge sent what this version cannot read: %s", error)
            self._lose()

    def _take(self, answer: Answer) -> None:
        if isinstance(answer, Stuck):
            instance_id = UUID(bytes=answer.id)
            _log.warning(
                "run %s, which is awaited here, is quarantined: it does not go on by itself, and nothing"
                " sends it on yet; its page /runs/%s of the web application tells why",
                instance_id,
                instance_id,
            )
            return
        if isinstance(answer, Unserved):
            _log.warning("%s", _unserved(answer))
            return
        number = _WELCOME if isinstance(answer, Welcome) else answer.request
        future = self._pending.pop(number, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def _lose(self) -> None:
        if not self.alive:
            return
        self.alive = False
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            for future in self._pending.values():
                if not future.done():
                    future.set_result(None)
        self._pending.clear()
        self._finalizer()
        if self.on_lost is not None:
            self.on_lost()

    async def _close_with_loop(self) -> None:
        """Let ``asyncio.run`` close the connection: before a loop ends it ends its asynchronous generators."""

        async def ending(link: weakref.ref[Link]) -> AsyncGenerator[None, None]:
            try:
                yield
            finally:
                still = link()
                if still is not None:
                    still.close()

        self._ending = ending(weakref.ref(self))
        await anext(self._ending)


def _unserved(notice: Unserved) -> str:
    """Say why a run that is awaited does not begin, and what would make it."""
    others = f", with {notice.count - 1} others of its kind," if notice.count > 1 else ""
    told = f"run {UUID(bytes=notice.id)} of workflow {notice.workflow!r}{others} waits for a worker pool"
    if not notice.unknown:
        return f"{told}: none that runs on this database can run it.\nStart or upgrade one: waymark-start-workers"
    modules = ",".join(dict.fromkeys(action.partition(":")[0] for action in notice.unknown))
    return (
        f"{told}: none that runs on this database has its action {notice.unknown[0]!r}.\n"
        f"Start one that has: WAYMARK_USER_MODULE={modules} waymark-start-workers"
    )
