"""One worker's socket: calls go out batched per loop turn, typed frames come in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Protocol

import msgspec

from waymark_schema.wire.frames import (
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
from waymark_schema.wire.framing import FrameError, FrameReader, encode_frame

BATCH_BYTES = 4 * 1024 * 1024
"""Calls of one loop turn share a frame up to this size; a larger one gets its own."""
_DECODER = msgspec.msgpack.Decoder(ToPool)


class ChannelListener(Protocol):
    """Who is told what a worker says."""

    def said_hello(self, channel: Channel, hello: Hello) -> None: ...
    def calls_ended(self, channel: Channel, ends: Ends) -> None: ...
    def ticked(self, channel: Channel, tick: Tick) -> None: ...
    def closed(self, channel: Channel, reason: str) -> None: ...


class Channel(asyncio.Protocol):
    """The pool's end of one worker connection; every method is called on the loop's thread."""

    __slots__ = (
        "_cancels",
        "_flush_due",
        "_listener",
        "_loop",
        "_reader",
        "_starts",
        "_transport",
        "closed_reason",
        "ended",
    )

    def __init__(self, listener: ChannelListener, loop: asyncio.AbstractEventLoop) -> None:
        self._listener = listener
        self._loop = loop
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._starts: list[CallStart] = []
        self._cancels: list[int] = []
        self._flush_due = False
        self.closed_reason: str | None = None
        self.ended: asyncio.Future[None] = loop.create_future()
        """Resolves when everything that was received has been handed on and the connection is gone."""

    # asyncio.Protocol ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._reader.feed(data):
                self._dispatch(_DECODER.decode(body))
        except (FrameError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.close(f"the worker sent a frame that cannot be read: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        reason = self.closed_reason or (str(exc) if exc else "the worker closed its socket")
        self.closed_reason = reason
        self._listener.closed(self, reason)
        if not self.ended.done():
            self.ended.set_result(None)

    def _dispatch(self, frame: Hello | Ends | Tick) -> None:
        if type(frame) is Ends:
            self._listener.calls_ended(self, frame)
        elif type(frame) is Hello:
            self._listener.said_hello(self, frame)
        elif type(frame) is Tick:
            self._listener.ticked(self, frame)

    # outgoing -----------------------------------------------------------------------------

    def start(self, start: CallStart) -> None:
        """Queue one attempt; all that is queued in one loop turn leaves as one frame."""
        self._starts.append(start)
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def cancel(self, ticket: int) -> None:
        """Queue the cancellation of one attempt."""
        self._cancels.append(ticket)
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def know_types(self, known: KnownTypes) -> None:
        """Tell the worker what a program knows, ahead of the calls that are queued next."""
        self._flush()
        self._send(known)

    def drain(self) -> None:
        """Tell the worker that no more calls will come."""
        self._flush()
        self._send(Drain())

    def close(self, reason: str) -> None:
        """Drop the connection; the listener hears ``closed`` once."""
        if self.closed_reason is None:
            self.closed_reason = reason
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        self._flush_due = False
        if self._starts:
            starts, self._starts = self._starts, []
            for batch in _batches(starts):
                self._send(Calls(batch))
        if self._cancels:
            cancels, self._cancels = self._cancels, []
            self._send(CancelCalls(cancels))

    def _send(self, frame: ToWorker) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(frame))


def _batches(starts: list[CallStart]) -> Iterator[list[CallStart]]:
    """Cut what left in one loop turn into frames that the other side accepts."""
    first = size = 0
    for index, start in enumerate(starts):
        weight = len(start.arguments)
        if size and size + weight > BATCH_BYTES:
            yield starts[first:index]
            first, size = index, 0
        size += weight
    yield starts[first:] if first else starts
