"""``raise`` and ``try`` with ``except``, ``else`` and ``finally``: nodes in, blocks and handlers out."""

from __future__ import annotations

import ast

from waymark.compiler.builder import Label
from waymark.compiler.context import Assign, Context, Execute, Lower, Named
from waymark.compiler.exits import with_finally
from waymark.compiler.scopes import Variable
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE


def raising(ctx: Context, node: ast.stmt) -> None:
    """``raise``, ``raise … from …`` and bare ``raise``."""
    assert isinstance(node, ast.Raise)
    if node.exc is None:
        handled = ctx.inside_except[-1] if ctx.inside_except else NONE
        ctx.builder.terminate(ins.Reraise(_in_hand(ctx) if handled == NONE else handled))
        return
    if node.cause is None:
        ctx.builder.terminate(ins.Raise(ctx.expr(node.exc)))
        return
    error, cause = ctx.operands([node.exc, node.cause])
    ctx.builder.terminate(ins.Raise(error, cause))


def _in_hand(ctx: Context) -> int:
    """What a bare ``raise`` outside of every ``except`` block raises again: what the caller handles, if it does."""
    builder = ctx.builder
    found, missing = builder.temporary(), builder.temporary()
    nothing, something = builder.label(), builder.label()
    builder.emit(ins.Handled(found))
    builder.emit(ins.Compare("is", missing, found, ctx.none()))
    builder.terminate(ins.Branch(missing, nothing, something))
    builder.place(nothing)
    message = builder.constant(ctx.tables.value("No active exception to reraise"))
    builder.emit(ins.CallPure(missing, ctx.builtin("RuntimeError"), [message]))
    builder.terminate(ins.Raise(missing))
    builder.place(something)
    return found


def attempt(ctx: Context, node: ast.stmt) -> None:
    """``try``."""
    assert isinstance(node, ast.Try)
    if not node.finalbody:
        _with_handlers(ctx, node)
    elif node.handlers:
        with_finally(ctx, node.finalbody, lambda: _with_handlers(ctx, node))
    else:
        with_finally(ctx, node.finalbody, lambda: ctx.body(node.body))


def _with_handlers(ctx: Context, node: ast.Try) -> None:
    builder = ctx.builder
    caught = builder.temporary()
    failed, after = builder.label(), builder.label()
    mark = builder.mark()
    with builder.protected(handler=failed, handling=builder.handling):
        builder.fresh()
        ctx.body(node.body)
        walked = builder.iterators_since(mark)
        ended = builder.label()
        builder.terminate(ins.Jump(ended))
    builder.place(ended)
    ctx.body(node.orelse)
    builder.terminate(ins.Jump(after))
    builder.place(failed)
    builder.emit(ins.Catch(caught))
    ctx.drop(walked)
    with builder.protected(handler=builder.handler, handling=caught):
        builder.fresh()
        for handler in node.handlers:
            _handler(ctx, handler, caught, after)
        if all(handler.type is not None for handler in node.handlers):
            builder.terminate(ins.Reraise(caught))
    builder.place(after)


def _handler(ctx: Context, node: ast.ExceptHandler, caught: int, after: Label) -> None:
    builder = ctx.builder
    other = builder.label()
    ctx.at(node)
    if node.type is not None:
        mark = builder.mark()
        pattern = ctx.expr(node.type)
        ctx.at(node.type)
        matched = builder.temporary()
        builder.emit(ins.MatchException(matched, caught, pattern))
        body = builder.label()
        builder.terminate(ins.Branch(matched, body, other))
        builder.release(mark)
        builder.place(body)
    ctx.inside_except.append(caught)
    if node.name is None:
        ctx.body(node.body)
    else:
        _named(ctx, node, node.name, caught)
    ctx.inside_except.pop()
    builder.terminate(ins.Jump(after))
    builder.place(other)


def _named(ctx: Context, node: ast.ExceptHandler, name: str, caught: int) -> None:
    """``except … as name``: the name is unbound on every way out of the block."""
    variable = ctx.scope.find(name)
    assert variable is not None
    builder = ctx.builder
    ctx.store(variable, caught)
    ctx.regions.append(Named(variable))
    if builder.handler == NONE and not variable.cell:
        ctx.body(node.body)
        ctx.regions.pop()
    else:
        _named_and_protected(ctx, node, variable)
    ctx.unbind(variable)


def _named_and_protected(ctx: Context, node: ast.ExceptHandler, variable: Variable) -> None:
    """An exception that leaves the block may be handled by code that must not see the name."""
    builder = ctx.builder
    failed, after = builder.label(), builder.label()
    escaped = builder.temporary()
    handling = builder.handling
    mark = builder.mark()
    with builder.protected(handler=failed, handling=handling):
        builder.fresh()
        ctx.body(node.body)
        walked = builder.iterators_since(mark)
        builder.terminate(ins.Jump(after))
    ctx.regions.pop()
    builder.place(failed)
    builder.emit(ins.Catch(escaped))
    ctx.drop(walked)
    ctx.unbind(variable)
    builder.terminate(ins.Reraise(escaped))
    builder.place(after)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {ast.Raise: raising, ast.Try: attempt}
TARGETS: dict[type[ast.AST], Assign] = {}
