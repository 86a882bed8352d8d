"""What an entry's advance recorded beside its outcome, in and out of the journal's ``local`` column."""

import msgspec


class EntryLocals(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Recorded values, due times of timers that started, and when a retry begins: all by the database clock."""

    values: list[bytes] = []
    """Recorded local values in durable wire form, in the order they were asked for."""
    timers: dict[int, float] = {}
    retry_at: float | None = None
    log: list[tuple[str, str]] = []
    """Level and text of what the workflow printed."""
    output: bytes = b""
    """What the attempt printed and logged: durable wire form of a list of [level, text, seconds since the epoch]."""
    alone_epoch: int | None = None
    """Claim under which the call then ran with nothing beside it, because pools had died around its run."""
    beside_epoch: int | None = None
    """The same, but beside others, of which none was new; older releases take it for a lost worker."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(EntryLocals)


def encode_locals(entry: EntryLocals) -> bytes:
    """Make the ``local`` column of one entry."""
    return _encoder.encode(entry)


def decode_locals(column: bytes | None) -> EntryLocals:
    """Read the ``local`` column; raises msgspec.MsgspecError when it is damaged."""
    return EntryLocals() if column is None else _decoder.decode(column)
