"""A value in, its parts by key out, and back: how two processes speak of the same part of a value."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

Path = list[int | str]
"""Keys from the whole to a part: a position in a sequence, or of a dict's value; the name of a field."""
GRAFTED = "waymark:grafted"
"""Marks an outcome ``[GRAFTED, [made, more, …], [[path, path of the argument, changed], …], [path, …]]``.

Paths of the first kind begin in the list, those of arguments in ``[args, kwargs]``. ``more`` are attributes that
are no fields, of the objects at the last paths. Where the code changed its arguments, they follow, as they are now.
"""
_put = object.__setattr__


def parts(value: Any) -> Iterator[tuple[int | str, Any]]:
    """Keys and parts of a sequence, dict or object; a set, or anything else, has none."""
    if isinstance(value, list | tuple | deque):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from enumerate(value.values())
    elif isinstance(value, BaseModel):
        for held in _held(value):
            yield from held.items()
    elif isinstance(value, BaseException):
        yield "args", value.args
        yield from ((name, part) for name, part in value.__dict__.items() if name[:2] != "__")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            if hasattr(value, field.name):
                yield field.name, getattr(value, field.name)


def part(value: Any, path: Path) -> Any:
    """The part at ``path``; raises ``LookupError`` where there is none."""
    for key in path:
        found = [each for name, each in parts(value) if name == key]
        if not found:
            msg = f"no part {key!r}"
            raise LookupError(msg)
        value = found[0]
    return value


def put_part(whole: Any, path: Path, new: Any) -> None:
    """Put ``new`` in the place of the part at ``path``; tuples on the way are made anew.

    Raises ``LookupError`` where there is none.
    """
    owner, key = part(whole, path[:-1]), path[-1]
    part(owner, [key])
    if isinstance(owner, tuple):
        items = [new if place == key else each for place, each in enumerate(owner)]
        put_part(whole, path[:-1], tuple.__new__(type(owner), items))
    elif isinstance(owner, list | deque):
        owner[key] = new  # type: ignore[index] # a position, in a sequence
    elif isinstance(owner, dict):
        owner[list(owner)[key]] = new  # type: ignore[index] # a position, in a dict
    elif isinstance(owner, BaseModel):
        next(held for held in _held(owner) if key in held)[str(key)] = new
    else:
        _put(owner, str(key), new)


def put_more(whole: Any, path: Path, attributes: dict[str, Any]) -> None:
    """Give the dataclass at ``path`` attributes that are no fields; raises ``LookupError`` where there is none."""
    owner = part(whole, path)
    names = [name for name in attributes if name[:2] != "__"]
    if not dataclasses.is_dataclass(type(owner)) or len(names) < len(attributes):
        msg = f"attributes of {type(owner).__name__}"
        raise LookupError(msg)
    for name in names:
        _put(owner, name, attributes[name])


def fill_from(value: Any, other: Any) -> None:
    """Give a mutable ``value`` the parts of ``other``, which is of its kind."""
    if isinstance(value, list | bytearray):
        value[:] = other
    elif isinstance(value, deque):
        items = list(other)
        value.clear()
        value.extend(items)
    elif isinstance(value, BaseModel):
        for held, new in zip(_held(value), _held(other), strict=False):
            held.clear()
            held.update(new)
        _put(value, "__pydantic_fields_set__", set(other.__pydantic_fields_set__))
    elif isinstance(value, dict) or (hasattr(value, "update") and hasattr(value, "clear")):
        items = dict(other) if isinstance(value, dict) else list(other)  # type: ignore[assignment]
        value.clear()
        value.update(items)
    elif dataclasses.is_dataclass(value):
        for name, new in parts(other):
            _put(value, str(name), new)


def _held(model: BaseModel) -> list[dict[str, Any]]:
    return [
        held
        for held in (model.__dict__, model.__pydantic_extra__, model.__pydantic_private__)
        if held is not None
    ]
