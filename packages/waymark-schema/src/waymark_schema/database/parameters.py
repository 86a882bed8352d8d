"""The Postgres types that statements take: a Python value goes in, its binary wire form comes out."""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Encode = Callable[[Any], bytes]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LENGTH = struct.Struct("!i")
_ARRAY_HEADER = struct.Struct("!iiIii")
_EMPTY_ARRAY = struct.Struct("!iiI")
_NULL_ITEM = _LENGTH.pack(-1)
_INTERVAL = struct.Struct("!qii")


def _uuid(value: UUID) -> bytes:
    return value.bytes


def _text(value: str) -> bytes:
    # NUL and lone surrogates are legal in Python and not in a Postgres text: text columns keep a
    # sanitised copy, the exact value lives in a bytea beside it.
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace")


def _timestamptz(value: datetime) -> bytes:
    return _BIGINT.pack((value - _EPOCH) // _MICROSECOND)


def _interval(value: timedelta) -> bytes:
    return _INTERVAL.pack(value // _MICROSECOND, 0, 0)


def _boolean(value: bool) -> bytes:  # noqa: FBT001 - an encoder takes exactly the value
    return b"\x01" if value else b"\x00"


def _jsonb(value: bytes) -> bytes:
    return b"\x01" + value


_SMALLINT = struct.Struct("!h")
_INTEGER = struct.Struct("!i")
_BIGINT = struct.Struct("!q")
_DOUBLE = struct.Struct("!d")


@dataclass(frozen=True, slots=True)
class ParameterType:
    """A Postgres type: its spelling in SQL, its oid, and how a value is written in binary."""

    name: str
    oid: int
    encode: Encode


def _item_oid_array(encode: Encode, oid: int) -> Encode:
    def encode_array(values: Iterable[Any]) -> bytes:
        length = _LENGTH.pack
        items: list[bytes] = []
        has_null = 0
        for value in values:
            if value is None:
                has_null = 1
                items.append(_NULL_ITEM)
            else:
                item = encode(value)
                items.append(length(len(item)))
                items.append(item)
        return _joined(items, _count(values), has_null, oid)

    return encode_array


def _fixed_array(code: str, oid: int) -> Encode:
    packed = struct.Struct("!i" + code)
    size = packed.size - 4

    def encode_array(values: Iterable[Any]) -> bytes:
        pack = packed.pack
        items = [_NULL_ITEM if value is None else pack(size, value) for value in values]
        return _joined(items, len(items), 1 if None in values else 0, oid)

    return encode_array


def _count(values: Iterable[Any]) -> int:
    return len(values)  # type: ignore[arg-type] # statement functions pass lists and tuples


def _joined(items: list[bytes], count: int, has_null: int, oid: int) -> bytes:
    if not count:
        return _EMPTY_ARRAY.pack(0, 0, oid)
    return _ARRAY_HEADER.pack(1, has_null, oid, count, 1) + b"".join(items)


def _scalar_and_array(
    name: str, oid: int, array_oid: int, encode: Encode, array: Encode | None = None
) -> list[ParameterType]:
    many = array or _item_oid_array(encode, oid)
    return [ParameterType(name, oid, encode), ParameterType(f"{name}[]", array_oid, many)]


TYPES: dict[str, ParameterType] = {
    kind.name: kind
    for kinds in (
        _scalar_and_array("boolean", 16, 1000, _boolean),
        _scalar_and_array("bytea", 17, 1001, bytes),
        _scalar_and_array("bigint", 20, 1016, _BIGINT.pack, _fixed_array("q", 20)),
        _scalar_and_array("smallint", 21, 1005, _SMALLINT.pack, _fixed_array("h", 21)),
        _scalar_and_array("integer", 23, 1007, _INTEGER.pack, _fixed_array("i", 23)),
        _scalar_and_array("text", 25, 1009, _text),
        _scalar_and_array("double precision", 701, 1022, _DOUBLE.pack, _fixed_array("d", 701)),
        _scalar_and_array("timestamptz", 1184, 1185, _timestamptz),
        _scalar_and_array("interval", 1186, 1187, _interval),
        _scalar_and_array("uuid", 2950, 2951, _uuid),
        _scalar_and_array("jsonb", 3802, 3807, _jsonb),
    )
    for kind in kinds
}
"""Every type a statement may declare with `$name::type`; an encoder never sees None at the top."""
