"""Assignments of every kind and ``del``: nodes in, instructions out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.language import is_logger
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
        case ast.Attribute(value=owner, attr=attribute):
            name = ctx.namespace.mangled(attribute)
            _check_own(ctx, node.target)
            slot = ctx.keep(_owner(ctx, owner), [node.value])
            old = _read_attribute(ctx, slot, name)
            new = _updated(ctx, op, old, node.value)
            builder.emit(ins.SetAttr(slot, name, new))
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


def _read_attribute(ctx: Context, owner: int, name: str) -> int:
    target = ctx.builder.temporary()
    ctx.tables.used.add(name)
    if name in ctx.tables.assumed.properties:
        label = ctx.builder.label()
        ctx.builder.terminate(ins.Access(target, owner, name, label))
        ctx.builder.place(label)
    else:
        ctx.builder.emit(ins.GetAttr(target, owner, name))
    return target


def _loaded(node: ast.Name) -> ast.Name:
    return ast.copy_location(ast.Name(node.id, ast.Load()), node)


def _owner(ctx: Context, node: ast.expr) -> int:
    """Slot of the object whose attribute is written; the workflow itself is one that may be."""
    if ctx.is_self(node):
        assert ctx.self_variable is not None
        return ctx.load(ctx.self_variable)
    return ctx.expr(node)


def _check_own(ctx: Context, node: ast.Attribute) -> None:
    """A write to ``self.x`` must not hide a method or property: calls to those are resolved here."""
    if not ctx.is_self(node.value):
        if node.attr in ctx.tables.assumed.property_names:
            ctx.reject(
                "WM123",
                node,
                f"`{node.attr}` is a property of a class of this program, and setting one is not supported",
                "set the field that it stands for",
            )
        return
    found = getattr(ctx.tables.workflow, ctx.namespace.mangled(node.attr), None)
    if callable(found) or isinstance(found, property) or is_logger(found):
        what = "the logger" if is_logger(found) else "a method or property"
        ctx.reject(
            "WM113",
            node,
            f"`self.{node.attr}` is {what} of the class and cannot be assigned",
            "use another attribute name",
        )


def to_name(ctx: Context, target: ast.expr, slot: int) -> None:
    """Store into a local."""
    assert isinstance(target, ast.Name)
    variable = ctx.scope.find(target.id)
    assert variable is not None
    ctx.store(variable, slot)


def to_attribute(ctx: Context, target: ast.expr, slot: int) -> None:
    """Store into ``owner.name``."""
    assert isinstance(target, ast.Attribute)
    _check_own(ctx, target)
    mark = ctx.builder.mark()
    kept = ctx.keep(slot, [target.value])
    owner = _owner(ctx, target.value)
    ctx.builder.emit(ins.SetAttr(owner, ctx.namespace.mangled(target.attr), kept))
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
        case ast.Attribute(value=owner, attr=attribute):
            _check_own(ctx, target)
            ctx.builder.emit(ins.DelAttr(_owner(ctx, owner), ctx.namespace.mangled(attribute)))
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
