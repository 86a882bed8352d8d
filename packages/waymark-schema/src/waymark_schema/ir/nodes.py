"""Fields of an operation go in; the shape that every instruction and terminator shares comes out."""

from typing import ClassVar

import msgspec

NONE = -1


class Node(msgspec.Struct, frozen=True, array_like=True):
    """One array on the wire: its tag, then its fields in order."""

    reads: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that hold slots (or lists of slots) that are read."""
    writes: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that hold slots (or lists of slots) that are written."""
