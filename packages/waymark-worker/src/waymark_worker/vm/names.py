"""A value comes in; the name CPython would give its type, and what kind of record it is, go out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from waymark_worker.vm.refusals import unsupported_operation

RECORDS: dict[type, str] = {}
"""Records of the machine that workflow code can hold, and the name of CPython's type for them."""

STANDING_FOR: dict[type, type] = {}
"""Records with the host's class that they stand for, which says what attributes there could be."""

CALLABLES: set[type] = set()
"""Records that workflow code can call."""

ITERABLES: set[type] = set()
"""Records that are iterators of Python, for host code too."""

SPECIALS = "__waymark_specials__"
"""Attribute of a class that says which of its special methods are compiled ones."""

_MACHINE = __name__.partition(".")[0] + "."


_TRUTH_OF_NONE: Any = vars(type(None))["__bool__"]
"""Says of anything else that it wants None, and what it was given."""


def register(
    record: type,
    name: str,
    *,
    callable: bool = False,  # noqa: A002 - it is what the builtin asks
    items: Callable[[Any], Iterator[Any]] | None = None,
) -> None:
    """Make a machine record known under the name of the CPython type that it stands for."""
    RECORDS[record] = name
    if record.__module__.startswith(_MACHINE):
        # The host's own operators and the values' errors name a type by these.
        record.__name__ = record.__qualname__ = name
        record.__module__ = "builtins"
        if not hasattr(record, "__deepcopy__"):
            _set_copies(record, refuse_copy)
    if callable:
        CALLABLES.add(record)
    if items is not None:
        ITERABLES.add(record)


def refuse_copy(record: Any, _memo: object = None) -> Any:
    """Stand in for ``__copy__`` and ``__deepcopy__``: the host would copy an object of the machine's own."""
    what = f"copying a {RECORDS[type(record)]}"
    raise unsupported_operation(what, "copy the values that it works on")


def _itself(record: Any, _memo: object = None) -> Any:
    return record


def share(*records: type) -> None:
    """Give these records for copies of themselves, as CPython does for functions and patterns."""
    for record in records:
        _set_copies(record, _itself)


def _set_copies(record: Any, method: Callable[..., Any]) -> None:
    record.__copy__ = record.__deepcopy__ = method


def type_name(value: object) -> str:
    """Name of the type of ``value`` as CPython's messages have it: with its module, if it is written in C."""
    kind = type(value)
    known = RECORDS.get(kind)
    if known is not None:
        return known
    if kind.__module__ == "builtins":
        return kind.__name__
    try:
        # Nothing but CPython's own errors tells this name; None is of a type of builtins.
        _TRUTH_OF_NONE(value)
    except TypeError as error:
        return str(error).rpartition(" ")[2].strip("'")
    raise AssertionError(kind)


def public_name(kind: type) -> str:
    """``__name__`` of a class, which messages written in Python tell: without any module."""
    return RECORDS.get(kind, kind.__name__).rpartition(".")[2]


def has(kind: type, name: str) -> bool:
    """Whether the class of a value has a compiled special method of this name."""
    return name in getattr(kind, SPECIALS, ())
