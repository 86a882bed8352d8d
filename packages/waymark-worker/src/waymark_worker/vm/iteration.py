"""Any value comes in; its items, charged as they are taken, go out without running compiled code."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from typing import Any

from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import type_name
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet

SIZED: frozenset[type] = frozenset(
    (list, tuple, dict, str, bytes, bytearray, range, deque)  # noqa: RUF005 - mypy infers a metaclass
    + (OrderedSet, OrderedFrozenset, Counter, OrderedDict, defaultdict)
)
"""Exact types whose iteration takes as long as they are long."""


def items(value: Any, *, message: str = "{!r} object is not iterable") -> Iterator[Any]:
    """Iterate ``value`` for a pure builtin or method.

    ``message`` is what CPython says at this place when the value cannot be iterated. A record that has
    to run compiled code for its items says so from ``iter()``, before anything was done.
    """
    kind = type(value)
    if kind in SIZED:
        METER.charge(len(value))
        return iter(value)
    if not hasattr(kind, "__iter__"):
        raise TypeError(message.format(type_name(value)))
    if hasattr(kind, "__len__"):
        METER.charge(len(value))
        return iter(value)
    return _metered(iter(value))


def _metered(source: Iterator[Any]) -> Iterator[Any]:
    for item in source:
        METER.charge(1)
        yield item


def hostable(value: Any) -> Any:
    """Give what a host method may iterate in place of ``value``: itself if sized, else a list of its items."""
    kind = type(value)
    if kind in SIZED:
        METER.charge(len(value) >> 2)
        return value
    if not hasattr(kind, "__iter__") or hasattr(kind, "__len__"):
        return value
    return list(items(value))
