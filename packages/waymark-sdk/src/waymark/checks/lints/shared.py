"""A function in; changes of objects that runs seem to share and do not out: WM305."""

from __future__ import annotations

import ast
from collections import deque
from typing import Any

from waymark.checks.lints.reading import Reading
from waymark.compiler import members
from waymark.compiler.symbols import Captured

CODE = "WM305"
_CONTAINERS = (list, dict, set, bytearray, deque)
_CHANGES = frozenset(
    {
        "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert",
        "intersection_update", "move_to_end", "pop", "popitem", "popleft", "remove", "reverse", "rotate",
        "setdefault", "sort", "subtract", "symmetric_difference_update", "update",
    }
)  # fmt: skip
_INSTEAD = "keep a copy in a variable of run() and change that; what runs share belongs into a database, behind an @action"


def check(reading: Reading) -> None:
    """Warn about changes of a module's or a class's container: every run has a copy of its own."""
    for node in reading.nodes(ast.Call, ast.Subscript):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _CHANGES:
                changed = owner
            case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
                changed = owner
            case _:
                continue
        whose = _whose(reading, _container(changed))
        if whose:
            text = ast.unparse(changed)
            why = f"`{text}` belongs to the {whose}, but every run has a copy of its own: no other run sees this change"
            reading.warn(CODE, node, why, _INSTEAD)


def _container(node: ast.expr) -> ast.expr:
    """What an item is in, and that in, without end."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def _whose(reading: Reading, node: ast.expr) -> str:
    """Who holds the container that a name means; empty if it is the run's own, or none."""
    found = reading.symbol(node)
    if isinstance(found, Captured):
        return "module" if isinstance(found.value, _CONTAINERS) else ""
    member = reading.member(node)
    if not isinstance(member, members.Attribute) or not isinstance(member.value, _CONTAINERS):
        return ""
    assert isinstance(node, ast.Attribute)
    return "" if _assigned(reading, node.attr) else "class"


def _assigned(reading: Reading, name: str) -> bool:
    """Whether the object gets one of its own: in this function, or before the run begins."""
    made: Any = getattr(reading.workflow.__init__, "__code__", None)  # type: ignore[misc] # of any class
    if made is not None and name in made.co_names:
        return True
    return any(
        isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(reading.node)
    )
