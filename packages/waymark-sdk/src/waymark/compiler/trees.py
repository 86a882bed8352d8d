"""A syntax tree goes in; its nodes come out, faster than the standard library finds them."""

from __future__ import annotations

import ast


def children(node: ast.AST) -> list[ast.AST]:
    """Nodes directly below ``node``, in source order, without the marks that say how a name is used."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """``node`` and all nodes below it, level by level, as ``ast.walk`` has them; no marks of names either."""
    found = [node]
    for each in found:
        found += children(each)
    return found
