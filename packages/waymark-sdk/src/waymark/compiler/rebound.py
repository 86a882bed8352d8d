"""What a program was compiled from in; whether all of it still is what it was then, out: tests put other things there."""

from __future__ import annotations

import builtins
import operator
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from waymark.compiler import members
from waymark.compiler.tables import Tables

_MISSING = object()
_WORD = re.compile(r"[^\W\d]\w*")
_OWN = re.compile(r"__(waymark|pydantic)_|_abc_impl|__(annotat|abstractmethods|signature)")
"""Entries of a class that come and go without anybody patching it."""


class Entries:
    """The entries of a class, by name."""

    __slots__ = ("_cls", "_entries", "_size")

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self._entries = _entries(cls)
        self._size = len(vars(cls))

    def unchanged(self) -> bool:
        """Whether they are the same objects still."""
        now = vars(self._cls)
        if len(now) != self._size:
            if _entries(self._cls).keys() != self._entries.keys():
                return False
            self._size = len(now)
        return all(now.get(name, _MISSING) is value for name, value in self._entries.items())


@dataclass(frozen=True, slots=True)
class Places:
    """Names and what they were bound to when a program was compiled."""

    names: list[tuple[dict[str, Any], str, object]]
    classes: list[Entries]
    functions: list[tuple[FunctionType, tuple[object, ...]]]

    def unchanged(self) -> bool:
        """Whether nothing has been bound to another object since."""
        return (
            all(names.get(name, _MISSING) is found for names, name, found in self.names)
            and all(entries.unchanged() for entries in self.classes)
            and all(
                all(map(operator.is_, parts, _parts(function)))
                for function, parts in self.functions
            )
        )


def places_of(tables: Tables) -> Places:
    """Return all that the program of ``tables`` may have been compiled from: rather more than less."""
    functions = list(dict.fromkeys(job.function for job in tables.jobs))
    found: dict[tuple[int, str], tuple[dict[str, Any], str, object]] = {}
    for function in functions:
        for names, name in _looked_up(function.__globals__, frozenset(_mentioned(function))):
            found[id(names), name] = (names, name, names.get(name, _MISSING))
    classes = dict.fromkeys(
        base
        for cls in (tables.workflow, *tables.classes(), *_classes_of(found.values()))
        for base in cls.__mro__
        if not members.is_library(base.__module__)
    )
    return Places(
        list(found.values()),
        [Entries(cls) for cls in classes],
        [(function, _parts(function)) for function in functions],
    )


def _looked_up(
    names: dict[str, Any], mentioned: frozenset[str]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Each place that these names, dotted or not, may mean: in a module, and in the modules that it names."""
    seen: set[int] = set()
    todo = [names]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for name in mentioned:
            value = current.get(name, _MISSING)
            if value is _MISSING and current is not names:
                continue
            yield current, name
            if value is _MISSING and name in vars(builtins):
                yield vars(builtins), name
            if isinstance(value, ModuleType):
                todo.append(vars(value))


def _mentioned(function: FunctionType) -> Iterator[str]:
    """Names that stand in a function, its annotations included."""
    yield from _names_in(function.__code__)
    for hint in function.__annotations__.values():
        if isinstance(hint, str):
            yield from _WORD.findall(hint)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _classes_of(found: Iterable[tuple[dict[str, Any], str, object]]) -> Iterator[type]:
    for _, _, value in found:
        if isinstance(value, type):
            yield value


def _entries(cls: type) -> dict[str, object]:
    return {name: value for name, value in vars(cls).items() if not _OWN.match(name)}


def _parts(function: FunctionType) -> tuple[object, ...]:
    return (
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        *(_content(cell) for cell in function.__closure__ or ()),
    )


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING
