"""Moments, durations, sizes and texts of users in, words that are fit for a page out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_KEPT = frozenset("\n\t")
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86_400
_UNIT = 1000
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: for people in UTC, for machines in ISO 8601."""

    shown: str
    exact: str


def moment(at: datetime | None) -> Moment | None:
    """A moment to the second; None stays None."""
    if at is None:
        return None
    utc = at.astimezone(UTC)
    return Moment(f"{utc:%Y-%m-%d %H:%M:%S}", utc.isoformat())


def duration(span: timedelta | None) -> str:
    """How long, in at most two units; nothing for None, zero for what clocks made negative.

    >>> [duration(timedelta(seconds=s)) for s in (0.0042, 1.25, 75, 3700, 90000)]
    ['4 ms', '1.2 s', '1 min 15 s', '1 h 1 min', '1 d 1 h']
    """
    if span is None:
        return ""
    seconds = max(0.0, span.total_seconds())
    if seconds < _SECOND:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{int(seconds * 10) / 10:.1f} s"
    for size, name, smaller, smaller_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", _SECOND, "s"),
    ):
        if seconds >= size:
            return f"{seconds // size:.0f} {name} {seconds % size // smaller:.0f} {smaller_name}"
    return ""  # pragma: no cover - the last row takes everything from a minute on


def between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """The span from one moment to another; None unless both are known."""
    return None if start is None or end is None else end - start


def ago(at: datetime | None, now: datetime) -> str:
    """How long before now, or how long from now.

    >>> ago(datetime(2026, 1, 1, 12, 0, tzinfo=UTC), datetime(2026, 1, 1, 12, 1, 15, tzinfo=UTC))
    '1 min 15 s ago'
    >>> ago(datetime(2026, 1, 1, 12, 0, 9, tzinfo=UTC), datetime(2026, 1, 1, 12, 0, tzinfo=UTC))
    'in 9 s'
    """
    if at is None:
        return ""
    return f"{_coarse(now - at)} ago" if at <= now else f"in {_coarse(at - now)}"


def _coarse(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:.0f} s" if seconds < _MINUTE - 0.5 else duration(span)


def size(count: int) -> str:
    """A number of bytes.

    >>> [size(n) for n in (17, 1500, 2_500_000, 3_000_000_000)]
    ['17 B', '1.5 kB', '2.5 MB', '3.0 GB']
    """
    if count < _UNIT:
        return f"{count} B"
    value, unit = float(count), "B"
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 - the unit that was enough is used below
        value /= _UNIT
        if value < _UNIT:
            break
    return f"{value:.1f} {unit}"


def number(count: int, *, most: int | None = None) -> str:
    """A count with separators; `most` is where counting was given up.

    >>> number(12345), number(10001, most=10000)
    ('12,345', '10,000+')
    """
    return f"{most:,}+" if most is not None and count > most else f"{count:,}"


def shortened(version: str) -> str:
    """A version as a column has room for it: names as they are, digests by their first characters."""
    return version if len(version) <= _SHORT * 2 else f"{version[:_SHORT]}…"


def clean(text: str) -> str:
    r"""A user's text with everything that could hide or turn other text spelled out.

    Line breaks and tabs stay; control, direction and other invisible characters and lone surrogates
    become their escapes.

    >>> clean("a\x00b\u202ec")
    'a\\x00b\\u202ec'
    """
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(_visible(sign) for sign in text)


def _visible(sign: str) -> str:
    if sign in _KEPT or sign.isprintable() or unicodedata.category(sign) == "Zs":
        return sign
    return sign.encode("unicode_escape").decode("ascii")
