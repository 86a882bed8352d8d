"""Requests of an application and answers of its bridge: typed frames in both directions, under one PROTOCOL number.

Every frame is one msgpack array, its tag first, behind a 4-byte little-endian length. ``Hello`` and
``Welcome`` begin with the protocol number in every version, so that two versions can tell who is older.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from waymark_schema.wire.frames import ProgramReport
from waymark_schema.wire.framing import LENGTH_BYTES, FrameError

PROTOCOL = 2
MAX_FRAME_BYTES = 256 * 1024 * 1024
"""Room for several values of the largest size that ``WAYMARK_MAX_VALUE_BYTES`` may allow."""


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """Client to bridge, first frame."""

    protocol: int
    version: str
    """Of the client's waymark-sdk."""
    pid: int
    token: str = ""


class NewRun(msgspec.Struct, frozen=True, array_like=True):
    """One run to queue; see ``StartRequest``."""

    id: bytes
    """16 bytes."""
    digest: bytes
    inputs: bytes
    """As the column keeps them."""
    priority: int = 0
    awaited: bool = True
    delay: timedelta | None = None
    start_at: datetime | None = None
    key: str | None = None
    """Idempotency key, the workflow's name in front."""


class Start(msgspec.Struct, frozen=True, array_like=True, tag="start"):
    """Client to bridge: queue these, all or none. Answered by Started, UnknownPrograms or Failed."""

    request: int
    runs: list[NewRun]


class Register(msgspec.Struct, frozen=True, array_like=True, tag="register"):
    """Client to bridge: store these programs. Answered by Registered or Failed."""

    request: int
    programs: list[ProgramReport]


class Wait(msgspec.Struct, frozen=True, array_like=True, tag="wait"):
    """Client to bridge: tell when this run has ended. Answered by Ended, Missing or Failed."""

    request: int
    id: bytes


class Forget(msgspec.Struct, frozen=True, array_like=True, tag="forget"):
    """Client to bridge: nobody waits for the answer to this request any more. Not answered."""

    request: int


class Status(msgspec.Struct, frozen=True, array_like=True, tag="status"):
    """Client to bridge: where does this run stand? Answered by Standing, Missing or Failed."""

    request: int
    id: bytes


class Inspect(msgspec.Struct, frozen=True, array_like=True, tag="inspect"):
    """Client to bridge: how are you? Answered by Inspected."""

    request: int


class Stop(msgspec.Struct, frozen=True, array_like=True, tag="stop"):
    """Client to bridge: end. Answered by Stopping; clients with work in hand boot another bridge."""

    request: int


class Welcome(msgspec.Struct, frozen=True, array_like=True, tag="welcome"):
    """Bridge to client: the answer to Hello; ``refusal`` says why nothing else will be answered."""

    protocol: int
    version: str
    pid: int
    refusal: str = ""


class Started(msgspec.Struct, frozen=True, array_like=True, tag="started"):
    """The runs are committed; ids in their order, another run's where it holds the idempotency key."""

    request: int
    ids: list[bytes]


class UnknownPrograms(msgspec.Struct, frozen=True, array_like=True, tag="unknown_programs"):
    """Register these digests, then ask again."""

    request: int
    digests: list[bytes]


class Registered(msgspec.Struct, frozen=True, array_like=True, tag="registered"):
    """The programs are stored."""

    request: int


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="ended"):
    """The run has ended; ``state`` is an ``InstanceState``."""

    request: int
    state: int
    result: bytes | None
    error: bytes | None


class Standing(msgspec.Struct, frozen=True, array_like=True, tag="standing"):
    """The run's ``InstanceState``."""

    request: int
    state: int


class Missing(msgspec.Struct, frozen=True, array_like=True, tag="missing"):
    """There is no run of that id."""

    request: int


class Stuck(msgspec.Struct, frozen=True, array_like=True, tag="stuck"):
    """The awaited run was quarantined: a notice, the answer is still to come."""

    request: int
    id: bytes


class Unserved(msgspec.Struct, frozen=True, array_like=True, tag="unserved"):
    """Awaited runs are queued and no live pool can run them: a notice, the answers are still to come."""

    request: int
    """Of one of them."""
    id: bytes
    """Of that one."""
    count: int
    """How many this client awaits of the same program."""
    workflow: str
    unknown: list[str]
    """Actions that no live pool knows."""


class Failed(msgspec.Struct, frozen=True, array_like=True, tag="failed"):
    """The request cannot be served; ``error`` names a class of ``waymark_schema.errors``."""

    request: int
    error: str
    message: str


class Inspected(msgspec.Struct, frozen=True, array_like=True, tag="inspected"):
    """What the bridge is doing."""

    request: int
    pid: int
    version: str
    uptime_s: float
    database: str
    connected: bool
    """Whether the database answered the last time it was asked."""
    listening: bool
    clients: int
    starting: int
    """Runs that are not committed yet."""
    awaited: int
    """Runs that somebody waits for."""


class Stopping(msgspec.Struct, frozen=True, array_like=True, tag="stopping"):
    """The bridge ends now."""

    request: int


Request = Hello | Start | Register | Wait | Forget | Status | Inspect | Stop
Answer = (
    Welcome
    | Started
    | UnknownPrograms
    | Registered
    | Ended
    | Standing
    | Missing
    | Stuck
    | Unserved
    | Failed
    | Inspected
    | Stopping
)

_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode(frame: Request | Answer, *, max_frame_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """Return the frame behind its length; raises ``FrameError`` when the other side would refuse its size."""
    buffer = bytearray(LENGTH_BYTES)
    _ENCODER.encode_into(frame, buffer, LENGTH_BYTES)
    length = len(buffer) - LENGTH_BYTES
    if length > max_frame_bytes:
        msg = (
            f"a request of {length} bytes was made; the bridge takes {max_frame_bytes} at most."
            " Start fewer runs at once, or give them references instead of large values"
        )
        raise FrameError(msg)
    buffer[:LENGTH_BYTES] = length.to_bytes(LENGTH_BYTES, "little")
    return bytes(buffer)


def decode_request(body: bytes) -> Request:
    """Read what a client sent; raises ``FrameError`` when it is no request of this protocol."""
    try:
        return _REQUESTS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FrameError(f"a request cannot be read: {error}") from error


def decode_answer(body: bytes) -> Answer:
    """Read what a bridge sent; raises ``FrameError`` when it is no answer of this protocol."""
    try:
        return _ANSWERS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FrameError(f"an answer of the bridge cannot be read: {error}") from error


def disagreement(*, ours: int, theirs: int, we_are: str, they_are: str) -> str:
    """Say which side is older and what to do; empty when both speak the same protocol.

    >>> disagreement(ours=2, theirs=2, we_are="this process", they_are="the bridge")
    ''
    """
    if ours == theirs:
        return ""
    older, newer = (we_are, they_are) if ours < theirs else (they_are, we_are)
    return (
        f"{we_are} speaks bridge protocol {ours}, {they_are} speaks {theirs}: {older} is older than"
        f" {newer}.\nInstall the same waymark-sdk for both, then restart {older}."
    )
