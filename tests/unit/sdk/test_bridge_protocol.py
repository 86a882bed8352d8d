"""Frames and bytes of any kind in; the same frames, or a refusal, out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark.bridge import protocol
from waymark.bridge.parties import failed
from waymark.bridge.protocol import PROTOCOL, decode_answer, decode_request, disagreement, encode
from waymark_schema.errors import DatabaseRefused, ProgramConflict
from waymark_schema.wire.frames import ProgramReport
from waymark_schema.wire.framing import FrameError, FrameReader

RUN = protocol.NewRun(
    bytes(16), bytes(32), b"in", 3, False, timedelta(days=-1, microseconds=7), None, "k:1"
)
REPORT = ProgramReport(
    "w", "1", bytes(32), b"program", b"spans", "source \udc80".encode("utf-8", "replace").decode()
)
REQUESTS: list[protocol.Request] = [
    protocol.Hello(PROTOCOL, "0.1", 7, "token"),
    protocol.Start(
        1,
        [RUN, msgspec.structs.replace(RUN, delay=None, start_at=datetime(2031, 1, 1, tzinfo=UTC))],
    ),
    protocol.Register(2, [REPORT]),
    protocol.Wait(3, bytes(16)),
    protocol.Forget(3),
    protocol.Status(4, bytes(16)),
    protocol.Inspect(5),
    protocol.Stop(6),
]
ANSWERS: list[protocol.Answer] = [
    protocol.Welcome(PROTOCOL, "0.1", 9),
    protocol.Started(1, [bytes(16)]),
    protocol.UnknownPrograms(1, [bytes(32)]),
    protocol.Registered(2),
    protocol.Ended(3, 4, b"result", None),
    protocol.Standing(4, 0),
    protocol.Missing(4),
    protocol.Stuck(3, bytes(16)),
    protocol.Unserved(3, bytes(16), 2, "greet", ["greetings:greet"]),
    protocol.Failed(1, "DatabaseError", "no"),
    protocol.Inspected(5, 1, "0.1", 2.5, "db", True, False, 1, 2, 3),
    protocol.Stopping(6),
]


def test_every_frame_survives_the_way() -> None:
    assert {type(frame) for frame in REQUESTS} == set(get_args(protocol.Request))
    assert {type(frame) for frame in ANSWERS} == set(get_args(protocol.Answer))
    reader = FrameReader(max_frame_bytes=protocol.MAX_FRAME_BYTES)
    requests = reader.feed(b"".join(encode(frame) for frame in REQUESTS))
    assert [decode_request(body) for body in requests] == REQUESTS
    answers = reader.feed(b"".join(encode(frame) for frame in ANSWERS))
    assert [decode_answer(body) for body in answers] == ANSWERS


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frame_are_refused_and_nothing_else_happens(body: bytes) -> None:
    for decode in (decode_request, decode_answer):
        try:
            decode(body)
        except FrameError:
            continue


def test_a_frame_that_the_other_side_would_refuse_is_refused_here() -> None:
    with pytest.raises(FrameError, match="Start fewer runs at once"):
        encode(protocol.Start(1, [RUN]), max_frame_bytes=40)


def test_the_older_side_is_named() -> None:
    assert not disagreement(ours=3, theirs=3, we_are="we", they_are="they")
    assert "we is older than they" in disagreement(ours=2, theirs=3, we_are="we", they_are="they")
    assert "they is older than we" in disagreement(ours=4, theirs=3, we_are="we", they_are="they")


def test_hello_and_welcome_begin_with_the_protocol_in_every_version() -> None:
    for frame in (REQUESTS[0], ANSWERS[0]):
        assert msgspec.msgpack.decode(encode(frame)[4:])[1] == PROTOCOL


def test_an_error_travels_as_the_nearest_class_that_both_sides_know() -> None:
    class Special(DatabaseRefused):
        pass

    assert failed(1, Special("no")).error == "DatabaseRefused"
    assert failed(1, ProgramConflict("w", "1")).error == "ProgramConflict"
    assert failed(1, KeyError("k")).error == ""
    assert failed(1, ValueError()).message == "ValueError"
