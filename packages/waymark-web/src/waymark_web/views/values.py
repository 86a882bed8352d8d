"""Wire bytes in, what a page shows of a value or of an exception out; no user code runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from waymark_schema.inputs import unpack_inputs
from waymark_schema.values import render
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.faults import CHAIN_LIMIT, FaultParts
from waymark_web.views.words import clean, size

MOST_BYTES = 256 * 1024
"""Values beyond this are told of by their size: a page may hold a hundred of them."""

_TEXT_LIMIT = 20_000
_MESSAGE_LIMIT = 4_000
_GROUP_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as text, or, when it is too large, only a note that says so."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FaultView:
    """An exception; `link` says how it hangs together with the one shown before it."""

    name: str
    message: str
    notes: tuple[str, ...] = ()
    attributes: str = ""
    traceback: str = ""
    link: str = ""
    chain: tuple[FaultView, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run started from; attributes only if it has any."""

    arguments: Shown
    attributes: Shown | None = None


def shown(data: bytes | None, length: int | None) -> Shown | None:
    """A value of `length` bytes; None if there is none, a note if it stayed in the database."""
    if length is None:
        return None
    if data is None:
        return Shown("", f"{size(length)}: too large to show here")
    return Shown(clean(render.as_text(data, limit=_TEXT_LIMIT)))


def inputs(column: bytes | None, length: int) -> Inputs:
    """The two parts of what a run started from."""
    if column is None:
        return Inputs(Shown("", f"{size(length)}: too large to show here"))
    try:
        parts = unpack_inputs(column)
    except ValueError as error:
        return Inputs(Shown("", clean(str(error))))
    arguments = shown(parts.arguments, len(parts.arguments)) or Shown("")
    if _is_empty(parts.attributes):
        return Inputs(arguments)
    return Inputs(arguments, shown(parts.attributes, len(parts.attributes)))


def fault(data: bytes | None, length: int | None) -> FaultView | None:
    """An exception and the ones behind it; None if there is none."""
    if length is None:
        return None
    if data is None:
        return FaultView("An error", f"{size(length)}: too large to show here")
    try:
        parts = render.fault(data)
    except MalformedValue:
        return FaultView("An error that cannot be read", clean(render.as_text(data, limit=500)))
    return _fault(parts, attributes=_attributes(data), chain=tuple(_chain(parts)))


def headline(view: FaultView) -> str:
    r"""Class and first line of the message.

    >>> headline(FaultView("app:Refused", "no stock\nmore"))
    'Refused: no stock'
    """
    name = view.name.rpartition(":")[2]
    first = view.message.strip().partition("\n")[0]
    return f"{name}: {first}" if first else name


def _fault(
    parts: FaultParts, *, link: str = "", attributes: str = "", chain: tuple[FaultView, ...] = ()
) -> FaultView:
    return FaultView(
        clean(parts.qualname),
        clean(parts.message[:_MESSAGE_LIMIT]),
        tuple(clean(str(note)[:_MESSAGE_LIMIT]) for note in parts.notes[:_GROUP_LIMIT]),
        attributes,
        clean(parts.traceback[-_TEXT_LIMIT:]),
        link,
        chain,
    )


def _chain(parts: FaultParts) -> list[FaultView]:
    found: list[FaultView] = []
    members = parts.exceptions if isinstance(parts.exceptions, list | tuple) else ()
    for number, member in enumerate(members[:_GROUP_LIMIT], 1):
        if isinstance(member, FaultParts):
            found.append(_fault(member, link=f"Exception {number} of {len(members)} in the group"))
    behind: FaultParts | None = parts
    while behind is not None and len(found) < CHAIN_LIMIT + _GROUP_LIMIT:
        if isinstance(behind.cause, FaultParts):
            behind, link = behind.cause, "Caused by"
        elif isinstance(behind.context, FaultParts) and not behind.suppress_context:
            behind, link = behind.context, "Raised while handling"
        else:
            break
        found.append(_fault(behind, link=link))
    return found


def _attributes(data: bytes) -> str:
    told = render.as_json(data)
    if not isinstance(told, dict):
        return ""
    own = {name: value for name, value in told.items() if name not in {"$type", "message"}}
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in own.items())
    return clean("\n".join(lines)[:_MESSAGE_LIMIT])


def _is_empty(attributes: bytes) -> bool:
    try:
        return not render.read(attributes)
    except MalformedValue:
        return False
