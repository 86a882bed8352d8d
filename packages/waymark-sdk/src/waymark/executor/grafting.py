"""Arguments of an object's own code in; what it made out of them, with the places where they are in it, out.

The workflow puts its own objects there: in CPython they were the very arguments.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import BaseModel

from waymark.coercion import codec
from waymark_schema.failures import SerializationError
from waymark_schema.values.parts import GRAFTED, Path, part, parts, put_part

_WITH_IDENTITY = (list, dict, set, deque, bytearray, BaseModel, BaseException)


def grafted(
    args: list[Any], kwargs: dict[str, Any], same: list[list[Path]], make: Callable[[], Any]
) -> Any:
    """What ``make`` gives, or that with the places of arguments in it; ``same`` arguments are one object first."""
    given = [args, kwargs]
    for path, first in same:
        with suppress(LookupError):  # a field that this class does not have
            put_part(given, path, part(given, first))
    before = _Given(given)
    made = make()
    changed = before.changed()
    more: list[dict[str, Any]] = []
    owners: list[Path] = []
    for path, owner in _own(made):
        attributes = {name: each for name, each in _more(owner).items() if _durable(each)}
        if attributes:
            more.append(attributes)
            owners.append([0, *path])
    whole = [made, more, *(given if changed else ())]
    kept = [list(each) for each in before.places(whole, changed)]
    return [GRAFTED, whole, kept, owners] if kept or more else made


class _Given:
    """The parts of what was given, by identity, and what each of them held."""

    def __init__(self, given: list[Any]) -> None:
        self._paths: dict[int, Path] = {}
        self._held: list[tuple[Any, Any]] = []
        waiting: list[tuple[Path, Any]] = [([index], each) for index, each in enumerate(given)]
        while waiting:
            path, value = waiting.pop()
            if id(value) in self._paths:
                continue
            if len(path) > 1 and _has_identity(value):
                self._paths[id(value)] = path
                self._held.append((value, _content(value)))
            waiting.extend(([*path, key], each) for key, each in parts(value))

    def changed(self) -> set[int]:
        """Those that hold something else now."""
        return {id(value) for value, held in self._held if _differs(held, _content(value))}

    def places(self, whole: Any, changed: set[int]) -> list[tuple[Path, Path, bool]]:
        """Where in ``whole`` they are, and whether they changed; if any did, also where they are in each other."""
        found: list[tuple[Path, Path, bool]] = []
        waiting: list[tuple[Path, Any, frozenset[int]]] = [([], whole, frozenset())]
        while waiting:
            path, value, around = waiting.pop()
            known = self._paths.get(id(value))
            if known is not None:
                found.append((path, known, id(value) in changed))
            if id(value) not in around and (changed or known is None):
                inside = around | {id(value)}
                waiting.extend(([*path, key], each, inside) for key, each in parts(value))
        return sorted(found, key=lambda each: (len(each[0]), [str(key) for key in each[0]]))


def _has_identity(value: Any) -> bool:
    return (
        isinstance(value, _WITH_IDENTITY)
        or (isinstance(value, tuple) and bool(value))
        or (dataclasses.is_dataclass(value) and not isinstance(value, type))
    )


def _content(value: Any) -> Any:
    if isinstance(value, set | bytearray):
        return value.copy()
    keys = list(value) if isinstance(value, dict) else None
    return keys, list(parts(value))


def _differs(one: Any, other: Any) -> bool:
    if not isinstance(one, tuple):
        return bool(one != other)
    if one[0] != other[0] or len(one[1]) != len(other[1]):
        return True
    return any(
        name != key or each is not found
        for (name, each), (key, found) in zip(one[1], other[1], strict=True)
    )


def _own(made: Any) -> list[tuple[Path, Any]]:
    """The dataclasses in what was made, with their paths."""
    found: list[tuple[Path, Any]] = []
    seen: set[int] = set()
    waiting: list[tuple[Path, Any]] = [([], made)]
    while waiting:
        path, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type | BaseException):
            found.append((path, value))
        waiting.extend(([*path, key], each) for key, each in parts(value))
    return found


def _more(owner: Any) -> dict[str, Any]:
    fields = {field.name for field in dataclasses.fields(owner)}
    held = getattr(owner, "__dict__", {})
    return {name: each for name, each in held.items() if name not in fields and name[:2] != "__"}


def _durable(value: Any) -> bool:
    try:
        codec().encode(value)
    except SerializationError:
        return False
    return True
