"""What a taker tells an owner of an attempt: fields in, the payload of the owner's mail out, and back."""

from __future__ import annotations

import msgspec


class OfferedOutcome(msgspec.Struct, frozen=True, array_like=True):
    """How an attempt went in another pool; the kind of outcome stands beside it in the message."""

    payload: bytes
    """Value or error, as the worker encoded it; why it was lost, as text, if it was."""
    seconds: float
    """How long it ran."""
    started_at: float
    """Seconds since the epoch by the database; 0.0 when it never started."""
    output: bytes = b""
    """What it printed and logged, as the worker encoded it."""
    worker: int | None = None
    """Its number in the pool that ran it."""
    died: bool = False
    """The worker ended while it ran."""
    alone: bool = False
    """That worker ran nothing else."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(OfferedOutcome)


def encode_outcome(outcome: OfferedOutcome) -> bytes:
    """Make the payload of a message."""
    return _encoder.encode(outcome)


def decode_outcome(payload: bytes) -> OfferedOutcome:
    """Read the payload of a message; raises msgspec.MsgspecError when it is damaged."""
    return _decoder.decode(payload)
