"""Lambdas and generator expressions: nodes in, a function of their own and a value of it out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.frames import cells_of, child_frame, close_frame, made_function, signature
from waymark.compiler.scopes import ITERATOR
from waymark_schema.ir import instructions as ins


def function_value(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``lambda``: its defaults are evaluated here, its body when it is called."""
    assert isinstance(node, ast.Lambda)
    builder, arguments = ctx.builder, node.args
    number = ctx.tables.reserve()
    inner = child_frame(ctx, node, name="<lambda>")
    inner.builder.terminate(ins.Return(inner.expr(node.body)))
    close_frame(inner, number, name="<lambda>", kind="sync", parameters=signature(node, {}))
    named = [
        (argument.arg, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    mark = builder.mark()
    slots = ctx.operands([*arguments.defaults, *(default for _, default in named)])
    builder.release(mark)
    count = len(arguments.defaults)
    names = [name for name, _ in named]
    made = ins.MakeFunction(0, number, slots[:count], names, slots[count:], [])
    return made_function(ctx, inner, into, made)


def generator(ctx: Context, node: ast.expr, into: int | None) -> int:
    """A generator expression: its first iterable is evaluated here, the rest when it is consumed."""
    assert isinstance(node, ast.GeneratorExp)
    builder = ctx.builder
    number = ctx.tables.reserve()
    mark = builder.mark()
    iterator = builder.iterator()
    builder.emit(ins.Iterate(iterator, ctx.expr(node.generators[0].iter)))
    inner = child_frame(ctx, node, name="<genexpr>")
    _loop(inner, node, 0, inner.scope.variables[ITERATOR].slot)
    close_frame(inner, number, name="<genexpr>", kind="generator", parameters=signature(node, {}))
    if cells_of(ctx, inner):
        function = made_function(ctx, inner, None, ins.MakeFunction(0, number))
    else:
        function = builder.constant(ctx.tables.function_value(number))
    builder.release(mark)
    target = ctx.target(into)
    builder.emit(ins.CallPure(target, function, [iterator]))
    ctx.drop([iterator])
    return target


def _loop(ctx: Context, node: ast.GeneratorExp, depth: int, iterator: int) -> None:
    builder = ctx.builder
    generator = node.generators[depth]
    if generator.is_async:
        ctx.reject(
            "WM103",
            generator.iter,
            "`async for` in a generator expression is not supported",
            "use a list comprehension, or an `async def` that yields",
        )
    again, body, done = builder.label(), builder.label(), builder.label()
    local = ctx.plain_local(generator.target)
    item = builder.temporary() if local is None else local
    builder.place(again)
    builder.terminate(ins.Next(iterator, item, body, done))
    builder.place(body)
    if local is None:
        ctx.assign(generator.target, item)
    for condition in generator.ifs:
        mark = builder.mark()
        following = builder.label()
        builder.terminate(ins.Branch(ctx.expr(condition), following, again))
        builder.release(mark)
        builder.place(following)
    mark = builder.mark()
    if depth + 1 < len(node.generators):
        nested = builder.iterator()
        builder.emit(ins.Iterate(nested, ctx.expr(node.generators[depth + 1].iter)))
        _loop(ctx, node, depth + 1, nested)
    else:
        value = ctx.expr(node.elt)
        resumed = builder.label()
        builder.terminate(ins.Yield(builder.temporary(), value, resumed))
        builder.place(resumed)
    builder.release(mark)
    builder.terminate(ins.Jump(again))
    builder.place(done)


EXPRESSIONS: dict[type[ast.AST], Lower] = {
    ast.Lambda: function_value,
    ast.GeneratorExp: generator,
}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
