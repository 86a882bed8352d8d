"""``for`` and ``while`` with ``break``, ``continue`` and ``else``: nodes in, blocks out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Loop, Lower
from waymark.compiler.exits import innermost_loop, leave_loop
from waymark.compiler.iteration import async_iterator
from waymark_schema.ir import instructions as ins


def for_each(ctx: Context, node: ast.stmt) -> None:
    """``for`` with its ``else``."""
    assert isinstance(node, ast.For)
    builder = ctx.builder
    iterator = builder.iterator()
    mark = builder.mark()
    builder.emit(ins.Iterate(iterator, ctx.expr(node.iter)))
    ctx.drop(sorted(builder.produced))
    builder.produced.clear()
    builder.release(mark)
    local = ctx.plain_local(node.target)
    item = builder.temporary() if local is None else local
    loop = Loop(builder.label(), builder.label(), iterator, builder.handler, builder.handling)
    body, done = builder.label(), builder.label()
    builder.place(loop.again)
    builder.terminate(ins.Next(iterator, item, body, done))
    builder.place(body)
    if local is None:
        ctx.assign(node.target, item)
    _run(ctx, loop, node.body)
    builder.terminate(ins.Jump(loop.again))
    builder.place(done)
    ctx.drop([iterator])
    ctx.body(node.orelse)
    builder.place(loop.leave)
    ctx.drop([iterator])


def async_for_each(ctx: Context, node: ast.stmt) -> None:
    """``async for`` with its ``else``."""
    assert isinstance(node, ast.AsyncFor)
    builder = ctx.builder
    if not ctx.is_async:
        ctx.reject(
            "WM103",
            node.iter,
            "`async for` outside an async function",
            "make the function `async def`",
        )
    iterator = async_iterator(ctx, node.iter)
    local = ctx.plain_local(node.target)
    item = builder.temporary() if local is None else local
    loop = Loop(leave=builder.label(), again=builder.label())
    body, done = builder.label(), builder.label()
    builder.place(loop.again)
    ctx.at(node.iter)
    builder.terminate(ins.AsyncNext(iterator, item, body, done))
    builder.place(body)
    if local is None:
        ctx.assign(node.target, item)
    _run(ctx, loop, node.body)
    builder.terminate(ins.Jump(loop.again))
    builder.place(done)
    ctx.body(node.orelse)
    builder.place(loop.leave)


def while_true(ctx: Context, node: ast.stmt) -> None:
    """``while`` with its ``else``."""
    assert isinstance(node, ast.While)
    builder = ctx.builder
    loop = Loop(leave=builder.label(), again=builder.label())
    body, done = builder.label(), builder.label()
    builder.place(loop.again)
    if not (isinstance(node.test, ast.Constant) and node.test.value):
        mark = builder.mark()
        test = ctx.expr(node.test)
        builder.terminate(ins.Branch(test, body, done))
        builder.release(mark)
    builder.place(body)
    _run(ctx, loop, node.body)
    builder.terminate(ins.Jump(loop.again))
    builder.place(done)
    ctx.body(node.orelse)
    builder.place(loop.leave)


def _run(ctx: Context, loop: Loop, body: list[ast.stmt]) -> None:
    ctx.regions.append(loop)
    ctx.body(body)
    ctx.regions.pop()


def leave(ctx: Context, node: ast.stmt) -> None:
    """``break``."""
    loop = innermost_loop(ctx)
    if loop is None:
        ctx.reject("WM100", node, "`break` outside a loop", "remove it")
    leave_loop(ctx, loop, loop.leave)


def again(ctx: Context, node: ast.stmt) -> None:
    """``continue``."""
    loop = innermost_loop(ctx)
    if loop is None:
        ctx.reject("WM100", node, "`continue` outside a loop", "remove it")
    leave_loop(ctx, loop, loop.again)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {
    ast.For: for_each,
    ast.AsyncFor: async_for_each,
    ast.While: while_true,
    ast.Break: leave,
    ast.Continue: again,
}
TARGETS: dict[type[ast.AST], Assign] = {}
