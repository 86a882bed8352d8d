"""A type and a name come in; the implementation of that pure method, or None, goes out."""

from __future__ import annotations

import collections
import datetime as dt
import pathlib
import random
import uuid
import zoneinfo
from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Any

from pydantic import BaseModel, ValidationError

from waymark_schema.ir import language
from waymark_schema.ir.policies import Backoff, RetryPolicy
from waymark_worker.vm.decimals import Unshared
from waymark_worker.vm.digests import Digest
from waymark_worker.vm.exception_groups import METHODS as GROUP_METHODS
from waymark_worker.vm.method_costs import OVERRIDES, cheap, scanning
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.recorded import RANDOM_METHODS
from waymark_worker.vm.regexes import PATTERN_METHODS, Match, Pattern
from waymark_worker.vm.results import RESULTS
from waymark_worker.vm.views import DictItems, DictKeys, DictValues

Method = Callable[..., Any]

TYPES: dict[str, type] = {
    **{
        cls.__name__: cls
        for cls in (
            bool,
            int,
            float,
            str,
            bytes,
            bytearray,
            list,
            tuple,
            dict,
            range,
            slice,
            object,
        )
    },
    "set": OrderedSet,
    "frozenset": OrderedFrozenset,
    "datetime.datetime": dt.datetime,
    "datetime.date": dt.date,
    "datetime.time": dt.time,
    "datetime.timedelta": dt.timedelta,
    "datetime.timezone": dt.timezone,
    "zoneinfo.ZoneInfo": zoneinfo.ZoneInfo,
    "decimal.Decimal": Decimal,
    "decimal.Context": Context,
    "uuid.UUID": uuid.UUID,
    "fractions.Fraction": Fraction,
    "pathlib.PurePosixPath": pathlib.PurePosixPath,
    "pathlib.Path": pathlib.Path,
    "collections.deque": collections.deque,
    "collections.Counter": collections.Counter,
    "collections.OrderedDict": collections.OrderedDict,
    "collections.defaultdict": collections.defaultdict,
    "waymark.RetryPolicy": RetryPolicy,
    "waymark.Backoff": Backoff,
    "waymark.BackoffPolicy": Backoff,
    "random.Random": random.Random,
}
"""The class that stands for each name of ``ir.language.TYPES``."""

_TABLED: dict[str, type] = {
    **TYPES,
    "dict_keys": DictKeys,
    "dict_items": DictItems,
    "dict_values": DictValues,
    "BaseException": BaseException,
    "BaseExceptionGroup": BaseExceptionGroup,
    "pydantic.BaseModel": BaseModel,
    "pydantic.ValidationError": ValidationError,
    "re.Pattern": Pattern,
    "re.Match": Match,
    "hashlib.Digest": Digest,
    **RESULTS,
    "namedtuple": collections.namedtuple("namedtuple", ()),  # noqa: PYI024 - the methods, not the type
}
_CONCRETE: dict[str, type] = {"pathlib.Path": type(pathlib.Path())}
"""Names whose values have another exact type than the class of that name."""


_OF_LIBRARY: dict[str, dict[str, Method]] = {
    "random.Random": RANDOM_METHODS,
    "re.Pattern": PATTERN_METHODS,
    "BaseExceptionGroup": GROUP_METHODS,
}


def _implement(cls: type, type_name: str, name: str) -> Method:
    special = (
        _OF_LIBRARY.get(type_name, {}).get(name)
        or OVERRIDES.get((type_name, name))
        or OVERRIDES.get((type_name.rpartition(".")[2], name))
    )
    if special is not None:
        return special
    host: Method = getattr(cls, name)
    return host if cheap(cls, name) else scanning(host)


def _on_class(type_name: str, name: str) -> Method:
    special = OVERRIDES.get((f"type {type_name.rpartition('.')[2]}", name))

    def run(cls: type, *args: Any, **keywords: Any) -> Any:
        return getattr(cls, name)(*args, **keywords)

    return special or run


def _table() -> dict[type, dict[str, Method]]:
    table: dict[type, dict[str, Method]] = {}
    for type_name, names in language.METHODS.items():
        cls = _TABLED[type_name]
        exact = _CONCRETE.get(type_name, cls)
        # ``int.is_integer`` and the like came with a later CPython than the oldest that runs this.
        table[exact] = {
            name: _implement(cls, type_name, name)
            for name in names
            if hasattr(cls, name) or name in _OF_LIBRARY.get(type_name, ())
        }
    table[bool] = table[int]
    table[Unshared] = table[Context]
    return table


def _readers() -> dict[type, dict[str, Callable[[Any], Any]]]:
    readers: dict[type, dict[str, Callable[[Any], Any]]] = {}
    for type_name, names in language.ATTRIBUTES.items():
        exact = _CONCRETE.get(type_name, _TABLED[type_name])
        readers[exact] = {name: attrgetter(name) for name in names}
    readers[bool] = readers[int]
    readers[Unshared] = readers[Context]
    return readers


NAMES: dict[type, str] = {cls: name for name, cls in reversed(TYPES.items())}
"""The name in ``ir.language`` of each class that stands for one."""
NAMES.update({cls: name for name, cls in _CONCRETE.items()})

METHODS = _table()
ATTRIBUTES = _readers()
CLASS_METHODS: dict[type, dict[str, Method]] = {
    _TABLED[type_name]: {name: _on_class(type_name, name) for name in names}
    for type_name, names in language.CLASS_METHODS.items()
}
CLASS_ATTRIBUTES: dict[type, dict[str, Any]] = {
    _TABLED[type_name]: {name: getattr(_TABLED[type_name], name) for name in names}
    for type_name, names in language.CLASS_ATTRIBUTES.items()
}
NAMED_TUPLE = METHODS[_TABLED["namedtuple"]]
EXCEPTION = METHODS[BaseException]
MODEL = METHODS[BaseModel]


def lookup(kind: type, name: str) -> Method | None:
    """Give ``f(self, *args, **keywords)`` for method ``name`` of values of exactly ``kind``, or None.

    >>> lookup(str, "upper")("abc")
    'ABC'
    >>> lookup(str, "__class__") is None
    True
    """
    table = METHODS.get(kind)
    if table is None:
        table = _inherited(kind)
    return table.get(name)


def _inherited(kind: type) -> dict[str, Method]:
    """Methods of shadow classes: models, exceptions, named tuples, enums that mix a builtin type in."""
    for ancestor in kind.__mro__[1:]:
        if ancestor is tuple and hasattr(kind, "_fields"):
            return NAMED_TUPLE
        table = METHODS.get(ancestor)
        if table is not None:
            return table
    return METHODS[BaseException] if issubclass(kind, BaseException) else {}
