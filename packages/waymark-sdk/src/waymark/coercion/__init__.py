"""User objects and annotations in, durable values out, and back: coercion and the codec of user processes."""

from __future__ import annotations

from functools import lru_cache

from waymark import settings
from waymark.coercion.convert import CoercionError, coerce
from waymark.coercion.imports import ImportBinding
from waymark_schema.values.codec import Codec
from waymark_schema.values.render import fault as read_fault

__all__ = ["CoercionError", "codec", "coerce", "read_fault"]

_BINDING = ImportBinding()


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
