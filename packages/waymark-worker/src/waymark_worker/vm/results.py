"""The language's name of a named tuple that functions of the standard library return comes in; its class goes out."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import ParseResult, SplitResult

RESULTS: dict[str, type] = {
    "urllib.parse.ParseResult": ParseResult,
    "urllib.parse.SplitResult": SplitResult,
    "datetime.IsoCalendarDate": type(dt.date.min.isocalendar()),
}
"""Classes that a workflow cannot name, and whose values it can keep."""


def remade(cls: type, parts: list[Any]) -> tuple[Any, ...]:
    """Make a named tuple of its parts, without a ``__new__`` of the program's."""
    if cls is RESULTS["datetime.IsoCalendarDate"]:
        made: tuple[Any, ...] = cls(*parts)
        return made
    return tuple.__new__(cls, parts)
