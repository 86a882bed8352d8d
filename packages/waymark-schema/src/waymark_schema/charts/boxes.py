"""Drawn pieces in; larger pieces with everything in its place, out: geometry only, in user units of an SVG."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

CHARACTER = 7.85
"""Width of a character of the monospaced face at 13 units."""
SMALL_CHARACTER = 6.7
ROW = 30.0
GAP = 22.0
BESIDE = 28.0
"""Between columns."""
PADDING = 14.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A box with a text: ``kind`` is its class in the stylesheet."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    text: str = ""
    title: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """A line through points, with an arrow at its end or without; ``kind`` as for shapes."""

    points: tuple[tuple[float, float], ...]
    arrow: bool = True
    kind: str = "flow"


@dataclass(frozen=True, slots=True)
class Label:
    """A small text on its own, its left end or its middle at ``x``."""

    x: float
    y: float
    text: str
    middle: bool = False


Part = Shape | Wire | Label


@dataclass(frozen=True, slots=True)
class Piece:
    """Something drawn; control enters at the top and leaves at the bottom, both at ``centre``."""

    width: float
    height: float
    centre: float
    parts: tuple[Part, ...]
    goes_on: bool = True
    """Control leaves at the bottom."""


def text_width(text: str, *, small: bool = False) -> float:
    """How wide a text is drawn; characters of East Asian scripts take two places."""
    places = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    return places * (SMALL_CHARACTER if small else CHARACTER)


def moved(parts: Sequence[Part], x: float, y: float) -> tuple[Part, ...]:
    """The same parts elsewhere."""
    return tuple(_moved(part, x, y) for part in parts)


def _moved(part: Part, x: float, y: float) -> Part:
    if isinstance(part, Wire):
        return replace(part, points=tuple((left + x, top + y) for left, top in part.points))
    return replace(part, x=part.x + x, y=part.y + y)


def leaf(kind: str, text: str, *, title: str = "", id: str = "", goes_on: bool = True) -> Piece:  # noqa: A002 - the attribute's name in SVG
    """One box."""
    width = max(2 * PADDING + text_width(text), 56.0)
    shape = Shape(kind, 0, 0, width, ROW, text, title, id)
    return Piece(width, ROW, width / 2, (shape,), goes_on)


def nothing() -> Piece:
    """An empty way: a line and no more."""
    return Piece(12.0, 0.0, 6.0, ())


def stacked(pieces: Sequence[Piece]) -> Piece:
    """Pieces below each other, joined from exit to entry."""
    if not pieces:
        return nothing()
    left = max(piece.centre for piece in pieces)
    right = max(piece.width - piece.centre for piece in pieces)
    parts: list[Part] = []
    y = 0.0
    for index, piece in enumerate(pieces):
        if index:
            if pieces[index - 1].goes_on:
                parts.append(Wire(((left, y), (left, y + GAP))))
            y += GAP
        parts += moved(piece.parts, left - piece.centre, y)
        y += piece.height
    return Piece(left + right, y, left, tuple(parts), pieces[-1].goes_on)


def joined(head: Piece, below: Piece) -> Piece:
    """A head right on top of what it leads to."""
    left = max(head.centre, below.centre)
    right = max(head.width - head.centre, below.width - below.centre)
    parts = (
        *moved(head.parts, left - head.centre, 0),
        *moved(below.parts, left - below.centre, head.height),
    )
    return Piece(left + right, head.height + below.height, left, parts, below.goes_on)


@dataclass(frozen=True, slots=True)
class Column:
    """One way beside others, under its label."""

    label: str
    piece: Piece


def side_by_side(columns: Sequence[Column], *, bar: bool = False) -> Piece:
    """Ways that part at the top and meet at the bottom.

    ``bar`` draws both places as thick bars: all ways are gone, not one of them.
    """
    head = 2 * GAP if any(column.label for column in columns) else GAP
    placed, x = [], 0.0
    for column in columns:
        label = text_width(column.label, small=True)
        piece = column.piece
        left = max(piece.centre, 8.0)
        right = max(piece.width - piece.centre, label + 14.0)
        placed.append(x + left)
        x += left + right + BESIDE
    width = x - BESIDE
    centre = (placed[0] + placed[-1]) / 2
    tallest = max(column.piece.height for column in columns)
    bottom = head + tallest + GAP
    parts: list[Part] = []
    for at, column in zip(placed, columns, strict=True):
        piece = column.piece
        way = (
            ((at, 0.0), (at, head))
            if bar
            else ((centre, 0.0), (centre, 6.0), (at, 6.0), (at, head))
        )
        parts.append(Wire(way, arrow=bool(piece.parts)))
        if column.label:
            parts.append(Label(at + 6, head - 12, column.label))
        parts += moved(piece.parts, at - piece.centre, head)
        if piece.goes_on:
            end = (at, head + piece.height)
            across = ((at, bottom - 6), (centre, bottom - 6), (centre, bottom))
            parts.append(Wire((end, (at, bottom)) if bar else (end, *across), arrow=False))
    goes_on = any(column.piece.goes_on for column in columns)
    if bar:
        left, right = min(placed) - 16, max(placed) + 16
        parts.append(Shape("bar", left, -3, right - left, 4))
        if goes_on:
            parts.append(Shape("bar", left, bottom - 1, right - left, 4))
    return shifted(Piece(width, bottom, centre, tuple(parts), goes_on))


def looped(head: Piece, body: Piece, *, leaves: bool, broken: bool = False) -> Piece:
    """A body below its head: back up on the left, and past it on the right where the loop can be left.

    ``broken``: only a ``break`` leaves it.
    """
    half, top = head.width / 2, ROW + GAP
    left = max(half, body.centre) + 16
    right = max(half, body.width - body.centre) + 16
    bottom = top + body.height
    end = bottom + (GAP if leaves else 10.0)
    middle = ROW / 2
    parts: list[Part] = [
        *moved(head.parts, left - head.centre, 0),
        Wire(((left, ROW), (left, top)), arrow=bool(body.parts)),
        *moved(body.parts, left - body.centre, top),
    ]
    if body.goes_on:
        down = ((left, bottom), (left, bottom + 8), (3.0, bottom + 8))
        parts.append(Wire((*down, (3.0, middle), (left - half, middle))))
    if leaves:
        far = left + right - 3.0
        down = ((left + half, middle), (far, middle), (far, end - 5))
        kind = "broken" if broken else "flow"
        parts.append(Wire((*down, (left, end - 5), (left, end)), arrow=False, kind=kind))
    return Piece(left + right, end, left, tuple(parts), leaves)


def guarded(body: Piece, handlers: Sequence[Column]) -> Piece:
    """A frame and, to its right, what handles the errors that leave it."""
    if not handlers:
        return body
    head = 2 * GAP
    x = body.width + BESIDE
    parts: list[Part] = [*body.parts]
    places: list[tuple[float, Piece]] = []
    for column in handlers:
        piece = column.piece
        at = x + max(piece.centre, 8.0)
        places.append((at, piece))
        parts.append(
            Wire(((body.width, 14), (at, 14), (at, head)), arrow=bool(piece.parts), kind="error")
        )
        parts.append(Label(at + 6, head - 10, column.label))
        parts += moved(piece.parts, at - piece.centre, head)
        reach = max(piece.width - piece.centre, text_width(column.label, small=True) + 12)
        x = at + reach + BESIDE
    bottom = max(body.height, *(head + piece.height for _, piece in places)) + GAP
    if body.goes_on:
        parts.append(Wire(((body.centre, body.height), (body.centre, bottom)), arrow=False))
    for at, piece in places:
        if piece.goes_on:
            way = (
                (at, head + piece.height),
                (at, bottom - 6),
                (body.centre, bottom - 6),
                (body.centre, bottom),
            )
            parts.append(Wire(way, arrow=False))
    goes_on = body.goes_on or any(piece.goes_on for _, piece in places)
    return Piece(x - BESIDE, bottom, body.centre, tuple(parts), goes_on)


def framed(title: str, body: Piece, *, kind: str = "frame", id: str = "") -> Piece:  # noqa: A002 - the attribute's name in SVG
    """A body in a frame with a title."""
    inset, head = 16.0, 30.0
    width = max(body.width + 2 * inset, text_width(title, small=True) + 2 * inset)
    spare = (width - 2 * inset - body.width) / 2 if width > body.width + 2 * inset else 0.0
    centre = inset + spare + body.centre
    height = head + body.height + (GAP if body.goes_on else 14.0)
    parts: list[Part] = [
        Shape(kind, 0, 0, width, height, "", "", id),
        Label(inset - 4, 17, title),
        Wire(((centre, 0), (centre, head)), arrow=bool(body.parts)),
        *moved(body.parts, centre - body.centre, head),
    ]
    if body.goes_on:
        parts.append(Wire(((centre, head + body.height), (centre, height)), arrow=False))
    return Piece(width, height, centre, tuple(parts), body.goes_on)


def shifted(piece: Piece) -> Piece:
    """Make room on the left where the parts reach beyond it."""
    least = min((_left(part) for part in piece.parts), default=0.0)
    most = max((_right(part) for part in piece.parts), default=piece.width)
    shift = max(0.0, -least)
    return Piece(
        max(piece.width, most) + shift,
        piece.height,
        piece.centre + shift,
        moved(piece.parts, shift, 0.0),
        piece.goes_on,
    )


def _left(part: Part) -> float:
    if isinstance(part, Wire):
        return min(x for x, _ in part.points)
    return part.x


def _right(part: Part) -> float:
    if isinstance(part, Wire):
        return max(x for x, _ in part.points)
    if isinstance(part, Shape):
        return part.x + part.width
    return part.x + text_width(part.text, small=True)
