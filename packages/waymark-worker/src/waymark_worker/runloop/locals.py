"""What snapshots and entries keep beside the machine's state, in and out of their columns."""

from __future__ import annotations

import msgspec

from waymark_schema.recorded import EntryLocals, decode_locals, encode_locals

__all__ = [
    "CallProgress",
    "EntryLocals",
    "StoredSnapshot",
    "decode_locals",
    "decode_snapshot",
    "encode_locals",
    "encode_snapshot",
]


class CallProgress(msgspec.Struct, frozen=True, array_like=True):
    """What a snapshot must keep of an open call beside the machine's own state."""

    failed: int
    deaths: int
    retry_at: float | None
    alone: int = 0
    alone_epoch: int | None = None
    lone_deaths: int = 0
    beside_epochs: tuple[int, ...] = ()


class StoredSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """The state column of a snapshot: the machine, its timers' due times, its open calls' progress."""

    machine: bytes
    timers: dict[int, float]
    calls: dict[int, CallProgress]
    told_at: float = 0.0


_encoder = msgspec.msgpack.Encoder()
_snapshot = msgspec.msgpack.Decoder(StoredSnapshot)


def encode_snapshot(snapshot: StoredSnapshot) -> bytes:
    """Make the ``state`` column of a snapshot."""
    return _encoder.encode(snapshot)


def decode_snapshot(column: bytes) -> StoredSnapshot:
    """Read the ``state`` column; raises msgspec.MsgspecError when it is damaged."""
    return _snapshot.decode(column)
