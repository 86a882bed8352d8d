"""A chart in; lines of text, each with the line of the source that it is about, out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from waymark_schema.charts.nodes import (
    Arm,
    Chart,
    Choice,
    Code,
    Exit,
    FunctionChart,
    Guarded,
    Loop,
    Node,
    Scope,
    Step,
    Together,
)

MARKS = {"action": "●", "sleep": "◷", "helper": "▸", "event": "◇", "start": "○", "await": "◦"}
LEGEND = "● action  ▸ helper  ◷ sleep  ◇ event  ○ started  ◦ awaited  · code"
PLAIN = str.maketrans(
    {
        "●": "*",
        "◷": "~",
        "▸": ">",
        "◇": "?",
        "○": "o",
        "◦": "-",
        "·": ".",
        "│": "|",
        "├": "+",
        "…": "~",
    }
)
"""For terminals that know ASCII only."""
_Line = tuple[int, str]


def as_text(chart: Chart) -> str:
    """Every function as an indented outline."""
    functions = (
        "\n".join(_shown(line, text) for line, text in _function(function))
        for function in chart.functions
    )
    return "\n\n".join([f"workflow {chart.workflow}\n{LEGEND}", *functions])


def _shown(line: int, text: str) -> str:
    return f"{line or '':>5}  {text}".rstrip()


def _function(function: FunctionChart) -> Iterator[_Line]:
    yield 0, PurePath(function.file).name
    yield function.place.line, function.signature
    yield from _below(function.body)


def _below(nodes: list[Node]) -> Iterator[_Line]:
    for node in nodes:
        for line, text in _node(node):
            yield line, f"│ {text}"


def _node(node: Node) -> Iterator[_Line]:
    match node:
        case Step() | Code() | Exit():
            yield node.place.line, _leaf(node)
        case Choice():
            yield from _choice(node)
        case Loop():
            yield from _part(node.label, node.body, node.place.line)
            yield from _part("else", node.otherwise)
        case Together():
            yield node.place.line, node.label
            for arm in node.arms:
                yield from _lane(arm)
        case Guarded():
            yield from _guarded(node)
        case Scope():
            yield from _part(node.label, node.body, node.place.line)


def _part(label: str, body: list[Node], line: int = 0) -> Iterator[_Line]:
    """A heading with what belongs to it; nothing where that is nothing."""
    if body:
        yield line, label
        yield from _below(body)


def _leaf(node: Step | Code | Exit) -> str:
    match node:
        case Step():
            return _step(node)
        case Code(label=label, statements=count):
            return f"· {label}" + (f"  (and {count - 1} more)" if count > 1 else "")
        case Exit(label=label):
            return label


def _step(node: Step) -> str:
    result = f"{node.result} = " if node.result else ""
    detail = f"  ({node.detail})" if node.detail else ""
    return f"{MARKS[node.kind]} {result}{node.label}{detail}"


def _choice(node: Choice) -> Iterator[_Line]:
    if node.kind == "match":
        yield node.place.line, node.label
    for index, arm in enumerate(node.arms):
        own = arm.place.line if arm.place else node.place.line if index == 0 else 0
        yield (0 if node.kind == "match" else own), arm.label
        yield from _below(arm.body)


def _guarded(node: Guarded) -> Iterator[_Line]:
    yield node.place.line, "try"
    yield from _below(node.body)
    for arm in node.handlers:
        yield from _part(arm.label, arm.body, arm.place.line if arm.place else 0)
    yield from _part("else", node.otherwise)
    yield from _part("finally", node.at_last)


def _lane(arm: Arm) -> Iterator[_Line]:
    lines = [line for node in arm.body for line in _node(node)]
    for index, (line, text) in enumerate(lines):
        yield line, f"{'├' if index == 0 else '│'} {text}"
