"""``try`` with ``except*``: nodes in, one handler after the other, each around its share of a group, out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower, Named
from waymark.compiler.exits import with_finally
from waymark_schema.ir import instructions as ins


def attempt(ctx: Context, node: ast.stmt) -> None:
    """``try`` with ``except*``."""
    assert isinstance(node, ast.TryStar)
    ctx.tables.used.add("derive")
    if node.finalbody:
        with_finally(ctx, node.finalbody, lambda: _with_handlers(ctx, node))
    else:
        _with_handlers(ctx, node)


def _with_handlers(ctx: Context, node: ast.TryStar) -> None:
    builder = ctx.builder
    caught, handled, rest = (builder.temporary() for _ in range(3))
    raised, merged = builder.temporary(), builder.temporary()
    failed, ended, after = builder.label(), builder.label(), builder.label()
    mark = builder.mark()
    with builder.protected(handler=failed, handling=builder.handling):
        builder.fresh()
        ctx.body(node.body)
        walked = builder.iterators_since(mark)
        builder.terminate(ins.Jump(ended))
    builder.place(ended)
    ctx.body(node.orelse)
    builder.terminate(ins.Jump(after))
    builder.place(failed)
    builder.emit(ins.Catch(caught))
    ctx.drop(walked)
    builder.emit(ins.Move(handled, caught))
    builder.emit(ins.Move(rest, caught))
    builder.emit(ins.Build("list", raised, []))
    with builder.protected(handler=builder.handler, handling=handled):
        builder.fresh()
        for handler in node.handlers:
            _handler(ctx, handler, handled, rest, raised)
        builder.emit(ins.Append(raised, rest))
        builder.emit(ins.MergeGroups(merged, caught, raised))
        builder.terminate(ins.Jump(ended := builder.label()))
    builder.place(ended)
    nothing, propagate = builder.temporary(), builder.label()
    builder.emit(ins.Compare("is", nothing, merged, ctx.none()))
    builder.terminate(ins.Branch(nothing, after, propagate))
    builder.place(propagate)
    builder.terminate(ins.Reraise(merged))
    builder.place(after)


def _handler(ctx: Context, node: ast.ExceptHandler, handled: int, rest: int, raised: int) -> None:
    """One ``except*``: what its block raises is kept until every other handler had its turn."""
    builder = ctx.builder
    assert node.type is not None
    following, collect, body = builder.label(), builder.label(), builder.label()
    mark = builder.mark()
    pattern = ctx.expr(node.type)
    ctx.at(node.type)
    share, nothing = builder.temporary(), builder.temporary()
    builder.emit(ins.SplitGroup(share, rest, rest, pattern))
    builder.emit(ins.Compare("is", nothing, share, ctx.none()))
    builder.terminate(ins.Branch(nothing, following, body))
    builder.place(body)
    builder.emit(ins.Move(handled, share))
    variable = None if node.name is None else ctx.scope.find(node.name)
    escaped = builder.temporary()
    ctx.inside_except.append(handled)
    with builder.protected(handler=collect, handling=handled):
        builder.fresh()
        if variable is not None:
            ctx.store(variable, share)
            ctx.regions.append(Named(variable))
        inside = builder.mark()
        ctx.body(node.body)
        walked = builder.iterators_since(inside)
        if variable is not None:
            ctx.regions.pop()
            ctx.unbind(variable)
        builder.terminate(ins.Jump(following))
    ctx.inside_except.pop()
    builder.place(collect)
    builder.emit(ins.Catch(escaped))
    ctx.drop(walked)
    if variable is not None:
        ctx.unbind(variable)
    builder.emit(ins.Append(raised, escaped))
    builder.release(mark)
    builder.place(following)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {ast.TryStar: attempt}
TARGETS: dict[type[ast.AST], Assign] = {}
