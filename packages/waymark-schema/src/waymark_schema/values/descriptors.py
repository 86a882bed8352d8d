"""Type descriptors: the declarative part of a user's class, without any of its code.

A descriptor says enough to build a *shadow class* with the same equality, order, repr, ``isinstance``
and coercion. It never refers to a program, so it can travel inside a value.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

Annotation = Any
"""Closed grammar of annotations, as nested lists.

A string is a name of ``annotations.NAMED`` (``int``, ``str``, ``Any``, ``None``, ``datetime`` …) or a class
by its qualified name (``module:Qual.Name``). A list is a form:

=========================================  =====================================================
``["list", a]`` and other containers       ``set frozenset deque Sequence Iterable Collection Set type``
                                           take one, ``dict OrderedDict defaultdict Mapping`` two
``["tuple", a, b, …]``                     fixed length; ``["tuple*", a]`` any length
``["union", a, b, …]``                     ``Optional`` has ``"None"`` among its members
``["literal", hex, …]``                    wire forms of the values, in hexadecimal
``["annotated", a, [constraint, x], …]``   constraints of ``annotations.CONSTRAINTS``
=========================================  =====================================================
"""


class Field(msgspec.Struct, frozen=True, array_like=True):
    """One field, in order."""

    name: str
    annotation: Annotation = "Any"
    default: bytes | None = None
    """Durable wire form of the default; None: see ``factory``, else required."""
    factory: str = ""
    """Name of a builtin factory (``list``, ``dict``, ``set`` …), or empty."""
    init: bool = True
    keyword_only: bool = False
    compare: bool = True
    repr: bool = True
    alias: str = ""
    hash: bool | None = None
    frozen: bool = False
    exclude: bool = False
    private: bool = False


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
    """``frozen``, ``order``, ``eq``, ``slots``, ``extra`` … whatever differs from the default.

    ``own_init`` of a dataclass or exception: code of the user's (``__init__``, ``__post_init__``, a factory of
    defaults) makes instances. Where the program holds that compiled, it runs there; else the class is made as
    an opaque one is.
    """
    opaque: bool = False
    """True: constructing it needs user code, so it is done by an inline step in a worker."""


KINDS = frozenset({"model", "dataclass", "namedtuple", "enum", "exception", "typed_dict"})

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def canonical(descriptor: Descriptor) -> bytes:
    """The bytes that the digest is taken of: the same on every machine and Python version."""
    return _encode(descriptor)


def digest(descriptor: Descriptor) -> bytes:
    """16 bytes that name ``descriptor`` by its content."""
    return hashlib.blake2b(canonical(descriptor), digest_size=16).digest()
