"""Type descriptors: the declarative part of a user's class, without any of its code.

A descriptor says enough to build a *shadow class* with the same equality, order, repr, ``isinstance``
and coercion. It never refers to a program, so it can travel inside a value.
"""

from __future__ import annotations

from typing import Any

import msgspec

Annotation = Any
"""Closed grammar of annotations, as nested lists: a string is a builtin name (``int``, ``str``, ``Any``,
``None``, ``datetime`` …) or a descriptor's qualified name (``module:Qual.Name``); a list is a generic
``["list", item]``, ``["dict", key, value]``, ``["union", a, b]``, ``["literal", wire-as-hex…]``,
``["annotated", a, constraint…]`` …"""


class Field(msgspec.Struct, frozen=True, array_like=True):
    """One field, in order."""

    name: str
    annotation: Annotation = "Any"
    default: bytes | None = None
    """Durable wire form of the default; None: see ``factory``, else required."""
    factory: str = ""
    """Name of a builtin factory (``list``, ``dict``, ``set``), or empty."""
    init: bool = True
    keyword_only: bool = False
    compare: bool = True
    repr: bool = True
    alias: str = ""


class Descriptor(msgspec.Struct, frozen=True, array_like=True):
    """One class. ``kind``: ``model``, ``dataclass``, ``namedtuple``, ``enum``, ``exception`` or ``typed_dict``."""

    qualname: str
    """``module:Qual.Name``."""
    kind: str
    bases: list[str]
    """Qualified names of the bases, nearest first, builtin ones without module (``Exception``, ``IntEnum``)."""
    fields: list[Field] = []
    members: list[tuple[str, bytes]] = []
    """Enum members: name and durable wire form of the value, in definition order."""
    options: dict[str, bool | int | str] = {}
    """``frozen``, ``order``, ``eq``, ``slots``, ``extra`` … whatever differs from the default."""
    opaque: bool = False
    """True: constructing it needs user code, so it is done by an inline step in a worker."""
