"""One worker's second socket, which a thread of it serves while its loop stands still: its reports in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import msgspec

from waymark_schema.wire.frames import Blocked, FromWatch, TakeBack
from waymark_schema.wire.framing import FrameError, FrameReader, encode_frame
from waymark_worker.telemetry import log

Worker = TypeVar("Worker")
"""Whatever the listener knows it by."""
Worker_contra = TypeVar("Worker_contra", contravariant=True)
_DECODER = msgspec.msgpack.Decoder(FromWatch)


class WatchListener(Protocol[Worker_contra]):
    """Who is told what the thread says."""

    def blocked(self, worker: Worker_contra, blocked: Blocked, /) -> None: ...
    def taken_back(self, worker: Worker_contra, tickets: Iterable[int], /) -> None: ...


class WatchChannel(asyncio.Protocol, Generic[Worker]):
    """The pool's end of it."""

    __slots__ = ("_listener", "_reader", "_transport", "_worker")

    def __init__(self, worker: Worker, listener: WatchListener[Worker]) -> None:
        self._worker = worker
        self._listener = listener
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._reader.feed(data):
                frame = _DECODER.decode(body)
                if isinstance(frame, Blocked):
                    self._listener.blocked(self._worker, frame)
                else:
                    self._listener.taken_back(self._worker, frame.tickets)
        except (FrameError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            # Not worth a worker: without this socket its loop is watched by its ticks alone.
            log.warning("worker.bad_report", error=str(error))
            self.close()

    def take_back(self, tickets: Iterable[int]) -> None:
        """Ask for attempts that have not begun."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(TakeBack(list(tickets))))

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()
