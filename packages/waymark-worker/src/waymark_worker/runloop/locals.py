"""What an entry's advance recorded beside its outcome, in and out of the journal's ``local`` column."""

from __future__ import annotations

import msgspec


class EntryLocals(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Recorded values, due times of timers that started, and when a retry begins: all by the database clock."""

    values: list[bytes] = []
    """Recorded local values in durable wire form, in the order they were asked for."""
    timers: dict[int, float] = {}
    retry_at: float | None = None
    log: list[tuple[str, str]] = []
    """Level and text of what the workflow printed."""


class CallProgress(msgspec.Struct, frozen=True, array_like=True):
    """What a snapshot must keep of an open call beside the machine's own state."""

    failed: int
    deaths: int
    retry_at: float | None


class StoredSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """The state column of a snapshot: the machine, its timers' due times, its open calls' progress."""

    machine: bytes
    timers: dict[int, float]
    calls: dict[int, CallProgress]


_encoder = msgspec.msgpack.Encoder()
_locals = msgspec.msgpack.Decoder(EntryLocals)
_snapshot = msgspec.msgpack.Decoder(StoredSnapshot)


def encode_locals(entry: EntryLocals) -> bytes:
    """Make the ``local`` column of one entry."""
    return _encoder.encode(entry)


def decode_locals(column: bytes | None) -> EntryLocals:
    """Read the ``local`` column; raises msgspec.MsgspecError when it is damaged."""
    return EntryLocals() if column is None else _locals.decode(column)


def encode_snapshot(snapshot: StoredSnapshot) -> bytes:
    """Make the ``state`` column of a snapshot."""
    return _encoder.encode(snapshot)


def decode_snapshot(column: bytes) -> StoredSnapshot:
    """Read the ``state`` column; raises msgspec.MsgspecError when it is damaged."""
    return _snapshot.decode(column)
