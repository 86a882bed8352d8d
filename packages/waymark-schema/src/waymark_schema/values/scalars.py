"""Builtin types that msgpack lacks: one extension code each, with how to write and how to read it."""

from __future__ import annotations

import pathlib
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from pydantic import SecretBytes, SecretStr

from waymark_schema.values.errors import MalformedValue

Wrap = Callable[[Any], Any]
"""Value → native parts (further values among them are left as they are), or bytes for a code below 32."""

# Codes below 32 carry raw bytes; from 32 on the bytes are msgpack and may hold further values.
INT, TEXT, BYTEARRAY, DATE, DECIMAL, UUID_, COMPLEX, PATH = range(1, 9)
TUPLE, SET, FROZENSET, DICT, DEQUE, COUNTER, ORDERED, DEFAULTDICT = range(32, 40)
DATETIME, TIME, TIMEDELTA, ZONE, FRACTION, SECRET, RANGE, SLICE, ADDRESS = range(40, 49)
MEMBER, OBJECT, EXCEPTION, ENVELOPE = range(64, 68)
RAW_BELOW = 32

_MAX_INT_BYTES = 1 << 17
_MICRO = timedelta(microseconds=1)
_DAY = 86_400_000_000
_TZINFO_OF_PYDANTIC = ("TzInfo", "pydantic_core")


def wrap_int(value: int) -> bytes:
    """Two's complement, least significant byte first."""
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


def _unwrap_int(raw: bytes) -> int:
    if len(raw) > _MAX_INT_BYTES + 8:
        msg = f"an integer of {len(raw)} bytes; at most {_MAX_INT_BYTES} are kept"
        raise MalformedValue(msg)
    return int.from_bytes(raw, "little", signed=True)


def wrap_text(value: str) -> bytes:
    """UTF-8 in which lone surrogates stand for themselves."""
    return value.encode("utf-8", "surrogatepass")


def zone(value: tzinfo | None) -> Any:
    """Parts of a time zone: None, offset in microseconds, ``[offset, name]``, or the key of a ``ZoneInfo``.

    Raises ``TypeError`` for any other time zone class.
    """
    kind = type(value)
    if value is None:
        return None
    if kind is ZoneInfo:
        if value.key is None:  # type: ignore[attr-defined]  # narrowed by its exact type
            msg = "a ZoneInfo without a key"
            raise TypeError(msg)
        return value.key  # type: ignore[attr-defined]  # narrowed by its exact type
    if kind is timezone:
        arguments = value.__getinitargs__()  # type: ignore[attr-defined]  # its pickle protocol: offset, name
        offset = arguments[0] // _MICRO
        return offset if len(arguments) == 1 else [offset, arguments[1]]
    if (kind.__name__, kind.__module__.partition(".")[0]) == _TZINFO_OF_PYDANTIC:
        return value.utcoffset(None) // _MICRO  # type: ignore[operator]  # a fixed offset
    msg = f"a time zone of type {kind.__module__}.{kind.__qualname__}"
    raise TypeError(msg)


def unzone(parts: Any) -> tzinfo | None:
    """The time zone that ``zone`` took apart."""
    match parts:
        case None:
            return None
        case 0:
            return UTC
        case int():
            return timezone(timedelta(microseconds=parts))
        case str():
            return ZoneInfo(parts)
        case [int(offset), str(name)]:
            return timezone(timedelta(microseconds=offset), name)
        case _:
            pass
    msg = f"{parts!r:.200} is no time zone"
    raise MalformedValue(msg)


_from_ordinal, _combined = date.fromordinal, datetime.combine
"""Taken from the classes themselves: freezegun puts others in their place, in every module."""


def _wrap_datetime(value: datetime) -> list[Any]:
    micro = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    parts: list[Any] = [value.toordinal(), micro]
    if value.tzinfo is not None or value.fold:
        parts.append(zone(value.tzinfo))
        if value.fold:
            parts.append(value.fold)
    return parts


def _unwrap_datetime(parts: list[Any]) -> datetime:
    ordinal, micro, *rest = parts
    moment = _from_ordinal(ordinal)
    clock = _unwrap_time([micro, *rest])
    return _combined(moment, clock)


def _wrap_time(value: time) -> list[Any]:
    micro = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    parts: list[Any] = [micro]
    if value.tzinfo is not None or value.fold:
        parts.append(zone(value.tzinfo))
        if value.fold:
            parts.append(value.fold)
    return parts


def _unwrap_time(parts: list[Any]) -> time:
    micro, *rest = parts
    seconds, micro = divmod(micro, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    place = unzone(rest[0]) if rest else None
    fold = rest[1] if rest[1:] else 0
    return time(hour, minute, second, micro, tzinfo=place, fold=fold)


def _wrap_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _unwrap_timedelta(parts: list[int]) -> timedelta:
    days, seconds, micro = (_exact(int, part) for part in parts)
    return timedelta(days, seconds, micro)


_PATHS: dict[str, type[pathlib.PurePath]] = {
    "p": pathlib.PurePosixPath,
    "w": pathlib.PureWindowsPath,
    "P": pathlib.Path,
}


def _wrap_path(value: pathlib.PurePath) -> bytes:
    tag = next(tag for tag, kind in reversed(_PATHS.items()) if isinstance(value, kind))
    return wrap_text(tag + str(value))


def _unwrap_path(raw: bytes) -> pathlib.PurePath:
    text = raw.decode("utf-8", "surrogatepass")
    return _PATHS[text[0]](text[1:])


def _exact(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        msg = f"{value!r:.200} stands where {kind.__name__} was expected"
        raise MalformedValue(msg)
    return value


def _pairs(value: dict[Any, Any]) -> list[Any]:
    return [part for pair in value.items() for part in pair]


def _unpair(parts: list[Any]) -> dict[Any, Any]:
    if len(parts) % 2:
        msg = "a mapping with a key that has no value"
        raise MalformedValue(msg)
    halves = iter(parts)
    return dict(zip(halves, halves, strict=True))


_DEFAULTS: dict[str, Callable[[], Any] | None] = {
    "": None,
    **{
        kind.__name__: kind
        for kind in (
            int,
            float,
            str,
            bytes,
            bool,
            list,
            dict,
            tuple,
            set,
            frozenset,
            deque,
            Counter,
        )
    },
}
_DEFAULT_NAMES = {factory: name for name, factory in _DEFAULTS.items()}


def default_names(set_type: type, frozenset_type: type) -> dict[Any, str]:
    """Factories that a ``defaultdict`` may keep, with their names; sets as the binding has them."""
    return {**_DEFAULT_NAMES, set_type: "set", frozenset_type: "frozenset"}


def defaults(set_type: type, frozenset_type: type) -> dict[str, Callable[[], Any] | None]:
    """The inverse of ``default_names``."""
    return {**_DEFAULTS, "set": set_type, "frozenset": frozenset_type}


def _wrap_secret(value: SecretStr | SecretBytes) -> list[Any]:
    return [value.get_secret_value()]


def _unwrap_secret(parts: list[Any]) -> SecretStr | SecretBytes:
    (value,) = parts
    return SecretBytes(value) if isinstance(value, bytes) else SecretStr(_exact(str, value))


_ADDRESSES: dict[str, Callable[[str], Any]] = {"a": ip_address, "i": ip_interface, "n": ip_network}


def _wrap_address(tag: str) -> Wrap:
    return lambda value: [tag, str(value)]


def _limited_str(value: Any, limit: int = 200) -> Any:
    if len(_exact(str, value)) > limit:
        msg = f"text of {len(value)} characters where at most {limit} were expected"
        raise MalformedValue(msg)
    return value


def _wrap_fraction(value: Fraction) -> list[Any]:
    return [value.numerator, value.denominator]


def _unwrap_fraction(parts: list[Any]) -> Fraction:
    numerator, denominator = (_exact(int, part) for part in parts)
    return Fraction(numerator, denominator)


def _wrap_complex(value: complex) -> bytes:
    return msgspec.msgpack.encode((value.real, value.imag))


def _unwrap_complex(raw: bytes) -> complex:
    real, imaginary = msgspec.msgpack.decode(raw, type=tuple[float, float])
    return complex(real, imaginary)


def _unwrap_decimal(raw: bytes) -> Decimal:
    return Decimal(raw.decode("ascii"))


def _unwrap_date(raw: bytes) -> date:
    return _from_ordinal(int.from_bytes(raw, "big"))


RAW: dict[int, Callable[[bytes], Any]] = {
    INT: _unwrap_int,
    TEXT: lambda raw: raw.decode("utf-8", "surrogatepass"),
    BYTEARRAY: bytearray,
    DATE: _unwrap_date,
    DECIMAL: _unwrap_decimal,
    UUID_: lambda raw: UUID(bytes=raw),
    COMPLEX: _unwrap_complex,
    PATH: _unwrap_path,
}
"""How to read the codes below 32: from their bytes."""

PARTS: dict[int, Callable[[Any], Any]] = {
    TUPLE: tuple,
    DICT: _unpair,
    COUNTER: lambda parts: Counter(_unpair(parts)),
    ORDERED: lambda parts: OrderedDict(_unpair(parts)),
    DEQUE: lambda parts: deque(parts[1:], parts[0] if parts[0] is None else _exact(int, parts[0])),
    DATETIME: _unwrap_datetime,
    TIME: _unwrap_time,
    TIMEDELTA: _unwrap_timedelta,
    ZONE: lambda parts: unzone(parts[0]),
    FRACTION: _unwrap_fraction,
    SECRET: _unwrap_secret,
    RANGE: lambda parts: range(*(_exact(int, part) for part in parts)),
    SLICE: lambda parts: slice(*parts),
    ADDRESS: lambda parts: _ADDRESSES[parts[0]](_limited_str(parts[1])),
}
"""How to read the other codes: from a list of values."""

WRAPS: dict[type, tuple[int, Wrap]] = {
    bytearray: (BYTEARRAY, bytes),
    date: (DATE, lambda value: value.toordinal().to_bytes(3, "big")),
    Decimal: (DECIMAL, lambda value: str(value).encode("ascii")),
    UUID: (UUID_, lambda value: value.bytes),
    complex: (COMPLEX, _wrap_complex),
    datetime: (DATETIME, _wrap_datetime),
    time: (TIME, _wrap_time),
    timedelta: (TIMEDELTA, _wrap_timedelta),
    timezone: (ZONE, lambda value: [zone(value)]),
    ZoneInfo: (ZONE, lambda value: [zone(value)]),
    Fraction: (FRACTION, _wrap_fraction),
    SecretStr: (SECRET, _wrap_secret),
    SecretBytes: (SECRET, _wrap_secret),
    range: (RANGE, lambda value: [value.start, value.stop, value.step]),
    slice: (SLICE, lambda value: [value.start, value.stop, value.step]),
    **{kind: (ADDRESS, _wrap_address("a")) for kind in (IPv4Address, IPv6Address)},
    **{kind: (ADDRESS, _wrap_address("i")) for kind in (IPv4Interface, IPv6Interface)},
    **{kind: (ADDRESS, _wrap_address("n")) for kind in (IPv4Network, IPv6Network)},
    **dict.fromkeys(
        (
            pathlib.PurePosixPath,
            pathlib.PureWindowsPath,
            pathlib.WindowsPath if sys.platform == "win32" else pathlib.PosixPath,
        ),
        (PATH, _wrap_path),
    ),
}
"""How to write exact types: code and wrapper. Containers of values are in ``CONTAINERS``."""

CONTAINERS: dict[type, tuple[int, Wrap]] = {
    tuple: (TUPLE, list),
    set: (SET, list),
    frozenset: (FROZENSET, list),
    Counter: (COUNTER, _pairs),
    OrderedDict: (ORDERED, _pairs),
    deque: (DEQUE, lambda value: [value.maxlen, *value]),
}
"""Containers: code and the list of their items (``dict`` and ``defaultdict`` are handled by the codec)."""

pairs = _pairs
unpair = _unpair
