"""``yield`` and ``yield from``: nodes in, the places where a generator is suspended out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE


def item(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``yield value``: the value of the expression is what is sent."""
    assert isinstance(node, ast.Yield)
    _check(ctx, node)
    builder = ctx.builder
    ctx.tables.finalizers = ctx.tables.finalizers or builder.handler != NONE
    mark = builder.mark()
    value = ctx.none() if node.value is None else ctx.expr(node.value)
    builder.release(mark)
    target = ctx.target(into)
    resumed = builder.label()
    builder.terminate(ins.Yield(target, value, resumed))
    builder.place(resumed)
    return target


def items(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``yield from iterable``: what is sent or thrown goes on to the inner iterator."""
    assert isinstance(node, ast.YieldFrom)
    _check(ctx, node)
    builder = ctx.builder
    slot, iterator, caught = builder.temporary(), builder.iterator(), builder.temporary()
    ctx.tables.finalizers = ctx.tables.finalizers or builder.handler != NONE
    builder.emit(ins.Iterate(iterator, ctx.expr(node.value)))
    ctx.drop(sorted(builder.produced))
    builder.emit(ins.Move(slot, ctx.none()))
    again, body, done, failed = (builder.label() for _ in range(4))
    builder.place(again)
    builder.terminate(ins.Send(iterator, slot, slot, body, done))
    with builder.protected(handler=failed, handling=builder.handling):
        builder.place(body)
        builder.terminate(ins.Yield(slot, slot, again))
    builder.place(failed)
    builder.emit(ins.Catch(caught))
    builder.terminate(ins.Throw(iterator, caught, slot, body, done))
    builder.place(done)
    ctx.drop([iterator])
    return slot


def _check(ctx: Context, node: ast.expr) -> None:
    if isinstance(ctx.scope.frame.node, ast.Lambda):
        ctx.reject("WM105", node, "`yield` in a lambda", "write it as a nested `def`")


EXPRESSIONS: dict[type[ast.AST], Lower] = {ast.Yield: item, ast.YieldFrom: items}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
