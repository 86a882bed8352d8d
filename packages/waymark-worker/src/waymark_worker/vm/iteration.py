"""Any value comes in; its items, charged as they are taken, go out without running compiled code."""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from operator import length_hint
from typing import Any

from waymark_worker.vm.iterators import Carried
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import has, type_name
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet

SIZED: frozenset[type] = frozenset(
    (list, tuple, dict, str, bytes, bytearray, range, deque)  # noqa: RUF005 - mypy infers a metaclass
    + (OrderedSet, OrderedFrozenset, Counter, OrderedDict, defaultdict)
)
"""Exact types whose iteration takes as long as they are long."""

_PER_ITEM = 3
"""Units for taking one item by itself and keeping it."""


def items(value: Any, *, message: str = "{!r} object is not iterable") -> Iterator[Any]:
    """Iterate ``value`` for a pure builtin or method.

    ``message`` is what CPython says at this place when the value cannot be iterated. A record that has
    to run compiled code for its items says so from ``iter()``, before anything was done.
    """
    kind = type(value)
    if kind in SIZED:
        METER.charge(len(value))
        return iter(value)
    if not hasattr(kind, "__iter__") and not has(kind, "__getitem__"):
        raise TypeError(message.format(type_name(value)))
    if hasattr(kind, "__len__") and not has(kind, "__len__"):
        METER.charge(len(value))
        return iter(value)
    if has(kind, "__iter__") or has(kind, "__getitem__"):
        # Its length is code of the program's, which nobody asked to run.
        return _metered(iter(value))
    expected = _expected(value)
    if expected > METER.left:
        METER.charge(expected)
    return _metered(iter(value))


def _expected(value: Any) -> int:
    """How many items ``value`` will give at least, as far as it can be told without taking one; 0 if not."""
    if type(value) is enumerate:
        return _expected(value.__reduce__()[1][0])
    if type(value) is zip:
        return min(map(_expected, value.__reduce__()[1]), default=0)
    try:
        return length_hint(value, 0)
    except OverflowError:
        return sys.maxsize


def _metered(source: Iterator[Any]) -> Iterator[Any]:
    for item in source:
        METER.charge(_PER_ITEM)
        yield item


def one_by_one(value: Any, *, message: str = "{!r} object is not iterable") -> Iterator[Any]:
    """Iterate ``value`` for a builtin that may stop early: an iterator is asked for one item at a time.

    An iterator that needs compiled code is asked again after its next item was made, and what it gave
    before does not come back; so whoever consumes this must keep nothing of the items that went by.
    """
    if not hasattr(type(value), "__next__"):
        return items(value, message=message)
    return _steps(value)


def _steps(source: Any) -> Iterator[Any]:
    while True:
        METER.charge(_PER_ITEM)
        try:
            item = next(source)
        except StopIteration:
            return
        yield item


def items_before_failure(value: Any) -> tuple[list[Any], Carried | None]:
    """Give all items and, if compiled code that made them failed, what has to be raised behind them."""
    taken: list[Any] = []
    try:
        taken.extend(items(value))
    except Carried as carried:
        return taken, carried
    return taken, None


def hostable(value: Any) -> Any:
    """Give what a host method may iterate in place of ``value``: itself if sized, else a list of its items."""
    kind = type(value)
    if kind in SIZED:
        METER.charge(len(value) >> 2)
        return value
    if not hasattr(kind, "__iter__") or hasattr(kind, "__len__") or has(kind, "__iter__"):
        return value
    return list(items(value))
