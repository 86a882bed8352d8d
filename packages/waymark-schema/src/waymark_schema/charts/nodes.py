"""The tree that a chart is: what a function does, in order, with everything that branches, loops or waits."""

from __future__ import annotations

import msgspec

SCHEMA = 1
"""Number of the JSON form; fields may be added under the same number, none changes or goes."""


class Place(msgspec.Struct, frozen=True):
    """Where a node stands: 1-based lines and 0-based columns of the source, end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Step(msgspec.Struct, frozen=True, tag="step"):
    """Something that is awaited, or started to be awaited later."""

    kind: str
    """``action``, ``sleep``, ``helper``, ``event``, ``start`` or ``await`` (anything else)."""
    label: str
    place: Place
    id: str = ""
    action: str = ""
    """Key of the action, ``module:name``."""
    detail: str = ""
    """Policy of this call, as it is written."""
    result: str = ""
    """Where the result goes, as it is written."""
    function: int = -1
    """Number of the helper that is called, if the program has it; -1: none."""
    block: int = -1
    """Block of the program that waits here; -1: none of its own."""


class Code(msgspec.Struct, frozen=True, tag="code"):
    """Statements without a step, one after another."""

    label: str
    statements: int
    place: Place
    id: str = ""


class Exit(msgspec.Struct, frozen=True, tag="exit"):
    """``return``, ``raise``, ``break`` or ``continue``."""

    kind: str
    label: str
    place: Place
    id: str = ""


class Arm(msgspec.Struct, frozen=True):
    """One way: of a choice, of a handler, of what runs together."""

    label: str
    body: list[Node]
    place: Place | None = None


class Choice(msgspec.Struct, frozen=True, tag="choice"):
    """One of several arms: ``if``, ``match``, or ``and``, ``or`` and a conditional expression with steps in it."""

    kind: str
    label: str
    arms: list[Arm]
    place: Place
    id: str = ""
    complete: bool = False
    """One of the arms is always taken."""


class Loop(msgspec.Struct, frozen=True, tag="loop"):
    """``for``, ``while`` or a comprehension."""

    label: str
    body: list[Node]
    place: Place
    id: str = ""
    otherwise: list[Node] = []
    endless: bool = False
    """Its test never fails, so only a ``break`` leaves it."""


class Together(msgspec.Struct, frozen=True, tag="together"):
    """``asyncio.gather``: every arm runs, all at the same time."""

    label: str
    arms: list[Arm]
    place: Place
    id: str = ""


class Guarded(msgspec.Struct, frozen=True, tag="guarded"):
    """``try`` with its handlers, ``else`` and ``finally``."""

    body: list[Node]
    handlers: list[Arm]
    otherwise: list[Node]
    at_last: list[Node]
    place: Place
    id: str = ""


class Scope(msgspec.Struct, frozen=True, tag="scope"):
    """``with`` and ``async with``."""

    label: str
    body: list[Node]
    place: Place
    id: str = ""


Node = Step | Code | Exit | Choice | Loop | Together | Guarded | Scope


class FunctionChart(msgspec.Struct, frozen=True):
    """One function of a program."""

    number: int
    name: str
    signature: str
    file: str
    place: Place
    body: list[Node]


class Chart(msgspec.Struct, frozen=True):
    """A program's control flow: ``run`` first, then the helper coroutines that it may call."""

    workflow: str
    digest: str
    functions: list[FunctionChart]
    schema: int = SCHEMA


def as_json(chart: Chart) -> str:
    """A chart as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(chart), indent=2).decode()
