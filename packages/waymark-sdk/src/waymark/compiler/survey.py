"""A statement that could not be lowered goes in; what else is wrong with its parts is reported."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from waymark.compiler.context import Context
from waymark.compiler.diagnostics import Unsupported

_OWN_SCOPE = (
    ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.FunctionDef,
    ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Match,
)  # fmt: skip
"""What is looked at as a whole, or not at all: its names mean something else outside of it."""


def report_rest(ctx: Context, node: ast.stmt) -> None:
    """Lower the parts of a refused statement one by one, so that each problem in it is known at once."""
    if isinstance(node, _OWN_SCOPE):
        return
    for part in _expressions(node):
        _look_at(ctx, part)
    _look_at_bodies(ctx, node)


def _look_at_bodies(ctx: Context, node: ast.stmt) -> None:
    loops = isinstance(node, ast.For | ast.AsyncFor | ast.While)
    if loops:
        ctx.regions.append(ctx.new_loop())
    ctx.body(getattr(node, "body", []))
    if loops:
        ctx.regions.pop()
    for handler in getattr(node, "handlers", []):
        ctx.inside_except.append(0)
        ctx.body(handler.body)
        ctx.inside_except.pop()
    ctx.body(getattr(node, "orelse", []))
    ctx.body(getattr(node, "finalbody", []))


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions of a statement that are evaluated where it stands, but for what it assigns to."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not isinstance(
            getattr(child, "ctx", None), ast.Store | ast.Del
        ):
            yield child
        elif isinstance(child, ast.withitem):
            yield child.context_expr


def _look_at(ctx: Context, node: ast.expr) -> None:
    if isinstance(node, ast.Starred):
        node = node.value
    try:
        ctx.expr(node)
    except Unsupported:
        for part in _parts(ctx, node):
            _look_at(ctx, part)


def _parts(ctx: Context, node: ast.expr) -> Iterator[ast.expr]:
    """Operands of a refused expression: not the name that it was refused for."""
    match node:
        case ast.Call(func=ast.Name(id="super")):
            pass
        case ast.Call(func=func, args=args, keywords=keywords):
            if isinstance(func, ast.Attribute) and not _is_dotted(func.value):
                yield func.value
            given = [*args, *(keyword.value for keyword in keywords)]
            yield from (one for one in given if not ctx.is_self(one))
        case ast.Attribute(value=value):
            if not _is_dotted(value):
                yield value
        case ast.NamedExpr(value=value):
            yield value
        case _ if not isinstance(node, _OWN_SCOPE):
            yield from (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
        case _:
            pass


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
