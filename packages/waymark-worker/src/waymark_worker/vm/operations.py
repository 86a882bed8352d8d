"""Operands come in; the result of one instruction on values, or CPython's error, goes out."""

from __future__ import annotations

from typing import Any

from waymark_worker.vm.arithmetic import BINARY, INPLACE, UNARY
from waymark_worker.vm.attributes import del_attr, get_attr, load_method, set_attr
from waymark_worker.vm.comparing import COMPARE
from waymark_worker.vm.formatting import format_field as format_value
from waymark_worker.vm.invoking import implementation
from waymark_worker.vm.method_costs import not_callable
from waymark_worker.vm.methods import METHODS
from waymark_worker.vm.records import METHODS as RECORD_METHODS
from waymark_worker.vm.records import call_record_method, get_record_attribute
from waymark_worker.vm.subscripts import del_item, dict_merge, extend, get_item, set_item, unpack
from waymark_worker.vm.weights import weigh

__all__ = [
    "call_method", "compare", "del_attr", "del_item", "dict_merge", "dict_set", "extend", "format_value",
    "get_attr", "get_item", "load_method", "matches", "set_add", "set_attr", "set_item", "truth", "unary",
    "unpack",
]  # fmt: skip

_FLAT: frozenset[type] = frozenset({int, float, bool, str, bytes, type(None)})


def unary(op: str) -> Any:
    """Give the function of a unary operator."""
    return UNARY[op]


def binary(op: str) -> Any:
    """Give the function of a binary operator."""
    return BINARY[op]


def inplace(op: str) -> Any:
    """Give the function of an augmented assignment."""
    return INPLACE[op]


def compare(op: str) -> Any:
    """Give the function of a comparison."""
    return COMPARE[op]


def truth(value: Any) -> bool:
    """Give ``bool(value)``."""
    return bool(value)


def call_method(ctx: Any, obj: Any, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Do ``obj.name(*args, **keywords)`` for a pure method."""
    table = METHODS.get(type(obj))
    if table is not None:
        method = table.get(name)
        if method is not None:
            return method(obj, *args, **keywords)
    if type(obj) in RECORD_METHODS:
        return call_record_method(ctx, get_record_attribute(obj, name), args, keywords)
    callee = get_attr(obj, name)
    run = implementation(callee)
    if run is None:
        raise not_callable(callee)
    return run(ctx, args, keywords)


def matches(error: BaseException, pattern: Any) -> bool:
    """Whether ``except pattern`` takes ``error``."""
    kinds = pattern if isinstance(pattern, tuple) else (pattern,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            msg = "catching classes that do not inherit from BaseException is not allowed"
            raise TypeError(msg)
    return isinstance(error, kinds)


def set_add(target: Any, value: Any) -> None:
    """Add ``value`` to the set that a display or comprehension makes."""
    if type(value) not in _FLAT:
        weigh(value)
    target.add(value)


def dict_set(target: dict[Any, Any], key: Any, value: Any) -> None:
    """Put an item into the dict that a display or comprehension makes."""
    if type(key) not in _FLAT:
        weigh(key)
    target[key] = value
