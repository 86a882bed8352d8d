"""List, set and dict comprehensions: nodes in, loops inside the frame out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.frames import fresh_variable
from waymark.compiler.iteration import async_iterator
from waymark_schema.ir import instructions as ins

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp


def comprehension(ctx: Context, node: ast.expr, into: int | None) -> int:
    """The first iterable is evaluated outside; everything else in a scope of its own."""
    assert isinstance(node, Comprehension)
    builder = ctx.builder
    target = builder.temporary()
    iterator = _iterator(ctx, node.generators[0])
    outer, ctx.scope = ctx.scope, ctx.scope.child(node)
    try:
        for variable in ctx.scope.variables.values():
            fresh_variable(ctx, variable)
            if not variable.cell:
                builder.emit(ins.Unbind(variable.slot))
        if isinstance(node, ast.DictComp):
            builder.emit(ins.BuildDict(target, [], []))
        else:
            kind = "list" if isinstance(node, ast.ListComp) else "set"
            builder.emit(ins.Build(kind, target, []))
        _loop(ctx, node, 0, iterator, target)
    finally:
        ctx.scope = outer
    return target


def _iterator(ctx: Context, generator: ast.comprehension) -> int:
    """Slot of the iterator over an iterable."""
    if generator.is_async:
        return async_iterator(ctx, generator.iter)
    builder = ctx.builder
    iterator = builder.iterator()
    mark = builder.mark()
    builder.emit(ins.Iterate(iterator, ctx.expr(generator.iter)))
    builder.release(mark)
    return iterator


def _loop(ctx: Context, node: Comprehension, depth: int, iterator: int, target: int) -> None:
    builder = ctx.builder
    generator = node.generators[depth]
    again, body, done = builder.label(), builder.label(), builder.label()
    local = ctx.plain_local(generator.target)
    item = builder.temporary() if local is None else local
    builder.place(again)
    following_item = ins.AsyncNext if generator.is_async else ins.Next
    builder.terminate(following_item(iterator, item, body, done))
    builder.place(body)
    if local is None:
        ctx.assign(generator.target, item)
    for condition in generator.ifs:
        mark = builder.mark()
        following = builder.label()
        builder.terminate(ins.Branch(ctx.expr(condition), following, again))
        builder.release(mark)
        builder.place(following)
    if depth + 1 < len(node.generators):
        mark = builder.mark()
        nested = _iterator(ctx, node.generators[depth + 1])
        _loop(ctx, node, depth + 1, nested, target)
        builder.release(mark)
    else:
        _add(ctx, node, target)
    builder.terminate(ins.Jump(again))
    builder.place(done)


def _add(ctx: Context, node: Comprehension, target: int) -> None:
    builder = ctx.builder
    mark = builder.mark()
    if isinstance(node, ast.DictComp):
        key, value = ctx.operands([node.key, node.value])
        builder.emit(ins.DictSet(target, key, value))
    else:
        builder.emit(ins.Append(target, ctx.expr(node.elt)))
    builder.release(mark)


EXPRESSIONS: dict[type[ast.AST], Lower] = {
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.DictComp: comprehension,
}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
