"""A captured value or a class goes in; wire bytes that depend on nothing but its content, or its descriptor, come out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import operator
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from waymark_schema.failures import SerializationError
from waymark_schema.values.binding import Build, TypeRef
from waymark_schema.values.codec import Codec
from waymark_schema.values.describe import describe, kind_of
from waymark_schema.values.descriptors import Descriptor

SCALARS = (type(None), bool, int, float, complex, str, bytes)
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


def is_tuple_of_names(value: object) -> bool:
    """Whether ``value`` is a tuple in which classes and functions stand, and nothing that can change."""
    if type(value) is not tuple or is_immutable(value):
        return False
    return all(is_immutable(one) or is_name(one) or is_tuple_of_names(one) for one in value)


def is_name(value: object) -> bool:
    """Whether a value is a class or function, and so is told by its name: no object that can be called."""
    return isinstance(value, type | FunctionType | BuiltinFunctionType)


def is_applied(value: object) -> bool:
    """Whether a value is a function that ``functools.partial`` or a getter of ``operator`` made."""
    made = (functools.partial, operator.itemgetter, operator.attrgetter, operator.methodcaller)
    return type(value) in made


def holds_names(value: object) -> bool:
    """Whether a class or function stands somewhere in a container, or in a field of an object."""
    return any(callable(part) for one in within(value) for part in parts_of(one))


def holds_itself(value: object) -> bool:
    """Whether a container or object can be reached from itself."""
    return any(part is value for one in within(value) for part in parts_of(one))


def without_advice(error: SerializationError, value: object) -> str:
    """What is wrong with a value; what to do with an action's argument does not help with a captured one."""
    return str(error).partition(";")[0] if holds_names(value) else str(error)


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
        self._codec = Codec(_Writing(self), sorted_sets=True)
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


def is_changeable(value: object) -> bool:
    """Whether an object of its own can change, so that two names of it are more than names of equal values."""
    if dataclasses.is_dataclass(value):
        return not isinstance(value, type) and not _is_frozen_dataclass(type(value))
    if kind_of(type(value)) == "model":
        return not getattr(type(value), "model_config", {}).get("frozen", False)
    return isinstance(value, list | dict | set | deque | bytearray)


def _is_frozen_dataclass(cls: Any) -> bool:
    return bool(cls.__dataclass_params__.frozen)


def parts_of(value: Any) -> Iterable[Any]:
    """What is in a container, or in the fields of a model or dataclass."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return value
    if isinstance(value, type):
        return ()
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return vars(value).values() if kind_of(type(value)) == "model" else ()


def within(value: Any) -> Iterator[Any]:
    """Every object in a value, itself first; what is there more than once, or holds itself, comes once."""
    left: list[Any] = [value]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            left += reversed([*parts_of(one)])


def classes_in(value: Any) -> Iterator[type]:
    """Classes of the objects in a value, the value's own first."""
    return (type(one) for one in within(value) if kind_of(type(one)) is not None)
