"""An attribute that is set or deleted goes in; the instruction, or the call of what a property has for it, comes out."""

from __future__ import annotations

import ast

from waymark.compiler import members
from waymark.compiler.context import Context
from waymark.compiler.language import is_logger
from waymark.compiler.members import Method, Property
from waymark.compiler.tables import Change
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE

_CALLED = {"setter": "property.__set__", "deleter": "property.__delete__"}


def check(ctx: Context, node: ast.Attribute, change: Change) -> None:
    """A write to ``self.x`` must not hide a method or property: calls to those are resolved here."""
    if not ctx.is_self(node.value) or isinstance(_accessor(ctx, node, change), Method):
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


def _own(ctx: Context, node: ast.Attribute) -> Property | None:
    """The property of the workflow itself that ``self.x`` is, if it is one."""
    if not ctx.is_self(node.value):
        return None
    found = members.find(ctx.tables.workflow, ctx.namespace.mangled(node.attr))
    return found if isinstance(found, Property) and not found.cached else None


def _accessor(ctx: Context, node: ast.Attribute, change: Change) -> members.Accessor:
    found = _own(ctx, node)
    return None if found is None else found.accessor(change)


def change(
    ctx: Context, node: ast.Attribute, owner: int, values: list[int], change: Change
) -> None:
    """Set the attribute of the object in ``owner`` to the one of ``values``, or delete it."""
    name = ctx.namespace.mangled(node.attr)
    accessor = _accessor(ctx, node, change)
    if isinstance(accessor, Method):
        number = ctx.tables.function(accessor.function, accessor.owner)
        callee = ctx.builder.constant(ctx.tables.function_value(number))
        _call(ctx, callee, [owner, *values])
    elif not ctx.is_self(node.value) and name in ctx.tables.assumed.property_names:
        _mention(ctx, node, name, change)
        _call(ctx, ctx.builtin(_CALLED[change]), [owner, ctx.constant(name, node), *values])
    elif change == "setter":
        ctx.builder.emit(ins.SetAttr(owner, name, values[0]))
    else:
        ctx.builder.emit(ins.DelAttr(owner, name))


def _mention(ctx: Context, node: ast.Attribute, name: str, change: Change) -> None:
    tables = ctx.tables
    excluded = tables.assumed.excluded_names
    why = excluded.get(name) or excluded.get(f"{name}.{change}")
    if why is not None:
        ctx.reject("WM123", node, why, "set the field that it stands for")
    tables.used.add(name)
    tables.changed.add((name, change))


def _call(ctx: Context, callee: int, args: list[int]) -> None:
    builder = ctx.builder
    mark = builder.mark()
    label = builder.label()
    builder.terminate(ins.Call(builder.temporary(), callee, args, [], [], NONE, NONE, label))
    builder.place(label)
    builder.release(mark)


def read(ctx: Context, node: ast.Attribute, owner: int) -> int:
    """Read the attribute of the object in ``owner``, which is going to be set."""
    builder, name = ctx.builder, ctx.namespace.mangled(node.attr)
    target = builder.temporary()
    ctx.tables.used.add(name)
    own = _own(ctx, node)
    if own is None and name not in ctx.tables.assumed.properties:
        builder.emit(ins.GetAttr(target, owner, name))
        return target
    label = builder.label()
    if own is None:
        builder.terminate(ins.Access(target, owner, name, label))
    else:
        number = ctx.tables.function(own.function, own.owner)
        callee = builder.constant(ctx.tables.function_value(number))
        builder.terminate(ins.Call(target, callee, [owner], [], [], NONE, NONE, label))
    builder.place(label)
    return target
