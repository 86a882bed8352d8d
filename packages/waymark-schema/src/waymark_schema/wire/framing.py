"""Bytes of a stream in, frame bodies out, and frames in, bytes for a stream out; no I/O of its own."""

from __future__ import annotations

import msgspec

from waymark_schema.wire.frames import MAX_FRAME_BYTES, FromWatch, TakeBack, ToPool, ToWorker

LENGTH_BYTES = 4
_KEEP_BYTES = 1 << 20
_ENCODER = msgspec.msgpack.Encoder()
_TO_WORKER: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_TO_POOL: msgspec.msgpack.Decoder[ToPool] = msgspec.msgpack.Decoder(ToPool)


class FrameError(Exception):
    """The stream does not hold frames of this protocol; the connection cannot be used any further."""


class FrameReader:
    r"""Collects the bytes of one connection; a frame may arrive in any pieces.

    >>> reader = FrameReader()
    >>> reader.feed(b"\x03\x00\x00"), reader.feed(b"\x00abc\x00")
    ([], [b'abc'])
    """

    __slots__ = ("_buffer", "_limit")

    def __init__(self, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self._limit = max_frame_bytes

    @property
    def pending_bytes(self) -> int:
        """How much of an unfinished frame has arrived; above 0 at the end of the stream it was cut off."""
        return len(self._buffer)

    def feed(self, received: bytes) -> list[bytes]:
        """Take what was received; return the bodies of the frames that are complete now, in order.

        Raises:
            FrameError: a length is zero or above the limit; nothing more can be read.

        """
        buffer = self._buffer
        buffer += received
        size, start = len(buffer), 0
        bodies: list[bytes] = []
        while size - start >= LENGTH_BYTES:
            length = int.from_bytes(buffer[start : start + LENGTH_BYTES], "little")
            if not 0 < length <= self._limit:
                msg = (
                    f"a frame of {length} bytes was announced; expected 1 to {self._limit}."
                    " The other side speaks another protocol or the stream is damaged"
                )
                raise FrameError(msg)
            end = start + LENGTH_BYTES + length
            if end > size:
                break
            bodies.append(bytes(memoryview(buffer)[start + LENGTH_BYTES : end]))
            start = end
        if start == size and size > _KEEP_BYTES:
            self._buffer = bytearray()  # a cleared bytearray of a huge frame would keep its memory
        elif start:
            del buffer[:start]
        return bodies


def encode_frame(
    frame: ToWorker | ToPool | TakeBack | FromWatch, *, max_frame_bytes: int = MAX_FRAME_BYTES
) -> bytes:
    """Return the frame behind its length.

    Raises:
        FrameError: it is larger than the other side accepts.

    """
    buffer = bytearray(LENGTH_BYTES)
    _ENCODER.encode_into(frame, buffer, LENGTH_BYTES)
    length = len(buffer) - LENGTH_BYTES
    if length > max_frame_bytes:
        msg = f"a {type(frame).__name__} frame has {length} bytes; at most {max_frame_bytes} are accepted"
        raise FrameError(msg)
    buffer[:LENGTH_BYTES] = length.to_bytes(LENGTH_BYTES, "little")
    return bytes(buffer)


def decode_to_worker(body: bytes) -> ToWorker:
    """Read what a pool sent; raises ``FrameError`` when it is not a frame for workers."""
    try:
        return _TO_WORKER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FrameError(f"a frame from the pool cannot be read: {error}") from error


def decode_to_pool(body: bytes) -> ToPool:
    """Read what a worker sent; raises ``FrameError`` when it is not a frame for pools."""
    try:
        return _TO_POOL.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FrameError(f"a frame from a worker cannot be read: {error}") from error
