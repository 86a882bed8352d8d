"""The tree of a function in; one drawn piece, everything in its place, out."""

from __future__ import annotations

from dataclasses import replace

from waymark_schema.charts.boxes import (
    Column,
    Piece,
    framed,
    guarded,
    joined,
    leaf,
    looped,
    nothing,
    side_by_side,
    stacked,
)
from waymark_schema.charts.nodes import (
    Arm,
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


def laid_out(function: FunctionChart) -> Piece:
    """Draw a whole function, its start and its end too."""
    start = leaf("start", function.signature, title=f"line {function.place.line}")
    body = [_drawn(node) for node in function.body]
    pieces = [start, *body]
    if pieces[-1].goes_on:
        pieces.append(leaf("end", "end", title="returns None", goes_on=False))
    return stacked(pieces)


def _all(nodes: list[Node]) -> Piece:
    return stacked([_drawn(node) for node in nodes])


def _drawn(node: Node) -> Piece:
    match node:
        case Step() | Code() | Exit():
            return _leaf(node)
        case Choice():
            return _choice(node)
        case Loop() | Together():
            return _loop(node) if isinstance(node, Loop) else _together(node)
        case Guarded():
            return _guarded(node)
        case Scope(label=label):
            return framed(label, _all(node.body), kind="frame scope", id=node.id)


def _leaf(node: Step | Code | Exit) -> Piece:
    match node:
        case Step():
            result = f"{node.result} = " if node.result else ""
            return leaf(f"step {node.kind}", result + node.label, title=_told(node), id=node.id)
        case Code(label=label, statements=count):
            more = f" (+{count - 1})" if count > 1 else ""
            lines = f"lines {node.place.line} to {node.place.end_line}"
            return leaf("code", label + more, title=f"code, {lines}", id=node.id)
        case Exit(kind=kind, label=label):
            return leaf(f"exit {kind}", label, title=_line(node), id=node.id, goes_on=False)


def _told(node: Step) -> str:
    parts = [node.kind, node.action, node.detail, _line(node)]
    return ", ".join(part for part in parts if part)


def _line(node: Node) -> str:
    return f"line {node.place.line}"


def _choice(node: Choice) -> Piece:
    mark = "" if node.kind == "match" else " ?"
    head = leaf("choice", node.label + mark, title=f"{node.kind}, {_line(node)}", id=node.id)
    columns = [Column(_short(node, arm), _all(arm.body)) for arm in node.arms]
    if not node.complete:
        otherwise = {"match": "no case", "and": "false", "or": "true"}.get(node.kind, "else")
        columns.append(Column(otherwise, nothing()))
    return joined(head, side_by_side(columns))


def _short(node: Choice, arm: Arm) -> str:
    """The first arm of an ``if`` repeats what the head says."""
    if node.kind == "match" or arm is not node.arms[0]:
        return arm.label
    return "false" if node.kind == "or" else "true"


def _loop(node: Loop) -> Piece:
    head = leaf("loop", node.label, title=f"loop, {_line(node)}", id=node.id)
    leaves = not node.endless or _breaks(node.body)
    drawn = looped(head, _all(node.body), leaves=leaves, broken=node.endless)
    return stacked([drawn, _all(node.otherwise)]) if node.otherwise else drawn


def _breaks(nodes: list[Node]) -> bool:
    """Whether a body has a ``break`` of its own loop."""
    return any(_breaks_in(node) for node in nodes)


def _breaks_in(node: Node) -> bool:
    match node:
        case Exit(kind=kind):
            return kind == "break"
        case Loop(otherwise=otherwise):
            return _breaks(otherwise)
        case Choice() | Together():
            return any(_breaks(arm.body) for arm in node.arms)
        case Scope(body=body):
            return _breaks(body)
        case Guarded():
            parts = [node.body, node.otherwise, node.at_last, *(arm.body for arm in node.handlers)]
            return any(_breaks(part) for part in parts)
        case _:
            return False


def _together(node: Together) -> Piece:
    head = leaf("together", node.label, title=f"gather, {_line(node)}", id=node.id)
    if not node.arms:
        return head
    lanes = [Column(arm.label, _all(arm.body)) for arm in node.arms]
    return joined(head, side_by_side(lanes, bar=True))


def _guarded(node: Guarded) -> Piece:
    body = framed("try", _all(node.body), id=node.id)
    if node.otherwise:
        body = stacked([body, _all(node.otherwise)])
    whole = guarded(body, [Column(arm.label, _all(arm.body)) for arm in node.handlers])
    if not node.at_last:
        return whole
    last = framed("finally", _all(node.at_last), kind="frame last")
    # It runs however the parts above end; what comes after it does not.
    drawn = stacked([replace(whole, goes_on=True), last])
    return replace(drawn, goes_on=whole.goes_on and last.goes_on)
