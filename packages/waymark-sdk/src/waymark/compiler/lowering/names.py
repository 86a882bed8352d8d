"""Names, constants and attribute reads: nodes in, slots and instructions out."""

from __future__ import annotations

import ast
import enum
import inspect
import sys
import typing

from waymark.compiler import made, members
from waymark.compiler.capture import Immutable, Mutable, NotCaptured, Remade
from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.diagnostics import Unsupported
from waymark.compiler.durable import SCALARS, holds_names, is_immutable, without_advice
from waymark.compiler.language import (
    instead_of_capturing,
    instead_of_reading,
    instead_of_starting,
)
from waymark.compiler.made import why_not
from waymark.compiler.symbols import (
    Action,
    Alias,
    Builtin,
    Captured,
    Compiled,
    Constant,
    Kind,
    Module,
    Refused,
    Symbol,
    WorkflowClass,
)
from waymark.compiler.synthetic import unbound_method
from waymark.compiler.templates import FILLING, mention_fields
from waymark_schema.failures import SerializationError
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.language import CLASS_ATTRIBUTES, CLASS_METHODS, METHODS
from waymark_schema.values.standard_enums import missing_somewhere


def constant(ctx: Context, node: ast.expr, into: int | None) -> int:
    """A literal."""
    assert isinstance(node, ast.Constant)
    if type(node.value) not in SCALARS:
        ctx.reject(
            "WM110",
            node,
            f"constant {node.value!r} of type {type(node.value).__name__} cannot be kept durably",
            "use None, bool, int, float, complex, str or bytes",
        )
    return ctx.constant(node.value, node)


def name(ctx: Context, node: ast.expr, into: int | None) -> int:
    """A local, or what a global name means."""
    assert isinstance(node, ast.Name)
    variable = ctx.scope.find(node.id)
    if variable is None:
        found = ctx.symbol(node)
        assert found is not None
        return symbol(ctx, found, node, into)
    if variable is ctx.self_variable:
        ctx.reject(
            "WM113",
            node,
            f"`{node.id}`, the workflow itself, cannot be used as a value",
            f"pass the attributes that are needed, or call `{node.id}.method(…)`",
        )
    return ctx.load(variable, into)


def symbol(ctx: Context, found: Symbol, node: ast.expr, into: int | None) -> int:
    """Value of a global name."""
    tables, builder = ctx.tables, ctx.builder
    match found:
        case Refused():
            ctx.reject(found.code, node, found.message, found.instead)
        case Constant(value=value):
            return _constant(ctx, value, node)
        case Captured():
            return _captured(ctx, found, node, into)
        case Builtin() | Alias():
            return _builtin(ctx, found, node)
        case Action(definition=definition):
            return builder.constant(tables.action_value(definition))
        case Kind(cls=cls):
            return _kind(ctx, cls, node)
        case Compiled(function=function):
            number = tables.function(function, None)
            return builder.constant(tables.function_value(number))
        case WorkflowClass(cls=cls):
            ctx.reject("WM128", node, *instead_of_starting(cls))
        case Module():
            ctx.reject(
                "WM124",
                node,
                f"`{ast.unparse(node)}` cannot be used as a value in a workflow",
                "use what it holds: an action, a constant, a class of values",
            )
    typing.assert_never(found)


def _builtin(ctx: Context, found: Builtin | Alias, node: ast.expr) -> int:
    name = found.name
    if isinstance(found, Alias) and id(node) not in ctx.asked:
        raise _aliased(ctx, name, node)
    if name == "collections.abc.Generator" and ctx.tables.assumed.iterators:
        ctx.reject(
            "WM124",
            node,
            f"`{ast.unparse(node)}` cannot be asked for in a program with itertools, whose iterators are generators in a run",
            "ask for an Iterator",
        )
    return ctx.builtin(name)


def _aliased(ctx: Context, name: str, node: ast.expr) -> Unsupported:
    module, _, own = name.rpartition(".")
    instead = f"`from {module} import {own}`" if module else f"`{own}`"
    return ctx.rejected(
        "WM121",
        node,
        f"`{ast.unparse(node)}` is an alias of typing, which can only be asked for by isinstance() and issubclass()",
        f"use the class itself: {instead}",
    )


def _kind(ctx: Context, cls: type, node: ast.expr) -> int:
    if typing.is_typeddict(cls):
        return ctx.builtin("dict")
    if inspect.isabstract(cls) and id(node) not in ctx.asked:
        missing = ", ".join(f"`{name}`" for name in sorted(getattr(cls, "__abstractmethods__", ())))
        ctx.reject(
            "WM123",
            node,
            f"class `{ast.unparse(node)}` is abstract: it can only be asked for with isinstance() and issubclass()",
            f"name a class that defines {missing}",
        )
    ctx.tables.constructed.add(cls)
    return ctx.builder.constant(ctx.tables.type_value(cls))


def _constant(ctx: Context, value: object, node: ast.expr) -> int:
    if isinstance(value, enum.Enum):
        if missing_somewhere(value):
            ctx.reject(
                "WM124",
                node,
                f"`{ast.unparse(node)}` cannot be used in a workflow: not every Python has a member of this name",
                f"use its value, {value.value!r}",
            )
        ctx.tables.type_entry(type(value))
    return ctx.constant(value, node)


def _captured(ctx: Context, found: Captured, node: ast.expr, into: int | None) -> int:
    verdict = ctx.tables.captures.judge(found)
    match verdict:
        case NotCaptured(why=why):
            ctx.reject(
                "WM121",
                node,
                f"`{ast.unparse(node)}` cannot be captured: {why}",
                instead_of_capturing(
                    found.value, "pass it as an input of run(), or read it in an @action function"
                ),
            )
        case Immutable(value=value):
            return ctx.constant(value, node)
        case Mutable():
            return _global(ctx, found, verdict, node, into)
        case Remade(expression=expression, namespace=namespace):
            with ctx.elsewhere(namespace, node):
                return ctx.expr(expression, into)
    typing.assert_never(verdict)


def _global(
    ctx: Context, found: Captured, verdict: Mutable, node: ast.expr, into: int | None
) -> int:
    """A value that can change: as the program holds it, or as the run makes it."""
    tables, value, recipe = ctx.tables, verdict.value, verdict.recipe
    tables.captured[verdict.key] = found.value, recipe
    if recipe is not None and recipe in tables.assumed.recipes and why_not(ctx, recipe) is None:
        return made.read(ctx, recipe, into)
    try:
        index = tables.global_value(verdict.key, value)
    except SerializationError as error:
        message = without_advice(error, value)
        instead = instead_of_capturing(value, "pass it as an input of run()")
        if recipe is not None:
            problem = why_not(ctx, recipe)
            if problem is None:
                return made.read(ctx, recipe, into)
            if holds_names(found.value):
                message = f"`{ast.unparse(node)}` cannot be captured: {problem.message}"
                instead = problem.recommendation
        ctx.reject("WM121", node, message, instead)
    target = ctx.target(into)
    ctx.builder.emit(ins.LoadGlobal(target, index))
    return target


def attribute(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``owner.name``, or what a dotted global name means."""
    assert isinstance(node, ast.Attribute)
    if ctx.is_self(node.value) and node.attr != "__class__":
        return ctx.families.member(ctx, node, into)
    found = ctx.symbol(node)
    if found is not None:
        return symbol(ctx, found, node, into)
    base = ctx.symbol(node.value)
    if base is not None:
        return _of_symbol(ctx, node, base, into)
    return read(ctx, node.value, ctx.namespace.mangled(node.attr), into, node)


def _of_symbol(ctx: Context, node: ast.Attribute, base: Symbol, into: int | None) -> int:
    """``Global.name`` where only the owner is known without running it."""
    match base:
        case Kind(cls=cls) | WorkflowClass(cls=cls) if node.attr == "__name__":
            return ctx.constant(cls.__name__, node)
        case Kind(cls=cls):
            return _of_class(ctx, node, cls, into)
        case WorkflowClass(cls=cls):
            return ctx.families.class_attribute(ctx, node, cls)
        case Builtin(name=name) if node.attr in METHODS.get(name, ()):
            return _unbound(ctx, node, name)
        case Builtin():
            _check_builtin(ctx, node, base)
        case _:
            pass
    return read(ctx, node.value, ctx.namespace.mangled(node.attr), into, node)


def _of_class(ctx: Context, node: ast.Attribute, cls: type, into: int | None) -> int:
    """``Model.name``: a constant of the class body, or one of its methods as a value."""
    found = members.find(cls, node.attr)
    match found:
        case members.Attribute(value=value, owner=owner) if is_immutable(value):
            module = sys.modules.get(owner.__module__)
            if module and ctx.tables.captures.class_attribute(owner, node.attr, module) is None:
                return ctx.constant(value, node)
        case members.Method(kind="static" | "class"):
            ctx.tables.used.add(node.attr)
            slot = ctx.expr(node.value)
            target = ctx.target(into)
            ctx.builder.emit(ins.LoadMethod(target, slot, node.attr))
            return target
        case None:
            return read(ctx, node.value, node.attr, into, node)
        case _:
            pass
    raise ctx.rejected(
        "WM126",
        node,
        f"`{ast.unparse(node)}` cannot be used as a value in a workflow",
        _UNREAD.get(node.attr, "read it from an instance, or bind the value once at module level"),
    )


_UNREAD = {
    "_field_defaults": "write the defaults as constants of the module",
    "model_fields": "take names and values from `value.model_dump()`, or write the names as a constant of the module",
    "__members__": "iterate the class: `{member.name: member for member in Color}`",
    "__match_args__": "use `_fields` of a named tuple, or write the names",
}
"""What to write in place of what classes know of themselves."""


def _unbound(ctx: Context, node: ast.Attribute, owner: str) -> int:
    """``str.lower`` as a value."""
    tables, key = ctx.tables, f"{owner}.{node.attr}"
    number = tables.unbound.get(key)
    if number is None:
        number = tables.unbound[key] = unbound_method(
            tables, owner, node.attr, span=ctx.builder.span, filename=ctx.text.filename
        )
    return ctx.builder.constant(tables.function_value(number))


def _check_builtin(ctx: Context, node: ast.Attribute, base: Builtin) -> None:
    known = (*CLASS_METHODS.get(base.name, ()), *CLASS_ATTRIBUTES.get(base.name, ()))
    if node.attr not in known and node.attr != "__name__":
        ctx.reject(
            "WM124",
            node,
            f"`{ast.unparse(node)}` cannot be used as a value in a workflow",
            f"call it on a value: `lambda value: value.{node.attr}(…)`",
        )


def read(ctx: Context, owner: ast.expr, attr: str, into: int | None, node: ast.AST) -> int:
    """``owner.attr`` where nothing is known of the owner."""
    builder = ctx.builder
    if members.is_special(attr) and attr not in ALLOWED_SPECIAL:
        ctx.reject(
            "WM124",
            node,
            f"special attribute `{attr}` cannot be used in a workflow",
            SPECIAL_INSTEAD.get(attr, "use the operator or builtin that it stands behind"),
        )
    refused = instead_of_reading(attr)
    if refused is not None:
        ctx.reject("WM124", node, *refused)
    mark = builder.mark()
    slot = ctx.expr(owner)
    builder.release(mark)
    target = ctx.target(into)
    if attr == "__class__":
        builder.emit(ins.CallPure(target, ctx.builtin("type"), [slot]))
        return target
    tables = ctx.tables
    tables.used.add(attr)
    if attr in FILLING:
        mention_fields(ctx, owner)
    if attr in tables.assumed.excluded_names:
        ctx.reject(
            "WM123", node, tables.assumed.excluded_names[attr], "call it in an @action function"
        )
    if attr in tables.assumed.properties:
        label = builder.label()
        builder.terminate(ins.Access(target, slot, attr, label))
        builder.place(label)
    elif attr in tables.assumed.methods:
        builder.emit(ins.LoadMethod(target, slot, attr))
    else:
        builder.emit(ins.GetAttr(target, slot, attr))
    return target


SPECIAL_INSTEAD = {
    "__members__": "iterate the class: `{member.name: member for member in Color}`",
    "__dict__": "use `dataclasses.asdict(value)` or `value.model_dump()`",
    "__mro__": "ask with isinstance() or issubclass()",
    "__bases__": "ask with isinstance() or issubclass()",
    "__doc__": "keep the text in a constant of the module",
    "__module__": "keep the text in a constant of the module",
    "__qualname__": "use `__name__`",
    "__annotations__": "use `dataclasses.asdict(value)` or `value.model_dump()`",
    "__traceback__": "show the error with repr(); tracebacks are in the run's log",
    "__wrapped__": "keep the function itself in a variable",
    "__self__": "keep the object in a variable",
    "__file__": "read it in an @action function",
}
"""What to write in place of special attributes."""
ALLOWED_SPECIAL = {
    "__name__",
    "__cause__",
    "__class__",
    "__context__",
    "__notes__",
    "__suppress_context__",
}

EXPRESSIONS: dict[type[ast.AST], Lower] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.Attribute: attribute,
}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
