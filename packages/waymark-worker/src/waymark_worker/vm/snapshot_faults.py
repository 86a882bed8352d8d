"""Exceptions as parts of a snapshot: an instance comes in, what its class keeps outside ``args`` goes out, and back."""

from __future__ import annotations

import asyncio.exceptions
import dataclasses
import decimal
import json.decoder
import zoneinfo
from itertools import islice
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from waymark_schema.values import validation
from waymark_schema.values.faults import MARK, Remains, well_known
from waymark_schema.values.validation import Findings
from waymark_worker.vm.library_faults import LIBRARY_FAULTS

_POSITIONS = ("encoding", "start", "end", "reason", "object")
SPECIAL: tuple[tuple[type[BaseException], tuple[str, ...]], ...] = (
    (OSError, ("filename", "filename2", "errno", "strerror", "characters_written")),
    (ImportError, ("name", "path", "msg")),
    (AttributeError, ("name",)),
    (NameError, ("name",)),
    (SyntaxError, ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset")),
    (StopIteration, ("value",)),
    (SystemExit, ("code",)),
    (UnicodeDecodeError, _POSITIONS),
    (UnicodeEncodeError, _POSITIONS),
    (UnicodeTranslateError, _POSITIONS),
)
"""What classes of the host keep outside ``args`` and ``__dict__``. Part of the layout: add at the end, never change."""
_GIVEN_AS_NONE = frozenset({"errno", "strerror"})
"""Fields that say something else when they are None than when nobody ever gave them: see ``_is_given``."""


def _failures_of(module: ModuleType) -> dict[str, type[BaseException]]:
    return {
        f"{value.__module__}:{value.__qualname__}": value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseException)
    }


HOST_FAULTS: dict[str, type[BaseException]] = {
    name: cls
    for module in (asyncio.exceptions, decimal, json.decoder, zoneinfo)
    for name, cls in _failures_of(module).items()
} | {f"{cls.__module__}:{cls.__qualname__}": cls for cls in LIBRARY_FAULTS.values()}
"""Classes that implementations of the machine raise, beside builtin ones and Waymark's own."""


def fault_name(cls: type) -> str | None:
    """Name of an exception class that is the same in every process, or None."""
    name = f"{cls.__module__}:{cls.__qualname__}"
    if HOST_FAULTS.get(name) is cls or well_known(name) is cls:
        return name
    return cls.__name__ if well_known(cls.__name__) is cls else None


def fault_class(name: str) -> type[BaseException]:
    """The class of such a name; raises LookupError."""
    found = well_known(name) or HOST_FAULTS.get(name)
    if found is None:
        msg = f"there is no exception class {name!r:.100}"
        raise LookupError(msg)
    return found


def blank(cls: type) -> BaseException:
    """An instance without its parts."""
    if not issubclass(cls, BaseException):
        msg = f"{cls.__name__} is no exception class"
        raise TypeError(msg)
    native = _native(cls)
    made: BaseException = native.__new__(cls)
    return made


def group(cls: type, message: Any, exceptions: list[Any]) -> BaseException:
    """An instance of an exception group around exceptions that may be blank still."""
    native = _native(cls)
    if not issubclass(native, BaseExceptionGroup):
        msg = f"{cls.__name__} is no class of exception groups"
        raise TypeError(msg)
    made: BaseException = native.__new__(cls, message, exceptions)
    return made


def _native(cls: type) -> Any:
    return next(base for base in cls.__mro__ if base.__module__ == "builtins")


def special_parts(error: BaseException) -> list[Any]:
    """Values of what its class keeps outside ``args`` and ``__dict__``."""
    for kind, names in SPECIAL:
        if isinstance(error, kind):
            return [_read(error, kind, name) for name in names]
    return []


def _read(error: BaseException, kind: type, name: str) -> Any:
    try:
        return kind.__dict__[name].__get__(error)
    except AttributeError:
        return None  # never given


def past(error: BaseException) -> list[Any] | None:
    """What it still knows of the process where it was raised."""
    found = error.__dict__.get(MARK)
    if not isinstance(found, Remains):
        return None
    return [getattr(found, field.name) for field in dataclasses.fields(Remains)]


def fill(
    error: BaseException,
    args: tuple[Any, ...],
    held: dict[str, Any],
    special: list[Any],
    told: list[Any] | None,
) -> None:
    """Give a blank exception its parts."""
    error.args = args
    error.__dict__.update(held)
    if told is not None:
        texts: list[Any] = [tuple(each) if isinstance(each, list) else each for each in told]
        error.__dict__[MARK] = Remains(*texts)
    for kind, names in SPECIAL:
        if isinstance(error, kind):
            if len(special) < len(names):  # as it was written before all of them were kept
                kind.__init__(error, *args)
            for name, value in zip(names, special, strict=False):
                if _is_given(name, value, args):
                    kind.__dict__[name].__set__(error, _fitting(kind, name, value))
            return


def _is_given(name: str, value: Any, args: tuple[Any, ...]) -> bool:
    return value is not None or (name in _GIVEN_AS_NONE and len(args) > 1)


def _fitting(kind: type[BaseException], name: str, value: Any) -> Any:
    """The host reads what a UnicodeError is about without a look at its type."""
    if name == "object":
        expected = bytes if kind is UnicodeDecodeError else str
        if not isinstance(value, expected):
            msg = f"the object of a {kind.__name__} is a {type(value).__name__}"
            raise TypeError(msg)
    return value


def validation_parts(found: Findings) -> tuple[list[list[Any]], list[int]]:
    """Types, templates, places, inputs, names and values of contexts, each a list of its own; how many names each has."""
    lines = found.lines
    return [
        [line.type for line in lines],
        [line.template for line in lines],
        [line.loc for line in lines],
        [line.input for line in lines],
        [name for line in lines for name in line.context],
        [value for line in lines for value in line.context.values()],
    ], [len(line.context) for line in lines]


def validation_error(how: list[Any], parts: list[list[Any]], counts: list[int]) -> ValidationError:
    """The error that ``validation_parts`` took apart."""
    title, mode, hidden = how
    *parts, names, values = parts
    contexts = iter(zip(names, values, strict=True))
    lines = [
        [kind, loc, given, dict(islice(contexts, count)), template]
        for kind, template, loc, given, count in zip(*parts, counts, strict=True)
    ]
    return validation.read([title, lines, mode, hidden])
