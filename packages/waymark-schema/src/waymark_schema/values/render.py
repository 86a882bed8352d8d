"""Wire bytes in, what a person may see of the value out: bounded, secrets masked, no user code."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from pydantic import SecretBytes, SecretStr

from waymark_schema.values.binding import TypeRef
from waymark_schema.values.codec import Codec
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.faults import FaultParts
from waymark_schema.values.records import FrozenSetItems, Record, RecordBinding, SetItems
from waymark_schema.values.shown import shown

TEXT_LIMIT = 20_000
ITEMS_LIMIT = 200
STRING_LIMIT = 4_000
DEPTH_LIMIT = 24
BYTES_LIMIT = 64 * 1024 * 1024
_MASK = "**********"
_INDENT = "    "
_LINE = 88
_SAFE_INT = 1 << 53


class _Viewing(RecordBinding):
    """Exceptions are looked at, so their parts are enough."""

    def exception(self, parts: FaultParts, refs: Sequence[TypeRef]) -> Any:
        return parts


_codec = Codec(_Viewing(), max_bytes=BYTES_LIMIT)


def read(data: bytes) -> Any:
    """The value with a ``Record`` for every object and ``FaultParts`` for every exception.

    Raises ``MalformedValue``.
    """
    return _codec.decode(data)


def fault(data: bytes) -> FaultParts:
    """What is told of an exception in its wire form: name, bases, message, attributes, traceback text.

    Raises ``MalformedValue`` if the bytes are not those of an exception.
    """
    parts = read(data)
    if isinstance(parts, FaultParts):
        return parts
    msg = f"expected the wire form of an exception, got that of a {type(parts).__name__}"
    raise MalformedValue(msg)


def as_text(data: bytes, *, limit: int = TEXT_LIMIT) -> str:
    """The value as Python would show it, broken into lines; at most about ``limit`` characters.

    >>> as_text(_codec.encode({"user": "ada", "password": SecretStr("x")}))
    "{'user': 'ada', 'password': SecretStr('**********')}"
    """
    try:
        value = read(data)
    except MalformedValue as error:
        return f"<{len(data)} bytes that cannot be read: {error}>"[:limit]
    text = _Text(limit).lines(value, 0)
    return text if len(text) <= limit else text[:limit] + " …"


def as_json(data: bytes) -> Any:
    """The value as JSON can hold it: objects carry their class under ``$type``; large parts are cut short.

    >>> as_json(_codec.encode({"when": (1, 2)}))
    {'when': [1, 2]}
    """
    try:
        return _json(read(data), 0)
    except MalformedValue as error:
        return {"$unreadable": str(error), "$bytes": len(data)}


# --- text -----------------------------------------------------------------------------------


class _Text:
    def __init__(self, limit: int) -> None:
        self._left = limit

    def lines(self, value: Any, depth: int) -> str:
        """``value`` on one line if it fits, else its items on a line each."""
        parts = _parts(value)
        if parts is None or self._left <= 0 or depth >= DEPTH_LIMIT:
            return self._leaf(value, parts is not None)
        opening, items, closing = parts
        shown = [f"{label}{self.lines(item, depth + 1)}" for label, item in items[:ITEMS_LIMIT]]
        if len(items) > ITEMS_LIMIT:
            shown.append(f"… {len(items) - ITEMS_LIMIT} more")
        if closing == ")" and opening == "(" and len(shown) == 1:
            shown[0] += ","
        flat = f"{opening}{', '.join(shown)}{closing}"
        if len(flat) + depth * len(_INDENT) <= _LINE and "\n" not in flat:
            return flat
        pad = _INDENT * (depth + 1)
        inner = "".join(f"{pad}{item},\n" for item in shown)
        return f"{opening}\n{inner}{_INDENT * depth}{closing}"

    def _leaf(self, value: Any, has_parts: bool) -> str:  # noqa: FBT001 - what the caller found
        if self._left <= 0 or has_parts:
            return "…"
        text = _leaf_text(value)
        self._left -= len(text)
        return text


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
    """What stands around the items of a container, and the items with their labels."""
    if isinstance(value, Record):
        if value.reference.kind == "enum":
            return None
        return (
            f"{value.class_name}(",
            [(f"{name}=", item) for name, item in value.fields.items()],
            ")",
        )
    if isinstance(value, FaultParts):
        return f"{value.name}(", [("", item) for item in _items(value.args)], ")"
    if isinstance(value, dict):
        pairs = [(f"{_leaf_or_short(key)}: ", item) for key, item in value.items()]
        name = type(value).__name__
        return ("{", pairs, "}") if type(value) is dict else (f"{name}({{", pairs, "})")
    return _sequence_parts(value)


def _sequence_parts(value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
    brackets = _BRACKETS.get(type(value))
    if brackets is None:
        return None
    if not value:
        opening, closing = _EMPTY.get(type(value), brackets)
        return opening, [], closing
    return brackets[0], [("", item) for item in value], brackets[1]


_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    SetItems: ("{", "}"),
    FrozenSetItems: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}
_EMPTY: dict[type, tuple[str, str]] = {SetItems: ("set(", ")"), FrozenSetItems: ("frozenset(", ")")}


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def _leaf_or_short(key: Any) -> str:
    return _leaf_text(key) if _parts(key) is None else _Text(200).lines(key, 0)


def _leaf_text(value: Any) -> str:
    if isinstance(value, Record):
        return f"{value.class_name}.{value.fields['name']}"
    if isinstance(value, str | bytes | bytearray) and len(value) > STRING_LIMIT:
        return f"{value[:STRING_LIMIT]!r}… ({len(value)} in all)"
    if isinstance(value, int) and value.bit_length() > STRING_LIMIT * 3:
        return f"<int of {value.bit_length()} bits>"
    return shown(value, STRING_LIMIT * 2)


# --- JSON -----------------------------------------------------------------------------------


def _json(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return _json_scalar(value)
    if depth >= DEPTH_LIMIT:
        return "…"
    if isinstance(value, Record | FaultParts):
        return _json_object(value, depth)
    if isinstance(value, dict):
        return _json_dict(value, depth)
    if isinstance(value, list | tuple | deque):
        shown = [_json(item, depth + 1) for item in list(value)[:ITEMS_LIMIT]]
        return (
            shown if len(value) <= ITEMS_LIMIT else [*shown, f"… {len(value) - ITEMS_LIMIT} more"]
        )
    return _json_leaf(value)


def _json_scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _json_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    exact = value is None or -_SAFE_INT < value < _SAFE_INT
    return value if exact else _leaf_text(value)


def _json_text(value: str) -> str:
    clean = value.encode("utf-8", "backslashreplace").decode()
    return clean if len(clean) <= STRING_LIMIT else f"{clean[:STRING_LIMIT]}… ({len(value)} in all)"


def _json_object(value: Record | FaultParts, depth: int) -> Any:
    if isinstance(value, FaultParts):
        held = _json_dict(value.attributes, depth + 1) if isinstance(value.attributes, dict) else {}
        return {"$type": value.qualname, "message": _json_text(value.message), **held}
    if value.reference.kind == "enum":
        return {
            "$type": value.reference.qualname,
            "name": value.fields["name"],
            "value": _json(value.fields["value"], depth + 1),
        }
    return {"$type": value.reference.qualname, **_json_dict(value.fields, depth + 1)}


def _json_dict(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, item in list(value.items())[:ITEMS_LIMIT]:
        shown[_json_text(key) if isinstance(key, str) else _leaf_or_short(key)] = _json(
            item, depth + 1
        )
    if len(value) > ITEMS_LIMIT:
        shown["…"] = f"{len(value) - ITEMS_LIMIT} more"
    return shown


def _json_leaf(value: Any) -> Any:
    if isinstance(value, SecretStr | SecretBytes):
        return _MASK
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return _leaf_text(bytes(value))
    if isinstance(value, timedelta | tzinfo):
        return str(value)
    if isinstance(value, Fraction | range | slice):
        return shown(value, STRING_LIMIT)
    return _json_text(str(value))
