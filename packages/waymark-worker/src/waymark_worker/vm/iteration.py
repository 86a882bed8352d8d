"""Any value comes in; its items, charged as they are taken, go out without running compiled code."""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from operator import length_hint
from typing import Any

from waymark_worker.vm.iterators import ALL, STATEFUL, Framed
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
        return _own_items(value)
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


def _own_items(value: Any) -> Iterator[Any]:
    """Iterate a value whose ``__iter__`` or ``__getitem__`` is compiled: the first is called once."""
    source = iter(value)
    # Nothing is made ahead: an instruction that runs anew would call ``__iter__`` once more.
    own = source.__class__ not in STATEFUL
    return _steps(lambda: next(source)) if own else _metered(source)


def one_by_one(value: Any, *, message: str = "{!r} object is not iterable") -> Iterator[Any]:
    """Iterate ``value`` for a builtin that may stop early: an iterator is asked for one item at a time.

    An iterator that needs compiled code may be asked again after its next item was made, and what it gave
    before does not come back; so whoever consumes this must keep nothing of the items that went by.
    """
    if isinstance(value, Framed):
        return _steps(lambda: next_item(value))
    if _is_iterator(type(value)):
        return _steps(lambda: next(value))
    return items(value, message=message)


def next_item(iterator: Any) -> Any:
    """Give ``next(iterator)``."""
    if isinstance(iterator, Framed):
        iterator.prepare(1)
    return next(iterator)


def _is_iterator(kind: type) -> bool:
    """Whether this is an iterator that is not of the program's own making: those have an ``__iter__`` to call."""
    return hasattr(kind, "__next__") and not has(kind, "__next__")


def first_items(
    value: Any, count: int, *, message: str = "{!r} object is not iterable"
) -> Iterator[Any]:
    """Iterate ``value`` for a builtin that takes at most ``count`` items of it."""
    kind = type(value)
    if isinstance(value, Framed):
        value.prepare(count)
    elif kind in SIZED:
        METER.charge(min(len(value), count))
        return iter(value)
    elif not _is_iterator(kind):
        return items(value, message=message)
    return _steps(lambda: next(value))


def _steps(take: Callable[[], Any]) -> Iterator[Any]:
    while True:
        METER.charge(_PER_ITEM)
        try:
            item = take()
        except StopIteration:
            return
        yield item


def prepare(*values: Any) -> None:
    """Have what needs frames for its items make them, one value after the other, before any item is taken.

    It does nothing where each item is made when it is asked for. Where an instruction runs anew once the
    items are there, those of one argument must not be gone when those of the next are asked for.
    """
    for value in values:
        if isinstance(value, Framed):
            value.prepare(ALL)


def hostable(value: Any) -> Any:
    """Give what a host method may iterate in place of ``value``: itself if sized, else its items as they come."""
    kind = type(value)
    if kind in SIZED:
        METER.charge(len(value) >> 2)
        return value
    if not hasattr(kind, "__iter__") or hasattr(kind, "__len__") or has(kind, "__iter__"):
        return value
    return items(value)


def listed(value: Any) -> Any:
    """Give what a host method may iterate more than once, or measure, in place of ``value``."""
    found = hostable(value)
    return found if found is value else list(found)
