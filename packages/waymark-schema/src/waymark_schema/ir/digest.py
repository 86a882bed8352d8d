"""A program goes in; the bytes that are stored and the digest that names them come out."""

import hashlib

import msgspec

from waymark_schema.ir.program import Program, Spans

DIGEST_BYTES = 32

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_programs = msgspec.msgpack.Decoder(Program)
_spans = msgspec.msgpack.Decoder(Spans)


def canonical(program: Program) -> bytes:
    """Bytes of a program: the same wherever, and by whatever Python, its source was compiled."""
    return _encoder.encode(program)


def digest(program_bytes: bytes) -> bytes:
    """32 bytes that name a program by its canonical bytes."""
    return hashlib.sha256(program_bytes).digest()


def decode(program_bytes: bytes) -> Program:
    """Read a program back; only its shape is checked, see ``wellformed`` for the rest.

    Raises ``msgspec.DecodeError`` (or its ``ValidationError``) if these are not the bytes of a program.
    """
    return _programs.decode(program_bytes)


def encode_spans(spans: Spans) -> bytes:
    """Bytes of what is kept beside a program, outside its digest."""
    return _encoder.encode(spans)


def decode_spans(data: bytes) -> Spans:
    """Read spans back; raises ``msgspec.DecodeError`` if these are not spans."""
    return _spans.decode(data)
