"""Bytes in any pieces in; whole frames or refusals out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_schema.wire.frames import (
    CallEnd,
    Calls,
    CallStart,
    Drain,
    Ends,
    Hello,
    Tick,
    ToPool,
    ToWorker,
)
from waymark_schema.wire.framing import (
    FrameError,
    FrameReader,
    decode_to_pool,
    decode_to_worker,
    encode_frame,
)

START = CallStart(7, "m:f", b"\x80", bytes(16), 3, 1, 2.5)


def test_every_frame_comes_back_as_it_was() -> None:
    to_worker: list[ToWorker] = [Calls([START]), Drain()]
    to_pool: list[ToPool] = [
        Ends([CallEnd(7, 1, b"x", 1.0, 2.0, b"log")]),
        Tick(1, 2),
        Hello(1, "t", 5, 12),
    ]
    stream = b"".join(encode_frame(frame) for frame in to_worker)
    assert [decode_to_worker(body) for body in FrameReader().feed(stream)] == to_worker
    back = b"".join(encode_frame(frame) for frame in to_pool)
    assert [decode_to_pool(body) for body in FrameReader().feed(back)] == to_pool


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.lists(st.integers(1, 64)))
def test_frames_may_arrive_in_any_pieces(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(len(body).to_bytes(4, "little") + body for body in bodies)
    reader, found = FrameReader(), []
    for cut in cuts:
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    found += reader.feed(stream)
    assert found == bodies
    assert reader.pending_bytes == 0


def test_a_stream_that_ends_inside_a_frame_can_be_told() -> None:
    reader = FrameReader()
    assert reader.feed(encode_frame(Drain())[:-1]) == []
    assert reader.pending_bytes > 0


@pytest.mark.parametrize("length", [0, 1025, 2**32 - 1])
def test_a_length_that_cannot_be_is_refused_before_anything_is_kept(length: int) -> None:
    reader = FrameReader(max_frame_bytes=1024)
    with pytest.raises(FrameError, match="expected 1 to 1024"):
        reader.feed(length.to_bytes(4, "little") + b"x" * 100)


def test_a_frame_that_the_other_side_would_refuse_is_not_encoded() -> None:
    with pytest.raises(FrameError, match="at most 100"):
        encode_frame(Ends([CallEnd(1, 0, bytes(200), 0.0, 0.0)]), max_frame_bytes=100)


@pytest.mark.parametrize("body", [b"\xc1", b"", b"\x91\xa5hello", b"\x91\xa7unknown", b"\x01" * 9])
def test_a_body_that_is_no_frame_is_refused(body: bytes) -> None:
    for decode in (decode_to_pool, decode_to_worker):
        with pytest.raises(FrameError, match="cannot be read"):
            decode(body)
