"""A value goes in, all that can be told of it as plain tuples comes out: equal forms, equal values, to the last detail."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretBytes, SecretStr

from waymark_schema.values import faults, scalars
from waymark_schema.values.binding import TypeBinding
from waymark_schema.values.records import FrozenSetItems, Record, SetItems

_PLAIN = {type(None), bool, int, float, str, bytes}
_CONTAINERS = {
    *(list, tuple, set, frozenset, SetItems, FrozenSetItems),
    *(deque, dict, OrderedDict, Counter, defaultdict),
}


def form(value: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line per family
    """Types, signs of zero, trailing zeros, folds, names of zones, order, fields that were given: all but which nan it is."""
    kind = type(value)
    match value:
        case enum.Enum():
            return kind, value._name_, form(value._value_)
        case int():
            return kind, hex(value)
        case float():
            return kind, value.hex()
        case complex():
            return kind, form(value.real), form(value.imag)
        case datetime() | time():
            return kind, value.replace(tzinfo=None, fold=0), value.fold, form(value.tzinfo)
        case ZoneInfo():
            return kind, value.key
        case slice() | range():
            return kind, form(value.start), form(value.stop), form(value.step)
        case SecretStr() | SecretBytes():
            return kind, value.get_secret_value()
        case dict():
            factory = getattr(value, "default_factory", None)
            return kind, factory, *((form(key), form(item)) for key, item in value.items())
        case set() | frozenset():
            return kind, *sorted(map(form, value), key=repr)
        case list() | tuple() | deque():
            return kind, getattr(value, "maxlen", None), *map(form, value)
        case BaseModel():
            private = getattr(value, "__pydantic_private__", None)
            beside = (value.__pydantic_extra__, value.__pydantic_fields_set__, private)
            return kind, form(value.__dict__), *map(form, beside)
        case _:
            pass
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        held = {name: getattr(value, name) for name in names if hasattr(value, name)}
        return kind, form(held)
    return kind, repr(value)  # ``==`` is too kind to Decimal("1.10") and to timezones with a name


def of_odd_types(value: Any, binding: TypeBinding) -> list[type]:
    """Types somewhere in ``value`` of which no value that ``binding`` reads may be."""
    return [type(each) for each in _parts(value) if not _durable(each, binding)]


def _durable(value: Any, binding: TypeBinding) -> bool:
    kind = type(value)
    if kind in _PLAIN or kind in _CONTAINERS or kind in scalars.WRAPS:
        return True
    if isinstance(value, BaseException):
        return True
    return kind is Record or binding.describe(kind) is not None


def _parts(value: Any) -> Iterator[Any]:
    """The value, and all that it holds."""
    yield value
    for each in _held(value):
        yield from _parts(each)


def _held(value: Any) -> Iterable[Any]:  # noqa: PLR0911 - one line per family
    match value:
        case Record():
            return [value.payload]
        case enum.Enum():
            return [value._value_]
        case dict():
            return [*value, *value.values()]
        case list() | tuple() | set() | frozenset() | deque():
            return value
        case slice():
            return [value.start, value.stop, value.step]
        case datetime() | time():
            return [value.tzinfo]
        case BaseModel():
            return [value.__dict__, value.__pydantic_extra__, value.__pydantic_private__]
        case BaseException():
            held = [value.args, faults.attributes(value), faults.notes(value)]
            return [*held, value.__cause__, value.__context__]
        case _ if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
            return [getattr(value, name) for name in names if hasattr(value, name)]
        case _:
            return []
