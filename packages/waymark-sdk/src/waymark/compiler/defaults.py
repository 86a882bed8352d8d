"""Defaults of parameters and fields go in; those that every process evaluates alike come out, the others are reported."""

from __future__ import annotations

import ast
import enum
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from waymark.compiler import members
from waymark.compiler.class_bodies import names_around
from waymark.compiler.context import Context
from waymark.compiler.diagnostics import Unsupported
from waymark.compiler.durable import is_immutable, is_name, is_tuple_of_names
from waymark.compiler.source import FunctionNode, SourceChanged, SourceMissing
from waymark.compiler.symbols import Namespace
from waymark.compiler.tables import Job, Tables
from waymark_schema.failures import SerializationError

_FIELD_MAKERS = frozenset({"Field", "field", "PrivateAttr", "pydantic.Field", "dataclasses.field"})
_IN_BODY = "use None and make the value in the body"


def evaluated_defaults(job: Job, node: FunctionNode) -> dict[str, object]:
    """Values of the parameters that have defaults, by name."""
    positional = [*node.args.posonlyargs, *node.args.args]
    given = job.function.__defaults__ or ()
    names = [one.arg for one in positional[len(positional) - len(given) :]]
    return dict(zip(names, given, strict=True)) | (job.function.__kwdefaults__ or {})


def of_parameters(
    ctx: Context, job: Job, node: FunctionNode, placed: Mapping[str, int]
) -> dict[str, int]:
    """Constants of the parameters' defaults, as they were evaluated when the function was defined.

    ``placed`` has those of parameters that the function itself fills in.
    """
    arguments, values = node.args, evaluated_defaults(job, node)
    positional = [*arguments.posonlyargs, *arguments.args]
    numbers = dict(placed)
    for place, expression in written_defaults(arguments):
        if place.arg in placed:
            continue
        try:
            number = _number(ctx, job, place, expression, values[place.arg])
        except Unsupported:
            continue
        if number is not None:
            numbers[place.arg] = number
    if ctx.tables.entry_defaults_left_out and job.number == 0:
        # No required parameter may stand behind an optional one: each start sends these along too.
        left_out = (index for index, one in enumerate(positional) if one.arg not in numbers)
        for one in positional[: max(left_out, default=0)]:
            numbers.pop(one.arg, None)
    return numbers


def written_defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    """Parameters that have defaults, with their expressions."""
    positional = [*arguments.posonlyargs, *arguments.args]
    count = len(arguments.defaults)
    yield from zip(positional[len(positional) - count :], arguments.defaults, strict=True)
    for place, expression in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if expression is not None:
            yield place, expression


def _number(
    ctx: Context, job: Job, place: ast.arg, expression: ast.expr, value: object
) -> int | None:
    """Number of a default's constant; None where each start of the workflow sends it along."""
    name = place.arg
    number, (why, instead) = None, _why_not(ctx, job, name, expression, value)
    if not why:
        try:
            number = ctx.tables.value(value)
        except SerializationError as error:
            why, instead = str(error), _IN_BODY
    if why and (job.number != 0 or is_immutable(value) or _is_named(value)):
        ctx.reject("WM127", place, why, instead)
    elif why:
        ctx.tables.entry_defaults_left_out = True
    return number


def _why_not(
    ctx: Context, job: Job, name: str, expression: ast.expr, value: object
) -> tuple[str, str]:
    """Why a default is no constant of the program, and what to write instead; empty if it is one."""
    if _is_named(value):
        namespace = replace(ctx.namespace, closure={})
        why = ctx.tables.captures.why_impure(expression, namespace, named=True)
        if why is None and job.number == 0:
            why = "a run is started with values, and no class or function is one"
        why = why or f"`{ast.unparse(expression)}` means something else by now"
        return f"the default of `{name}` cannot be captured: {why}", _IN_BODY
    if not is_immutable(value):
        kind = type(value).__qualname__
        return f"the default of `{name}` is a {kind}, which is made once and then shared", _IN_BODY
    impure = _why_impure(ctx, job, expression)
    if impure is None:
        return "", ""
    instead = "use None and read it in an @action function, or pass it on from run()"
    if job.number == 0:
        instead = "use None and read it in an @action function, or give it to start()"
    return f"the default of `{name}` cannot be captured: {impure}", instead


def _is_named(value: object) -> bool:
    return is_name(value) or is_tuple_of_names(value)


def _why_impure(ctx: Context, job: Job, expression: ast.expr) -> str | None:
    captures, owner = ctx.tables.captures, job.owner
    if owner is not None and isinstance(expression, ast.Name) and expression.id in vars(owner):
        module = sys.modules.get(owner.__module__)
        if module is not None:
            return captures.class_attribute(owner, expression.id, module)
    return captures.why_impure(expression, replace(ctx.namespace, closure={}))


def check_fields(tables: Tables) -> None:
    """Report defaults of fields, and values of members, that the program would hold and that differ by process."""
    held: dict[type, set[str]] = {}
    for cls in tables.classes():
        for name in _held(tables, cls):
            held.setdefault(_owner(cls, name), set()).add(name)
    for cls, names in held.items():
        module = sys.modules.get(cls.__module__)
        if module is None or members.is_library(cls.__module__):
            continue
        try:
            file = tables.reader.module(module)
        except (SourceMissing, SourceChanged):
            continue
        for node in file.classes.get(cls.__name__, ()):
            namespace = Namespace(names_around(cls, module), module, file)
            _check_class(tables, cls, names, namespace, node)


def _owner(cls: type, name: str) -> type:
    """The class in whose body a field is; members are in that of their enum."""
    bases = (base for base in cls.__mro__ if name in vars(base).get("__annotations__", ()))
    return next(bases, cls)


def _check_class(
    tables: Tables,
    cls: type,
    names: set[str],
    namespace: Namespace,
    node: ast.ClassDef,
) -> None:
    known = frozenset(name for name, value in vars(cls).items() if not isinstance(value, type))
    for statement in node.body:
        name, value = _bound(statement)
        if value is None or name not in names:
            continue
        expression = _default_of(value)
        if expression is None:
            continue
        why = tables.captures.why_impure(expression, namespace, known)
        if why is not None:
            tables.reporter.report(
                "WM123",
                expression,
                namespace.file.text,
                f"`{cls.__qualname__}.{name}` cannot be captured: {why}",
                "give the field a default_factory, or pass the value when an object is made",
            )


def _held(tables: Tables, cls: type) -> set[str]:
    """Names of fields with defaults, and of members, that the descriptor of a class holds."""
    descriptor = tables.descriptor(cls)
    if issubclass(cls, enum.Enum):
        return {name for name, _ in descriptor.members}
    return {field.name for field in descriptor.fields if field.default is not None}


def _bound(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case _:
            return "", None


def _default_of(value: ast.expr) -> ast.expr | None:
    """The expression of a default, which ``Field(...)`` and ``field(...)`` take as an argument."""
    match value:
        case ast.Call(func=ast.Name(id="auto") | ast.Attribute(attr="auto"), args=[]):
            return None
        case ast.Call(func=func) if ast.unparse(func) in _FIELD_MAKERS:
            named: Any = {keyword.arg: keyword.value for keyword in value.keywords}
            return named.get("default") or (value.args[0] if value.args else None)
        case _:
            return value
