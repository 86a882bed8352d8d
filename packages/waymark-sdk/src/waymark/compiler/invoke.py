"""A callee's slot with the nodes of its arguments goes in; evaluated operands and the one call instruction come out."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from waymark.compiler.builder import Mark
from waymark.compiler.context import Context
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE


@dataclass(frozen=True, slots=True)
class Operands:
    """Evaluated arguments, as the call instructions take them."""

    args: list[int] = field(default_factory=list)
    keyword_names: list[str] = field(default_factory=list)
    keyword_values: list[int] = field(default_factory=list)
    star: int = NONE
    star_keywords: int = NONE


def call(
    ctx: Context,
    callee: int,
    node: ast.Call,
    into: int | None,
    *,
    pure: bool,
    first: tuple[int, ...] = (),
    mark: Mark | None = None,
) -> int:
    """Evaluate the arguments of ``node`` and call ``callee`` with ``first`` before them.

    ``pure`` calls never run compiled code. Temporaries taken since ``mark`` are free afterwards.
    """
    builder = ctx.builder
    mark = builder.mark() if mark is None else mark
    given = operands(ctx, node, first)
    builder.release(mark)
    target = ctx.target(into)
    parts = (given.args, given.keyword_names, given.keyword_values, given.star, given.star_keywords)
    if pure:
        builder.emit(ins.CallPure(target, callee, *parts))
        return target
    label = builder.label()
    builder.terminate(ins.Call(target, callee, *parts, label))
    builder.place(label)
    return target


def operands(ctx: Context, node: ast.Call, first: tuple[int, ...] = ()) -> Operands:
    """Evaluate positional arguments, then keywords, each in source order."""
    for keyword in node.keywords:
        if keyword.arg and keyword.arg.startswith("__") and not keyword.arg.endswith("__"):
            ctx.reject(
                "WM100",
                keyword,
                "keyword names with two leading underscores are not supported",
                "rename the parameter",
            )
    starred = any(isinstance(one, ast.Starred) for one in node.args)
    if starred or any(keyword.arg is None for keyword in node.keywords):
        return _starred(ctx, node, first)
    values = ctx.operands([*node.args, *(keyword.value for keyword in node.keywords)])
    count = len(node.args)
    names = [keyword.arg for keyword in node.keywords if keyword.arg]
    return Operands([*first, *values[:count]], names, values[count:])


def _starred(ctx: Context, node: ast.Call, first: tuple[int, ...]) -> Operands:
    builder = ctx.builder
    star = builder.temporary()
    builder.emit(ins.Build("list", star, list(first)))
    for one in node.args:
        mark = builder.mark()
        if isinstance(one, ast.Starred):
            builder.emit(ins.Extend(star, ctx.expr(one.value), "call"))
        else:
            builder.emit(ins.Append(star, ctx.expr(one)))
        builder.release(mark)
    if not node.keywords:
        return Operands(star=star)
    keywords = builder.temporary()
    names = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
    if len(names) == len(node.keywords):
        values = ctx.operands([keyword.value for keyword in node.keywords])
        builder.emit(ins.BuildDict(keywords, [ctx.constant(name, node) for name in names], values))
        return Operands(star=star, star_keywords=keywords)
    builder.emit(ins.BuildDict(keywords, [], []))
    for keyword in node.keywords:
        mark = builder.mark()
        value = ctx.expr(keyword.value)
        if keyword.arg is not None:
            single = builder.temporary()
            builder.emit(ins.BuildDict(single, [ctx.constant(keyword.arg, keyword)], [value]))
            value = single
        builder.emit(ins.DictMerge(keywords, value, "call"))
        builder.release(mark)
    return Operands(star=star, star_keywords=keywords)
