"""Arguments of ``sum`` come in; the sum, each item's cost charged beforehand, goes out."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from waymark_worker.vm.arithmetic import add, bits_of
from waymark_worker.vm.iteration import SIZED, items
from waymark_worker.vm.meter import METER


def total(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Carry out ``sum``."""
    if not args or len(args) > 2 or not keywords.keys() <= {"start"}:  # noqa: PLR2004 - as CPython counts
        return sum(*args, **keywords)
    start = args[1] if len(args) > 1 else keywords.get("start", 0)
    if type(args[0]) in SIZED:
        return _summed(list(items(args[0])), start)
    return _summed_as_they_come(items(args[0]), start)


def _summed(values: list[Any], start: Any) -> Any:
    if all(isinstance(value, int | float) for value in values):
        METER.charge(sum(bits_of(value) >> 6 for value in values))
        return sum(values, start)
    if isinstance(start, str | bytes | bytearray):
        return sum(values, start)  # raises CPython's TypeError
    return functools.reduce(add, values, start)


def _summed_as_they_come(source: Iterator[Any], start: Any) -> Any:
    """Sum up without asking for an item behind one that cannot be added."""
    others: list[Any] = []

    def numbers() -> Iterator[Any]:
        for value in source:
            if not isinstance(value, int | float):
                others.append(value)
                return
            METER.charge(bits_of(value) >> 6)
            yield value

    summed = sum(numbers(), start)
    for value in itertools.chain(others, source if others else ()):
        summed = add(summed, value)
    return summed
