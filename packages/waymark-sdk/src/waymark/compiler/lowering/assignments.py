"""Assignments of every kind and ``del``: nodes in, instructions out."""

from __future__ import annotations

import ast

from waymark.compiler import accessors
from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip


def assign(ctx: Context, node: ast.stmt) -> None:
    """``a = b = value``: the value once, then the targets left to right."""
    assert isinstance(node, ast.Assign)
    into = ctx.plain_local(node.targets[0])
    value = ctx.expr(node.value, into)
    if len(node.targets) > 1 and not all(isinstance(one, ast.Name) for one in node.targets):
        value = ctx.copy(value)
    for target in node.targets:
        ctx.assign(target, value)


def annotated(ctx: Context, node: ast.stmt) -> None:
    """``x: int = value``; an annotation inside a function is never evaluated."""
    assert isinstance(node, ast.AnnAssign)
    if node.value is not None:
        ctx.assign(node.target, ctx.expr(node.value, ctx.plain_local(node.target)))


def augmented(ctx: Context, node: ast.stmt) -> None:
    """``target op= value``: the target's parts and old value are read once, before the value."""
    assert isinstance(node, ast.AugAssign)
    op = BINARY[type(node.op)]
    builder = ctx.builder
    match node.target:
        case ast.Name():
            old = ctx.keep(ctx.expr(_loaded(node.target)), [node.value])
            value = ctx.expr(node.value)
            slot = ctx.plain_local(node.target)
            target = builder.temporary() if slot is None else slot
            builder.emit(ins.Inplace(op, target, old, value))
            ctx.assign(node.target, target)
        case ast.Attribute(value=owner):
            accessors.check(ctx, node.target, "setter")
            slot = ctx.keep(_owner(ctx, owner), [node.value])
            old = accessors.read(ctx, node.target, slot)
            new = _updated(ctx, op, old, node.value)
            accessors.change(ctx, node.target, slot, [new], "setter")
        case ast.Subscript(value=owner, slice=key):
            slots = [ctx.keep(slot, [node.value]) for slot in ctx.operands([owner, key])]
            old = builder.temporary()
            builder.emit(ins.GetItem(old, slots[0], slots[1]))
            new = _updated(ctx, op, old, node.value)
            builder.emit(ins.SetItem(slots[0], slots[1], new))


def _updated(ctx: Context, op: str, old: int, value: ast.expr) -> int:
    slot = ctx.expr(value)
    ctx.builder.emit(ins.Inplace(op, old, old, slot))
    return old


def _loaded(node: ast.Name) -> ast.Name:
    return ast.copy_location(ast.Name(node.id, ast.Load()), node)


def _owner(ctx: Context, node: ast.expr) -> int:
    """Slot of the object whose attribute is written; the workflow itself is one that may be."""
    if ctx.is_self(node):
        assert ctx.self_variable is not None
        return ctx.load(ctx.self_variable)
    return ctx.expr(node)


def to_name(ctx: Context, target: ast.expr, slot: int) -> None:
    """Store into a local."""
    assert isinstance(target, ast.Name)
    variable = ctx.scope.find(target.id)
    assert variable is not None
    ctx.store(variable, slot)


def to_attribute(ctx: Context, target: ast.expr, slot: int) -> None:
    """Store into ``owner.name``."""
    assert isinstance(target, ast.Attribute)
    accessors.check(ctx, target, "setter")
    mark = ctx.builder.mark()
    kept = ctx.keep(slot, [target.value])
    owner = _owner(ctx, target.value)
    accessors.change(ctx, target, owner, [kept], "setter")
    ctx.builder.release(mark)


def to_item(ctx: Context, target: ast.expr, slot: int) -> None:
    """Store into ``owner[key]``."""
    assert isinstance(target, ast.Subscript)
    mark = ctx.builder.mark()
    kept = ctx.keep(slot, [target.value, target.slice])
    owner, key = ctx.operands([target.value, target.slice])
    ctx.builder.emit(ins.SetItem(owner, key, kept))
    ctx.builder.release(mark)


def to_sequence(ctx: Context, target: ast.expr, slot: int) -> None:
    """``a, *b, (c, d) = …``: targets after the first that is no plain local are stored one by one."""
    assert isinstance(target, ast.Tuple | ast.List)
    builder = ctx.builder
    mark = builder.mark()
    star = NONE
    slots: list[int] = []
    later: list[tuple[ast.expr, int]] = []
    for index, item in enumerate(target.elts):
        inner = item
        if isinstance(item, ast.Starred):
            star, inner = index, item.value
        local = ctx.plain_local(inner)
        if local is None or later:
            local = builder.temporary()
            later.append((inner, local))
        slots.append(local)
    builder.emit(ins.Unpack(slot, slots, star))
    for inner, value in later:
        ctx.assign(inner, value)
    builder.release(mark)


def delete(ctx: Context, node: ast.stmt) -> None:
    """``del`` of names, attributes and items."""
    assert isinstance(node, ast.Delete)
    for target in node.targets:
        _delete(ctx, target)


def _delete(ctx: Context, target: ast.expr) -> None:
    ctx.at(target)
    mark = ctx.builder.mark()
    match target:
        case ast.Name(id=name):
            variable = ctx.scope.find(name)
            assert variable is not None
            ctx.load(variable)
            ctx.unbind(variable)
        case ast.Attribute(value=owner):
            accessors.check(ctx, target, "deleter")
            accessors.change(ctx, target, _owner(ctx, owner), [], "deleter")
        case ast.Subscript(value=owner, slice=key):
            slots = ctx.operands([owner, key])
            ctx.builder.emit(ins.DelItem(*slots))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                _delete(ctx, part)
        case _:
            ctx.reject(
                "WM100", target, "this cannot be deleted", "delete names, attributes and items"
            )
    ctx.builder.release(mark)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {
    ast.Assign: assign,
    ast.AnnAssign: annotated,
    ast.AugAssign: augmented,
    ast.Delete: delete,
}
TARGETS: dict[type[ast.AST], Assign] = {
    ast.Name: to_name,
    ast.Attribute: to_attribute,
    ast.Subscript: to_item,
    ast.Tuple: to_sequence,
    ast.List: to_sequence,
}
