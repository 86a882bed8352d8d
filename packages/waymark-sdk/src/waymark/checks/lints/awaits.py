"""A function in; calls that are made and never awaited out: WM301."""

from __future__ import annotations

import ast

from waymark.checks.lints.reading import Reading

CODE = "WM301"
_LONGEST = 60
_OPERANDS = (ast.Compare, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.FormattedValue, ast.Assert)


def check(reading: Reading) -> None:
    """Warn about actions, helpers and sleeps that are called and thrown away, or taken for their result."""
    loaded = {
        node.id
        for node in ast.walk(reading.node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for node in reading.nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if reading.makes_call(node):
            _check(reading, node, loaded)


def _check(reading: Reading, node: ast.Call, loaded: set[str]) -> None:
    parent = reading.parents.get(node)
    text = _short(node)
    match parent:
        case ast.Expr():
            why = f"`{text}` is called and thrown away: without `await` it never runs"
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
            name not in loaded
        ):
            why = f"`{name}` holds a call of `{text}` that nothing awaits: it never runs"
        case ast.Return() if reading.is_run and _own(reading, parent):
            why = f"run() returns the call `{text}` instead of its result: it never runs"
        case _ if parent is not None and _takes_result(parent, node):
            why = f"`{text}` stands where its result is meant: without `await` it is a call that never runs"
        case _:
            return
    inner = isinstance(parent, ast.Attribute | ast.Subscript)
    reading.warn(CODE, node, why, f"write `(await {text})`" if inner else f"write `await {text}`")


def _own(reading: Reading, node: ast.AST) -> bool:
    """Whether a statement belongs to the function itself, not to one inside it."""
    while node is not reading.node:
        node = reading.parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return node is reading.node
    return True


def _takes_result(parent: ast.AST, node: ast.expr) -> bool:
    match parent:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is node
        case ast.Subscript(value=value) | ast.Attribute(value=value):
            return value is node
        case ast.For(iter=items) | ast.comprehension(iter=items):
            return items is node
        case _:
            return isinstance(parent, _OPERANDS)


def _short(node: ast.Call) -> str:
    """The call with its arguments, unless they are long."""
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST and "\n" not in text else f"{ast.unparse(node.func)}(…)"
