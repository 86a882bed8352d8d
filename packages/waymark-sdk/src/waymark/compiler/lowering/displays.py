"""Displays, f-strings, subscripts and slices: nodes in, instructions out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.durable import SCALARS
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE


def sequence(ctx: Context, node: ast.expr, into: int | None) -> int:
    """List, tuple or set display."""
    assert isinstance(node, ast.List | ast.Tuple | ast.Set)
    kind = type(node).__name__.lower()
    if isinstance(node, ast.Tuple):
        known = _constant_items(node)
        if known is not None:
            return ctx.constant(known, node)
    if not any(isinstance(item, ast.Starred) for item in node.elts):
        mark = ctx.builder.mark()
        items = ctx.operands(node.elts)
        ctx.builder.release(mark)
        target = ctx.target(into)
        ctx.builder.emit(ins.Build(kind, target, items))
        return target
    return _starred(ctx, node, "list" if kind == "tuple" else kind)


def _constant_items(node: ast.Tuple) -> tuple[object, ...] | None:
    values: list[object] = []
    for item in node.elts:
        match item:
            case ast.Constant(value=value) if type(value) in SCALARS:
                values.append(value)
            case ast.Tuple():
                inner = _constant_items(item)
                if inner is None:
                    return None
                values.append(inner)
            case _:
                return None
    return tuple(values)


def _starred(ctx: Context, node: ast.List | ast.Tuple | ast.Set, kind: str) -> int:
    builder = ctx.builder
    target = builder.temporary()
    mark = builder.mark()
    stars = [index for index, item in enumerate(node.elts) if isinstance(item, ast.Starred)]
    leading = ctx.operands(node.elts[: stars[0]])
    builder.emit(ins.Build(kind, target, leading))
    builder.release(mark)
    for item in node.elts[stars[0] :]:
        if isinstance(item, ast.Starred):
            builder.emit(ins.Extend(target, ctx.expr(item.value)))
        else:
            builder.emit(ins.Append(target, ctx.expr(item)))
        builder.release(mark)
    if isinstance(node, ast.Tuple):
        builder.emit(ins.ToTuple(target, target))
    return target


def mapping(ctx: Context, node: ast.expr, into: int | None) -> int:
    """Dict display."""
    assert isinstance(node, ast.Dict)
    pairs: list[ast.expr] = []
    if None not in node.keys:
        for key, value in zip(node.keys, node.values, strict=True):
            assert key is not None
            pairs += (key, value)
        mark = ctx.builder.mark()
        slots = ctx.operands(pairs)
        ctx.builder.release(mark)
        target = ctx.target(into)
        ctx.builder.emit(ins.BuildDict(target, slots[::2], slots[1::2]))
        return target
    return _merged(ctx, node)


def _merged(ctx: Context, node: ast.Dict) -> int:
    builder = ctx.builder
    target = builder.temporary()
    builder.emit(ins.BuildDict(target, [], []))
    for key, value in zip(node.keys, node.values, strict=True):
        mark = builder.mark()
        if key is None:
            builder.emit(ins.DictMerge(target, ctx.expr(value)))
        else:
            name, slot = ctx.operands([key, value])
            builder.emit(ins.DictSet(target, name, slot))
        builder.release(mark)
    return target


def subscript(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``owner[key]``, or a generic class."""
    assert isinstance(node, ast.Subscript)
    found = ctx.symbol(node)
    if found is not None:
        return ctx.families.symbol(ctx, found, node, into)
    mark = ctx.builder.mark()
    owner, key = ctx.operands([node.value, node.slice])
    ctx.builder.release(mark)
    target = ctx.target(into)
    ctx.builder.emit(ins.GetItem(target, owner, key))
    return target


def slices(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``start:stop:step``."""
    assert isinstance(node, ast.Slice)
    mark = ctx.builder.mark()
    parts = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
    for part in parts:
        ast.copy_location(part, node)
    start, stop, step = ctx.operands(parts)
    ctx.builder.release(mark)
    target = ctx.target(into)
    ctx.builder.emit(ins.Slice(target, start, stop, step))
    return target


def formatted(ctx: Context, node: ast.expr, into: int | None) -> int:
    """f-string: neighbouring texts are joined first, for Python versions split them differently."""
    assert isinstance(node, ast.JoinedStr)
    parts = _parts(node)
    if all(isinstance(part, str) for part in parts):
        return ctx.constant("".join(map(str, parts)), node)
    mark = ctx.builder.mark()
    slots = [
        ctx.constant(part, node) if isinstance(part, str) else _field(ctx, part) for part in parts
    ]
    if len(slots) == 1:
        return slots[0]
    ctx.builder.release(mark)
    target = ctx.target(into)
    ctx.builder.emit(ins.Join(target, slots))
    return target


def _parts(node: ast.JoinedStr) -> list[str | ast.FormattedValue]:
    parts: list[str | ast.FormattedValue] = []
    for value in node.values:
        match value:
            case ast.Constant(value=str(text)):
                if parts and isinstance(parts[-1], str):
                    parts[-1] += text
                elif text:
                    parts.append(text)
            case ast.FormattedValue():
                parts.append(value)
            case _:
                msg = f"an f-string holds {value!r}"
                raise TypeError(msg)
    return parts


def _field(ctx: Context, node: ast.FormattedValue) -> int:
    builder = ctx.builder
    ctx.at(node)
    target = builder.temporary()
    mark = builder.mark()
    spec = NONE
    if isinstance(node.format_spec, ast.JoinedStr) and _parts(node.format_spec):
        value = ctx.keep(ctx.expr(node.value), [node.format_spec])
        spec = formatted(ctx, node.format_spec, None)
    else:
        value = ctx.expr(node.value)
    conversion = chr(node.conversion) if node.conversion > 0 else ""
    builder.emit(ins.Format(target, value, conversion, spec))
    builder.release(mark)
    return target


def one_field(ctx: Context, node: ast.expr, into: int | None) -> int:
    """One replacement field of an f-string."""
    assert isinstance(node, ast.FormattedValue)
    return _field(ctx, node)


EXPRESSIONS: dict[type[ast.AST], Lower] = {
    ast.List: sequence,
    ast.Tuple: sequence,
    ast.Set: sequence,
    ast.Dict: mapping,
    ast.Subscript: subscript,
    ast.Slice: slices,
    ast.JoinedStr: formatted,
    ast.FormattedValue: one_field,
}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
