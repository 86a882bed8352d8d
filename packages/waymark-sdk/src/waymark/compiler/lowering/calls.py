"""Calls and ``await``: nodes in, call instructions and resume points out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NewType

from waymark.compiler import members
from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.invoke import call
from waymark.compiler.language import (
    METHODS_INSTEAD,
    instead_of_reading,
    instead_of_starting,
)
from waymark.compiler.loggers import logger_of, tell
from waymark.compiler.prelude.names import PACKAGE, PRELUDE
from waymark.compiler.properties import over_fields
from waymark.compiler.regexes import check_pattern
from waymark.compiler.symbols import (
    Action,
    Alias,
    Builtin,
    Compiled,
    Kind,
    Refused,
    Symbol,
    WorkflowClass,
)
from waymark.compiler.templates import FILLING, mention_fields
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.language import (
    BUILTINS,
    CALLBACK_METHODS,
    CLASS_METHODS,
    METHODS,
    RECORD_METHODS,
)
from waymark_schema.ir.library import ABSTRACT

_MAKES_VALUE = 0x80 | 0x20 | 0x200
"""Code flags of coroutine, generator and async generator functions: calling one runs nothing yet."""
RESUMING_METHODS = frozenset(
    "send throw close asend athrow aclose model_validate model_validate_json model_dump model_dump_json".split()
)
"""Methods that may run compiled code, or code of a class in a worker: those of generators, and of models."""
_KNOWN_METHODS = frozenset(
    name for table in (METHODS, RECORD_METHODS) for names in table.values() for name in names
)


def calling(ctx: Context, node: ast.expr, into: int | None) -> int:
    """A call of anything."""
    assert isinstance(node, ast.Call)
    done = ctx.families.member_call(ctx, node, into)
    if done is not None:
        return done
    found = ctx.symbol(node.func)
    if found is not None:
        return _named(ctx, node, found, into)
    logger = logger_of(ctx, node.func)
    if logger is not None:
        return tell(ctx, node, logger, into)
    if isinstance(node.func, ast.Attribute) and not ctx.is_self(node.func.value):
        return _method(ctx, node, node.func, into)
    mark = ctx.builder.mark()
    callee = ctx.keep(ctx.expr(node.func), _arguments(node))
    return call(ctx, callee, node, into, pure=False, mark=mark)


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords)]


def _named(ctx: Context, node: ast.Call, found: Symbol, into: int | None) -> int:
    match found:
        case Compiled() | Refused() if (value := _unchanged(found, node)) is not None:
            return ctx.expr(value, into)
        case Refused():
            raise ctx.rejected(found.code, node.func, found.message, found.instead)
        case Builtin(name=name):
            check_pattern(ctx, node, name)
            return _builtin(ctx, node, name, into)
        case Kind(cls=cls):
            return _construct(ctx, node, cls, into)
        case WorkflowClass(cls=cls):
            raise ctx.rejected("WM128", node.func, *instead_of_starting(cls))
        case Action() | Compiled():
            callee = ctx.families.symbol(ctx, found, node.func, None)
            return call(ctx, callee, node, into, pure=_makes_value(found))
        case _:
            mark = ctx.builder.mark()
            callee = ctx.families.symbol(ctx, found, node.func, None)
            return call(ctx, callee, node, into, pure=False, mark=mark)


def _builtin(ctx: Context, node: ast.Call, name: str, into: int | None) -> int:
    _check_abstract(ctx, node, name)
    callee = ctx.builtin(name)
    _check_put(ctx, node, name)
    if name in {"getattr", "hasattr"}:
        _mention(ctx, node, name)
        if node.args and ctx.is_self(node.args[0]):
            return _of_workflow(ctx, node, name, into)
        return call(ctx, callee, node, into, pure=False)
    return call(ctx, callee, node, into, pure=not _calls_back(ctx, node, name))


def _check_abstract(ctx: Context, node: ast.Call, name: str) -> None:
    """An abstract class can be asked for, and not be called; what asks may name it by an alias of ``typing``."""
    if name in ABSTRACT:
        ctx.reject(
            "WM124",
            node,
            f"`{ast.unparse(node.func)}` is an abstract class: it can be asked for, and nothing be made of it",
            "call a class that values have: `dict(…)`, `list(…)`, `set(…)`",
        )
    if name in {"isinstance", "issubclass"} and len(node.args) == 2:  # noqa: PLR2004 - as CPython counts
        ctx.asked.update(map(id, _asked(ctx, node.args[1])))


def _check_put(ctx: Context, node: ast.Call, name: str) -> None:
    """``object.__setattr__`` of a property would have to call its setter."""
    match node.args:
        case [_, ast.Constant(value=str(attribute)), _] if name == "object.__setattr__":
            if attribute in ctx.tables.assumed.property_names:
                ctx.reject(
                    "WM123",
                    node,
                    f"`{attribute}` is a property of a class of this program, which object.__setattr__ does not set here",
                    f"set what stands behind it, or write `value.{attribute} = …`",
                )


def _asked(ctx: Context, node: ast.expr) -> Iterator[ast.expr]:
    """Each class of ``(A, B | C)``."""
    match node:
        case ast.Tuple(elts=parts):
            for part in parts:
                yield from _asked(ctx, part)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _asked(ctx, left)
            yield from _asked(ctx, right)
        case ast.Subscript(value=base, slice=parts) if _is_union(ctx, base):
            written = parts.elts if isinstance(parts, ast.Tuple) else [parts, ast.Constant(None)]
            ctx.reject(
                "WM124",
                node,
                f"`{ast.unparse(node)}` is a type that cannot be asked for here",
                f"write `{' | '.join(map(ast.unparse, written))}`",
            )
        case ast.Subscript(value=base) if isinstance(ctx.symbol(base), Builtin | Alias):
            ctx.reject(
                "WM124",
                node,
                f"`{ast.unparse(node)}` is a generic type with arguments, which cannot be asked for",
                f"ask for `{ast.unparse(base)}`",
            )
        case _:
            yield node


def _is_union(ctx: Context, node: ast.expr) -> bool:
    found = ctx.symbol(node)
    return isinstance(found, Refused) and ast.unparse(node).rpartition(".")[2] in {
        "Union",
        "Optional",
    }


def _makes_value(found: Action | Compiled) -> bool:
    """Whether calling it only makes a call, coroutine or generator."""
    return isinstance(found, Action) or bool(found.function.__code__.co_flags & _MAKES_VALUE)


def _unchanged(found: Compiled | Refused, node: ast.Call) -> ast.expr | None:
    """The value that ``typing.cast(T, value)`` or a ``NewType`` gives, which is the one that it is given."""
    if isinstance(found, Refused):
        return _only_value(node) if isinstance(found.value, NewType) else None
    return _cast(node) if found.function is PRELUDE["typing.cast"] else None


def _only_value(node: ast.Call) -> ast.expr | None:
    match node:
        case ast.Call(args=[value], keywords=[]) if not isinstance(value, ast.Starred):
            return value
        case _:
            return None


def _cast(node: ast.Call) -> ast.expr | None:
    """What is cast, where the type has no effect: it is for checkers and need not be of the language."""
    match node:
        case ast.Call(args=[kind, value], keywords=[]):
            starred = isinstance(kind, ast.Starred) or isinstance(value, ast.Starred)
            written = all(isinstance(part, _TYPE_PARTS) for part in ast.walk(kind))
            return value if written and not starred else None
        case _:
            return None


_TYPE_PARTS = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr, ast.expr_context,
)  # fmt: skip
"""What types are written with, and what has no effect."""


def _mention(ctx: Context, node: ast.Call, builtin: str) -> None:
    """Note what name ``getattr`` may mean, so that it is compiled in."""
    match node.args:
        case [_, ast.Constant(value=str(name)), *_]:
            refused = instead_of_reading(name)
            if refused is not None and builtin == "getattr":
                ctx.reject("WM124", node, *refused)
            ctx.tables.used.add(name)
        case _:
            ctx.tables.any_name = True


def _of_workflow(ctx: Context, node: ast.Call, builtin: str, into: int | None) -> int:
    """``getattr(self, "name")`` or ``hasattr``: a member of the class, or what only this run may have."""
    match node:
        case ast.Call(args=[own, ast.Constant(value=str(name)), *rest], keywords=[]):
            found = members.find(ctx.tables.workflow, name)
        case _:
            ctx.reject(
                "WM113",
                node.args[0],
                "members of the workflow itself are not looked up by a computed name",
                "put its methods into a dict, and look there: `{'a': self.a}.get(name, self.other)`",
            )
    if len(rest) > (builtin == "getattr") or (
        isinstance(found, members.Property) and (rest or builtin == "hasattr")
    ):
        why = f"`{name}` of the workflow is not looked up like this"
        ctx.reject("WM113", node.args[0], why, f"write `{ast.unparse(own)}.{name}`")
    mark = ctx.builder.mark()
    if found is None:
        assert ctx.self_variable is not None
        slot = ctx.load(ctx.self_variable)
        asked = ast.copy_location(ast.Call(node.func, node.args[1:], []), node)
        callee = ctx.builtin(builtin)
        return call(ctx, callee, asked, into, pure=False, first=(slot,), mark=mark)
    ctx.operands(rest)
    ctx.builder.release(mark)
    if builtin == "hasattr":
        has: object = True
        return ctx.constant(has, node)
    member = ast.Attribute(own, name, ast.Load())
    return ctx.families.member(ctx, ast.copy_location(member, node), into)


def _calls_back(ctx: Context, node: ast.Call, name: str) -> bool:
    """Whether a builtin is given something that may be a compiled function."""
    callbacks = BUILTINS[name].callbacks
    if not callbacks:
        return False
    if any(isinstance(one, ast.Starred) for one in node.args):
        return True
    for keyword in node.keywords:
        if keyword.arg is None:
            return True
        if keyword.arg in callbacks and not _harmless(ctx, keyword.value):
            return True
    return any(
        place.isdigit()
        and int(place) < len(node.args)
        and not _harmless(ctx, node.args[int(place)])
        for place in callbacks
    )


def _harmless(ctx: Context, node: ast.expr) -> bool:
    """Whether a callback is surely no compiled function: None, or a builtin of the language."""
    if isinstance(node, ast.Constant):
        return True
    return isinstance(ctx.symbol(node), Builtin)


def _construct(ctx: Context, node: ast.Call, cls: type, into: int | None) -> int:
    """Make an instance: by declaration, by a compiled ``__init__``, or by an inline step."""
    for base in cls.__mro__:
        if base.__module__ != "builtins" and not members.is_ours(base):
            for name in members.special_methods(base):
                if members.special_function(base, name) is not None:
                    continue
                ctx.reject(
                    "WM123",
                    node.func,
                    f"class `{base.__qualname__}` defines `{name}`, which is not supported",
                    "use a plain method, or do this in an @action function",
                )
    pure = not ctx.is_typed_constructor(cls)
    for why in over_fields(cls).values() if pure else ():
        ctx.reject("WM123", node.func, why, "give the property another name than the field")
    mark = ctx.builder.mark()
    callee = ctx.families.symbol(ctx, Kind(cls), node.func, None)
    return call(ctx, callee, node, into, pure=pure, mark=mark)


def _method(ctx: Context, node: ast.Call, func: ast.Attribute, into: int | None) -> int:
    """``owner.name(…)``: the method is looked up before the arguments are evaluated."""
    builder, tables = ctx.builder, ctx.tables
    name = ctx.namespace.mangled(func.attr)
    _check_method(ctx, func, name)
    of_class = ctx.symbol(func.value)
    if isinstance(of_class, Kind) and members.makes_none(of_class.cls, name):
        ctx.asked.add(id(func.value))
    mark = builder.mark()
    owner = ctx.expr(func.value)
    builder.release(mark)
    method = builder.temporary()
    ctx.at(func)
    pure = not (name in CALLBACK_METHODS and _gives_callback(ctx, node, name))
    if name in tables.assumed.properties:
        label = builder.label()
        builder.terminate(ins.Access(method, owner, name, label))
        builder.place(label)
        pure = False
    else:
        builder.emit(ins.LoadMethod(method, owner, name))
        pure = pure and name not in tables.assumed.methods and name not in RESUMING_METHODS
        pure = pure and not members.is_special(name)
    ctx.at(node)
    return call(ctx, method, node, into, pure=pure, mark=mark)


def _of_prelude(ctx: Context) -> bool:
    module = ctx.namespace.module
    return module is not None and module.__name__.startswith(f"{PACKAGE}.")


def _check_method(ctx: Context, func: ast.Attribute, name: str) -> None:
    tables = ctx.tables
    tables.used.add(name)
    if name in FILLING:
        mention_fields(ctx, func.value)
    if members.is_special(name) and not _of_prelude(ctx):
        ctx.reject(
            "WM124",
            func,
            f"special method `{name}` cannot be called in a workflow",
            "use the operator or builtin",
        )
    if name in METHODS_INSTEAD and name not in tables.assumed.methods:
        ctx.reject(
            "WM124",
            func,
            f"`{ast.unparse(func)}` cannot be called in a workflow",
            METHODS_INSTEAD[name],
        )
    why = tables.assumed.excluded_names.get(name)
    if why is not None and name not in _KNOWN_METHODS:
        ctx.reject("WM123", func, why, "call it in an @action function")
    base = ctx.symbol(func.value)
    if isinstance(base, Builtin) and name not in CLASS_METHODS.get(base.name, ()):
        if name in METHODS.get(base.name, ()):
            instead = f"call it on the value: `value.{name}(…)`"
        else:
            instead = (
                "use a name of the language, or move this into an @action function and await it"
            )
        ctx.reject(
            "WM124", func, f"`{ast.unparse(func)}` is not part of the workflow language", instead
        )


def _gives_callback(ctx: Context, node: ast.Call, name: str) -> bool:
    allowed = CALLBACK_METHODS[name]
    return any(
        keyword.arg is None or (keyword.arg in allowed and not _harmless(ctx, keyword.value))
        for keyword in node.keywords
    )


def awaiting(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``await``: a resume point."""
    assert isinstance(node, ast.Await)
    builder = ctx.builder
    if not ctx.is_async:
        ctx.reject(
            "WM105",
            node,
            "`await` inside a generator expression makes it asynchronous",
            "use a list comprehension: `[… for …]`",
        )
    mark = builder.mark()
    source = ctx.expr(node.value)
    builder.release(mark)
    target = ctx.target(into)
    label = builder.label()
    builder.terminate(ins.Await(target, source, label))
    builder.place(label)
    return target


EXPRESSIONS: dict[type[ast.AST], Lower] = {ast.Call: calling, ast.Await: awaiting}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
