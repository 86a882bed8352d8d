"""A callable value comes in; the function that carries out a call of it, if it is pure, goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from waymark_worker.vm.names import RECORDS
from waymark_worker.vm.refusals import unsupported_operation

Implementation = Callable[[Any, list[Any], dict[str, Any]], Any]
"""``f(ctx, args, keywords)``; ``ctx`` is the machine's call context, or None inside another builtin."""


RESOLVERS: dict[type, Callable[[Any], Implementation | None]] = {}
"""How to find the implementation for each kind of callable record."""

CONSTRUCTORS: dict[type, Implementation] = {}
"""How to call each builtin type."""


def implementation(value: Any) -> Implementation | None:
    """Give what carries out a call of ``value``, or None where that is not a pure callable."""
    resolver = RESOLVERS.get(type(value))
    if resolver is not None:
        return resolver(value)
    if isinstance(value, type):
        return CONSTRUCTORS.get(value) or _construct(value)
    return None


def _make_no_class(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Refuse to call a metaclass: pydantic's would evaluate whatever text it was given for an annotation."""
    what = "making a class with the type of another one"
    raise unsupported_operation(what, "write the class at module level")


def _construct(cls: type) -> Implementation | None:
    if cls in RECORDS:
        return None
    if issubclass(cls, type):
        return _make_no_class

    def construct(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        return cls(*args, **keywords)

    return construct


def apply_each(function: Any, values: Iterable[Any]) -> list[Any]:
    """Call a pure callable with each of ``values``: keys of ``sort``, ``sorted``, ``min`` and ``max``."""
    run = implementation(function)
    if run is None:
        msg = f"{RECORDS.get(type(function), type(function).__name__)!r} object is not callable"
        raise TypeError(msg)
    return [run(None, [value], {}) for value in values]
