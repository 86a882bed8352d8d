"""A container and a key come in; the item, or the changed container, goes out."""

from __future__ import annotations

import enum
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

from waymark_worker.vm.callables import Builtin
from waymark_worker.vm.iteration import first_items, hostable, items
from waymark_worker.vm.meter import METER, check_items
from waymark_worker.vm.names import RECORDS, type_name
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.regexes import Match
from waymark_worker.vm.weights import weigh

_SEQUENCES: frozenset[type] = frozenset({list, tuple, str, bytes, bytearray, range, deque})
_MAPPINGS: frozenset[type] = frozenset({dict, Counter, OrderedDict, defaultdict})
_MUTABLE: frozenset[type] = frozenset({list, bytearray, deque}) | _MAPPINGS
_FLAT: frozenset[type] = frozenset({int, float, bool, str, bytes, type(None)})


def get_item(obj: Any, key: Any) -> Any:
    """Give ``obj[key]``."""
    kind = type(obj)
    if kind in _MAPPINGS:
        if type(key) not in _FLAT:
            weigh(key)
        return obj[key]
    if kind in _SEQUENCES:
        if type(key) is slice:
            METER.charge(len(obj) >> 4)
        return obj[key]
    return _item_of_other(obj, kind, key)


def _item_of_other(obj: Any, kind: type, key: Any) -> Any:
    if isinstance(obj, tuple):
        return obj[key]
    if isinstance(obj, enum.EnumMeta):
        return obj[key]
    if isinstance(obj, Builtin) and obj.name.startswith("asyncio."):
        what = f"the generic type {obj.name}[...] as a value"
        raise unsupported_operation(what, "write it in an annotation only")
    if isinstance(obj, type):
        if hasattr(obj, "__class_getitem__"):
            what = f"the generic type {obj.__name__}[...] as a value"
            raise unsupported_operation(what, "write it in an annotation only")
        msg = f"type {obj.__name__!r} is not subscriptable"
        raise TypeError(msg)
    if kind is not Match and (kind in RECORDS or not hasattr(kind, "__getitem__")):
        msg = f"{type_name(obj)!r} object is not subscriptable"
        raise TypeError(msg)
    return obj[key]


def set_item(obj: Any, key: Any, value: Any) -> None:
    """Do ``obj[key] = value``."""
    kind = type(obj)
    if kind not in _MUTABLE:
        if kind in RECORDS or not hasattr(kind, "__setitem__"):
            msg = f"{type_name(obj)!r} object does not support item assignment"
            raise TypeError(msg)
    elif kind in _MAPPINGS:
        if type(key) not in _FLAT:
            weigh(key)
    elif type(key) is slice:
        METER.charge(len(obj) >> 4)
        if value is not obj:
            value = hostable(value)
    obj[key] = value


def del_item(obj: Any, key: Any) -> None:
    """Do ``del obj[key]``."""
    kind = type(obj)
    if kind not in _MUTABLE and (kind in RECORDS or not hasattr(kind, "__delitem__")):
        by_index = hasattr(kind, "__len__") and hasattr(type(key), "__index__")
        verb = "doesn't" if by_index else "does not"
        msg = f"{type_name(obj)!r} object {verb} support item deletion"
        raise TypeError(msg)
    if kind in {list, bytearray, deque}:
        METER.charge(len(obj) >> 6)
    del obj[key]


def unpack(value: Any, count: int, star: int = -1) -> list[Any]:
    """Split ``value`` over ``count`` targets, of which number ``star`` takes what is left (-1: none does)."""
    kind = type(value)
    if star < 0 and (kind is tuple or kind is list) and len(value) == count:
        return list(value)
    message = "cannot unpack non-iterable {} object"
    if star >= 0:
        return _unpack_starred(list(items(value, message=message)), count, star)
    taken: list[Any] = []
    for item in first_items(value, count + 1, message=message):
        if len(taken) == count:
            msg = f"too many values to unpack (expected {count})"
            raise ValueError(msg)
        taken.append(item)
    if len(taken) < count:
        msg = f"not enough values to unpack (expected {count}, got {len(taken)})"
        raise ValueError(msg)
    return taken


def _unpack_starred(values: list[Any], count: int, star: int) -> list[Any]:
    fixed = count - 1
    if len(values) < fixed:
        msg = f"not enough values to unpack (expected at least {fixed}, got {len(values)})"
        raise ValueError(msg)
    after = fixed - star
    end = len(values) - after
    return [*values[:star], values[star:end], *values[end:]]


def extend(target: Any, value: Any, site: str = "display") -> None:
    """Do ``*value`` inside a list or set display, or among the arguments of a call."""
    found = items(value, message="Value after * must be an iterable, not {}")
    check_items(len(target) >> 10, "the display")
    if isinstance(target, list):
        target.extend(found)
    else:
        target.update(found)


def dict_merge(
    target: dict[Any, Any], value: Any, site: str = "display", callee: str = "function"
) -> None:
    """Do ``**value`` inside a dict display, or among the keyword arguments of a call of ``callee``."""
    if not isinstance(value, dict):
        if site == "call":
            msg = f"{callee} argument after ** must be a mapping, not {type_name(value)}"
        else:
            msg = f"{type_name(value)!r} object is not a mapping"
        raise TypeError(msg)
    METER.charge(len(value))
    if site == "call":
        for name in value:
            if not isinstance(name, str):
                msg = "keywords must be strings"
                raise TypeError(msg)
            if name in target:
                msg = f"{callee} got multiple values for keyword argument {name!r}"
                raise TypeError(msg)
    target.update(value)
