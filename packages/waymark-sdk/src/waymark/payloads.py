"""The outcome of an action in, its durable bytes out, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from waymark.coercion import codec


@dataclass(frozen=True, slots=True)
class ActionResultPayload:
    """How one action ended: with ``result``, or with ``error``."""

    result: Any = None
    error: BaseException | None = None


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    failed: bool
    payload: bytes


_decoder = msgspec.msgpack.Decoder(_Stored)


def serialize_result_payload(value: Any) -> bytes:
    """Return the durable form of a returned value.

    >>> deserialize_result_payload(serialize_result_payload((1, 2))).result
    (1, 2)

    Raises:
        SerializationError: it cannot be kept durably; ``path`` says where in it.

    """
    return msgspec.msgpack.encode(
        _Stored(failed=False, payload=codec().encode(value, path="result"))
    )


def serialize_error_payload(error: BaseException) -> bytes:
    """Return the durable form of a raised exception: attributes, cause and traceback text included.

    >>> deserialize_result_payload(serialize_error_payload(KeyError("k"))).error
    KeyError('k')
    """
    return msgspec.msgpack.encode(_Stored(failed=True, payload=codec().encode_exception(error)))


def stored_payload(payload: bytes, *, failed: bool) -> bytes:
    """Return the same form of a value, or of an exception, that is in its durable form already."""
    return msgspec.msgpack.encode(_Stored(failed=failed, payload=payload))


def deserialize_result_payload(payload: bytes) -> ActionResultPayload:
    """Read what either of the others made.

    Raises:
        ValueError: these bytes are something else.

    """
    try:
        stored = _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        msg = f"{payload[:20]!r}… is no outcome of an action; expected what serialize_*_payload returned"
        raise ValueError(msg) from error
    value = codec().decode(stored.payload)
    return ActionResultPayload(error=value) if stored.failed else ActionResultPayload(result=value)
