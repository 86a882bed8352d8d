"""``if``, ``assert``, ``return``, ``pass`` and expression statements: nodes in, blocks out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.exits import leave_function
from waymark_schema.ir import instructions as ins


def branch(ctx: Context, node: ast.stmt) -> None:
    """``if`` with its ``else``."""
    assert isinstance(node, ast.If)
    builder = ctx.builder
    then, otherwise = builder.label(), builder.label()
    after = builder.label() if node.orelse else otherwise
    mark = builder.mark()
    test = ctx.expr(node.test)
    builder.terminate(ins.Branch(test, then, otherwise))
    builder.release(mark)
    builder.place(then)
    ctx.body(node.body)
    if node.orelse:
        builder.terminate(ins.Jump(after))
        builder.place(otherwise)
        ctx.body(node.orelse)
    builder.place(after)


def assertion(ctx: Context, node: ast.stmt) -> None:
    """``assert test, message``."""
    assert isinstance(node, ast.Assert)
    builder = ctx.builder
    failed, after = builder.label(), builder.label()
    test = ctx.expr(node.test)
    builder.terminate(ins.Branch(test, after, failed))
    builder.place(failed)
    error = ctx.builtin("AssertionError")
    if node.msg is not None:
        message = ctx.expr(node.msg)
        raised = builder.temporary()
        builder.emit(ins.CallPure(raised, error, [message]))
        error = raised
    builder.terminate(ins.Raise(error))
    builder.place(after)


def returning(ctx: Context, node: ast.stmt) -> None:
    """``return``, through every ``finally`` around it."""
    assert isinstance(node, ast.Return)
    leave_function(ctx, ctx.none() if node.value is None else ctx.expr(node.value))


def nothing(ctx: Context, node: ast.stmt) -> None:
    """``pass``."""
    del ctx, node


def expression(ctx: Context, node: ast.stmt) -> None:
    """An expression for its effects."""
    assert isinstance(node, ast.Expr)
    if not isinstance(node.value, ast.Constant):
        ctx.expr(node.value)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {
    ast.If: branch,
    ast.Assert: assertion,
    ast.Return: returning,
    ast.Pass: nothing,
    ast.Expr: expression,
}
TARGETS: dict[type[ast.AST], Assign] = {}
