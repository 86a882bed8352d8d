"""Keyset cursors: query parameters in, where to read from, and the addresses of the pages beside it, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

T = TypeVar("T")
_MOST = 2**31
_DIGITS = 20


class BadParameter(ValueError):
    """A query parameter cannot be used; the message says which, its value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Rows older than `before`, or newer than `after`, or, with neither, the newest."""

    before: UUID | None = None
    after: UUID | None = None

    @property
    def backwards(self) -> bool:
        """Whether rows are read towards the newer ones, oldest first."""
        return self.after is not None

    @property
    def newest(self) -> bool:
        """Whether this is the first page, which new rows join."""
        return self.before is None and self.after is None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, newest first, and whether there are others on either side."""

    older: bool
    newer: bool


def cursor(parameters: Mapping[str, str]) -> Cursor:
    """Read the cursor of a request.

    Raises BadParameter.
    """
    before, after = (
        _identifier(name, parameters[name]) if parameters.get(name) else None
        for name in ("before", "after")
    )
    if before is not None and after is not None:
        msg = "before and after are both given; expected one of them at most"
        raise BadParameter(msg)
    return Cursor(before, after)


def cut(rows: Sequence[T], at: Cursor, *, room: int) -> tuple[list[T], Page]:
    """Put rows that were read with one more than `room` into the order of the page, without the surplus."""
    more = len(rows) > room
    kept = list(rows[:room])
    if at.backwards:
        return kept[::-1], Page(older=True, newer=more)
    return kept, Page(older=more, newer=at.before is not None)


def address(path: str, parameters: Mapping[str, str | None]) -> str:
    """A path with those of the parameters that have a value.

    >>> address("/", {"state": "failed", "workflow": None, "before": "a b"})
    '/?state=failed&before=a+b'
    """
    query = urlencode(
        {name: value for name, value in parameters.items() if value}, errors="replace"
    )
    return f"{path}?{query}" if query else path


def position(parameters: Mapping[str, str], name: str) -> int | None:
    """Read a position in a journal from a parameter; None when it is not given.

    Raises BadParameter.
    """
    text = parameters.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:_DIGITS]) < _MOST):
        msg = f"{name} is {text[:80]!r}; expected the number of an entry"
        raise BadParameter(msg)
    return int(text)


def _identifier(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"{name} is {text[:80]!r}; expected the id of a run"
        raise BadParameter(msg) from None
