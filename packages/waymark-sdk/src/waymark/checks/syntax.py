"""Place and reason of a syntax error in; what to write instead out, where the reason alone does not tell."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from waymark.compiler.diagnostics import Text

_OUTSIDE = ("outside async function", "outside of an asynchronous function")
_Function = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef


def instead(reason: str, lines: Sequence[str], line: int, column: int) -> str | None:
    """What to write in place of an ``await`` that its function cannot have; None for all other errors."""
    if not any(words in reason for words in _OUTSIDE):
        return None
    match _function_around(lines, line, column):
        case ast.Lambda():
            return "a lambda cannot await: use a nested `async def`"
        case ast.FunctionDef(name=name):
            return f"write `async def {name}(…)`"
        case _:
            return None


def _function_around(lines: Sequence[str], line: int, column: int) -> _Function | None:
    """The innermost function around a place; ``column`` counts characters from 0."""
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return None
    text = Text("", tuple(lines))
    found: _Function | None = None
    for node in ast.walk(tree):  # from the outside to the inside
        if isinstance(node, _Function):
            span = text.span(node)
            begins, ends = (span.line, span.column), (span.end_line, span.end_column)
            if begins <= (line, column) < ends:
                found = node
    return found
