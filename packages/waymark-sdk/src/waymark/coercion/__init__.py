"""User objects and annotations in, durable values out, and back: coercion and the codec of user processes."""

from __future__ import annotations

from functools import lru_cache

from waymark import settings
from waymark.coercion.convert import CoercionError, coerce
from waymark.coercion.imports import ImportBinding
from waymark_schema.values.codec import Codec
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.faults import FaultParts
from waymark_schema.values.records import RecordBinding

__all__ = ["CoercionError", "codec", "coerce", "read_fault"]

_BINDING = ImportBinding()
_RECORDS = Codec(RecordBinding())


def codec(known: frozenset[bytes] = frozenset()) -> Codec:
    """The codec of a process that has the user's classes: they are looked up by name.

    ``known`` are the digests of descriptors that need not travel inside values. Limits come from the
    settings of this process.

    >>> codec().decode(codec().encode({"when": (1, 2)}))
    {'when': (1, 2)}
    """
    return _codec(known, settings.current().max_value_bytes)


@lru_cache(maxsize=256)
def _codec(known: frozenset[bytes], max_bytes: int) -> Codec:
    return Codec(_BINDING, known=known, max_bytes=max_bytes)


def read_fault(data: bytes) -> FaultParts:
    """What is told of an exception in its wire form: name, bases, message, attributes, traceback text.

    No class is looked up. Raises ``MalformedValue`` if the bytes are not those of an exception.
    """
    parts = _RECORDS.decode(data)
    if isinstance(parts, FaultParts):
        return parts
    msg = f"expected the wire form of an exception, got that of a {type(parts).__name__}"
    raise MalformedValue(msg)
