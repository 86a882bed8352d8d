"""How a codec reaches classes: type references in, builders of their instances out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from waymark_schema.values.descriptors import Descriptor

if TYPE_CHECKING:
    from waymark_schema.values.faults import FaultParts

Build = Callable[[Any], Any]
"""Payload (see ``objects``) → enum member or instance; raises ``MalformedValue`` if it does not fit."""


class TypeRef(msgspec.Struct, frozen=True, array_like=True):
    """A class that a value refers to; ``descriptor`` is left out where the reader knows ``digest``."""

    qualname: str
    digest: bytes
    kind: str
    descriptor: Descriptor | None = None


class TypeBinding(Protocol):
    """Where the classes of values come from: imports (user processes), shadows (the machine) or records (the web)."""

    set_type: type
    """Built from a list of items for every ``set`` on the wire."""
    frozenset_type: type

    def describe(self, cls: type) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
        """Descriptor of ``cls`` with those it refers to, or None if instances cannot be kept."""
        ...

    def builders(self, refs: Sequence[TypeRef]) -> list[Build]:
        """One builder for each reference, in order (lazily: only what is used may be looked up or made)."""
        ...

    def exception(self, parts: FaultParts, refs: Sequence[TypeRef]) -> Any:
        """An exception rebuilt from its parts, without running any user ``__init__`` (the web: the parts)."""
        ...
