"""A captured value or a class goes in; wire bytes that depend on nothing but its content, or its descriptor, come out."""

from __future__ import annotations

import datetime as dt
import enum
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from waymark_schema.values.binding import Build, TypeRef
from waymark_schema.values.codec import Codec
from waymark_schema.values.describe import describe, kind_of
from waymark_schema.values.descriptors import Descriptor

SCALARS = (type(None), bool, int, float, str, bytes)
IMMUTABLE = (
    *SCALARS, dt.datetime, dt.date, dt.time, dt.timedelta, dt.timezone, ZoneInfo,
    Decimal, Fraction, UUID, range,
)  # fmt: skip
"""Exact types whose values are constants of a program."""


def is_immutable(value: object) -> bool:
    """Whether ``value`` can be shared by all frames: nothing in it can ever change."""
    if type(value) in {tuple, frozenset}:
        return all(map(is_immutable, value))  # type: ignore[call-overload]  # iterable, see the line above
    return (
        type(value) in IMMUTABLE
        or isinstance(value, enum.Enum)
        or (isinstance(value, PurePath) and type(value).__module__.startswith("pathlib"))
    )


class _Items(list[Any]):
    """The items of a set in an order that every process finds."""


class _FrozenItems(list[Any]):
    """The items of a frozenset in an order that every process finds."""


class _Writing:
    """Binding of a codec that only writes."""

    set_type: type = _Items
    frozenset_type: type = _FrozenItems

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def describe(self, cls: type) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
        return self._writer.described(cls)

    def builders(self, refs: Sequence[TypeRef]) -> list[Build]:
        raise NotImplementedError

    def exception(self, parts: object, refs: Sequence[TypeRef]) -> BaseException:
        raise NotImplementedError


class Writer:
    """Encodes what a program captures and describes classes, each once."""

    def __init__(self) -> None:
        self._codec = Codec(_Writing(self))
        self._described: dict[type, tuple[Descriptor, tuple[Descriptor, ...]] | None] = {}

    def described(self, cls: type) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
        """Return the descriptor of a class with those it refers to, or None if it has no durable kind."""
        if cls not in self._described:
            self._described[cls] = describe(
                cls, lambda value: self.encode(value, path=cls.__name__)
            )
        return self._described[cls]

    def encode(self, value: object, *, path: str = "value") -> bytes:
        """Wire form of ``value``; sets are written in the order of their items' wire forms.

        Raises ``SerializationError`` for what cannot be kept durably.
        """
        return self._codec.encode(self._ordered(value), path=path)

    def _ordered(self, value: Any) -> Any:
        match value:
            case list() | tuple() if type(value) in {list, tuple}:
                return type(value)(map(self._ordered, value))
            case dict() if type(value) is dict:
                return {self._ordered_key(key): self._ordered(item) for key, item in value.items()}
            case frozenset() if type(value) is frozenset:
                return _FrozenItems(self._sorted(value))
            case set() if type(value) is set:
                return _Items(self._sorted(value))
        return value

    def _ordered_key(self, key: Any) -> Any:
        if type(key) is tuple and any(type(part) is frozenset for part in key):
            return tuple(map(self._ordered_key, key))
        return key

    def _sorted(self, items: Iterable[Any]) -> list[Any]:
        return sorted(
            map(self._ordered, items), key=lambda item: self._codec.encode(item, path="item")
        )


def classes_in(value: Any) -> Iterator[type]:
    """Classes of the objects in a value, the value's own among them."""
    kind = type(value)
    if isinstance(value, Mapping):
        parts: Iterable[Any] = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset | deque):
        parts = value
    else:
        parts = vars(value).values() if kind_of(kind) in {"model", "dataclass"} else ()
    if kind_of(kind) is not None:
        yield kind
    for part in parts:
        yield from classes_in(part)
