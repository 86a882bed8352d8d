"""Classes in, their descriptors out, each worked out once: what bindings over real classes share."""

from __future__ import annotations

from typing import Any

from waymark_schema.values.binding import Build
from waymark_schema.values.codec import Codec
from waymark_schema.values.describe import describe
from waymark_schema.values.descriptors import Descriptor

Described = tuple[Descriptor, tuple[Descriptor, ...]]


class Describer:
    """Describes real classes; the same class gives the same descriptor in every process."""

    def __init__(self) -> None:
        self._found: dict[type, Described | None] = {}
        self._codec = Codec(_WriteOnly(self), sorted_sets=True)

    def described(self, cls: type) -> Described | None:
        """The descriptor of ``cls`` with all it refers to, or None if it has no durable kind.

        Raises ``SerializationError`` for an enum member whose value cannot be kept.
        """
        if cls not in self._found:
            self._found[cls] = describe(cls, self._encode_part)
        return self._found[cls]

    def _encode_part(self, value: Any) -> bytes:
        return self._codec.encode(value)


class _WriteOnly:
    """Binding of a codec that writes defaults and members."""

    set_type: type = set
    frozenset_type: type = frozenset

    def __init__(self, describer: Describer) -> None:
        self._describer = describer

    def describe(self, cls: type) -> Described | None:
        return self._describer.described(cls)

    def builders(self, refs: Any) -> list[Build]:
        msg = f"a codec that only writes was given {refs!r:.200} to read"
        raise NotImplementedError(msg)

    def exception(self, parts: Any, refs: Any) -> Any:
        return self.builders([parts, *refs])
