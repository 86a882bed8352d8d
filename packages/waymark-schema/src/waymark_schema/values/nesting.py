"""How deep a value is nested: the bytes and the value read from them in, one verdict out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any

_OPENING = frozenset(
    [*range(0x80, 0xA0), 0xC7, 0xC8, 0xC9, *range(0xD4, 0xD9), 0xDC, 0xDD, 0xDE, 0xDF]
)
_OTHERS = bytes(byte for byte in range(256) if byte not in _OPENING)
_LEAVES = frozenset({type(None), bool, int, float, str, bytes})


def too_deep(data: bytes, value: Any, limit: int) -> bool:
    """Whether ``value``, read from ``data``, has more than ``limit`` levels of containers.

    Each level costs at least one byte that opens a container, so few such bytes settle it at once.
    """
    if len(data) <= limit or len(data.translate(None, _OTHERS)) <= limit:
        return False
    level = [value] if _is_container(value) else []
    for _ in range(limit):
        level = [
            item
            for parent in level
            for item in _children(parent)
            if type(item) not in _LEAVES and _is_container(item)
        ]
        if not level:
            return False
    return True


def _is_container(value: Any) -> bool:
    return isinstance(value, list | dict | tuple | AbstractSet | deque | BaseException) or (
        not isinstance(value, Enum) and (_fields(value) is not None)
    )


def _fields(value: Any) -> Iterable[str] | None:
    kind = type(value)
    return getattr(kind, "__pydantic_fields__", None) or getattr(kind, "__dataclass_fields__", None)


def _children(value: Any) -> Iterable[Any]:
    """Items of a container, or nothing if none of them is one."""
    if isinstance(value, dict):
        items = value.values()
        flat = _LEAVES.issuperset(map(type, items)) and _LEAVES.issuperset(map(type, value))
        return () if flat else [*value, *items]
    if isinstance(value, list | tuple | AbstractSet | deque):
        return () if _LEAVES.issuperset(map(type, value)) else value
    if isinstance(value, BaseException):
        return [*value.args, *value.__dict__.values()]
    return [getattr(value, name, None) for name in _fields(value) or ()]
