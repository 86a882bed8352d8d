"""The ``__init__`` that ``@dataclass`` made for a class goes in; a function that does the same, written here, comes out."""

from __future__ import annotations

import ast
import dataclasses
import enum
import sys
from contextlib import suppress
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from operator import attrgetter
from types import FunctionType
from typing import Any, NoReturn

from waymark.compiler import members
from waymark.compiler.context import Context, Families
from waymark.compiler.diagnostics import Text, Unsupported
from waymark.compiler.durable import is_immutable
from waymark.compiler.frames import Surroundings, close_frame, open_frame, signature
from waymark.compiler.scopes import analyse
from waymark.compiler.source import SourceChanged, SourceFile, SourceMissing, same_code
from waymark.compiler.symbols import Builtin, Compiled, Kind, Namespace, classify, used_by
from waymark.compiler.tables import Job, Tables
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.program import GENERATED_INIT

_SUSPENDS = CO_ASYNC_GENERATOR | CO_COROUTINE | CO_GENERATOR
_field_type = attrgetter("_field_type")

NOT_GIVEN = (".not_given",)
"""What a parameter holds that has a factory; told by identity, as dataclasses tell theirs."""


def is_generated(function: FunctionType) -> bool:
    """Whether ``@dataclass`` made an ``__init__``."""
    return function.__name__ == "__init__" and function.__code__.co_filename == "<string>"


def owner_of(cls: type, init: FunctionType) -> Any:
    """The dataclass for which an ``__init__`` was made that ``cls`` has or inherits."""
    return next(base for base in cls.__mro__ if vars(base).get("__init__") is init)


def post_init(cls: type, init: FunctionType) -> members.Member | None:
    """What a generated ``__init__`` calls in the end, on an object of ``cls``."""
    if not hasattr(owner_of(cls, init), "__post_init__"):
        return None
    return members.find(cls, "__post_init__")


def write_init(tables: Tables, families: Families, job: Job) -> None:
    """Write the function of ``job``; what it cannot do is reported."""
    cls = job.owner
    assert cls is not None
    with suppress(Unsupported):  # what is wrong was reported
        _Init(tables, families, job, cls).write()


class _Init:
    def __init__(self, tables: Tables, families: Families, job: Job, cls: type) -> None:
        self._tables, self._families, self._job, self._cls = tables, families, job, cls
        self._owner = owner_of(cls, job.function)
        self._fields = [
            item
            for item in self._owner.__dataclass_fields__.values()
            if repr(_field_type(item)) != "_FIELD_CLASSVAR"
        ]

    def write(self) -> None:
        node, namespace = (
            self._node(),
            Namespace(vars(sys.modules[self._cls.__module__]), None, _NO_FILE),
        )
        around = Surroundings(self._tables, self._families, namespace, _NO_FILE.text, self._cls)
        ctx = open_frame(around, analyse(node), qualname=self._job.function.__qualname__)
        ctx.builder.local(GENERATED_INIT)
        defaults = {
            item.name: self._default(ctx, item, node)
            for item in self._fields
            if item.init and _optional(item)
        }
        for item in self._fields:
            mark = ctx.builder.mark()
            self._set(ctx, item, node)
            ctx.builder.release(mark)
        self._finish(ctx, node)
        close_frame(
            ctx,
            self._job.number,
            name="__init__",
            kind="sync",
            parameters=signature(node, defaults),
        )

    def _node(self) -> ast.FunctionDef:
        """A definition with its parameters, in their order."""
        given = [item for item in self._fields if item.init]
        own = "__dataclass_self__" if any(item.name == "self" for item in given) else "self"
        positional = [own, *(item.name for item in given if not item.kw_only)]
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(name) for name in positional],
            kwonlyargs=[ast.arg(item.name) for item in given if item.kw_only],
            kw_defaults=[],
            defaults=[],
        )
        where = self._job.function.__code__.co_firstlineno
        return ast.FunctionDef(
            "__init__",
            arguments,
            [],
            [],
            lineno=where,
            col_offset=0,
            end_lineno=where,
            end_col_offset=0,
        )

    def _default(self, ctx: Context, item: Any, node: ast.AST) -> int:
        """Number of the constant that a parameter holds when it is not given."""
        if item.default_factory is not dataclasses.MISSING:
            return self._tables.value(NOT_GIVEN)
        return self._constant(ctx, item.default, node)

    def _constant(self, ctx: Context, value: object, node: ast.AST) -> int:
        if not is_immutable(value):
            self._give_up(ctx, node, "a default is no constant")
        if isinstance(value, enum.Enum):
            self._tables.type_entry(type(value))
        return self._tables.value(value)

    def _set(self, ctx: Context, item: Any, node: ast.FunctionDef) -> None:
        builder = ctx.builder
        variable = ctx.scope.variables.get(item.name) if item.init else None
        if item.default_factory is not dataclasses.MISSING:
            if variable is None:
                slot = self._made(ctx, item, node)
            else:
                slot = variable.slot
                test, missing, given = builder.temporary(), builder.label(), builder.label()
                sentinel = builder.constant(self._tables.value(NOT_GIVEN))
                builder.emit(ins.Compare("is", test, slot, sentinel))
                builder.terminate(ins.Branch(test, missing, given))
                builder.place(missing)
                ctx.move(slot, self._made(ctx, item, node))
                builder.place(given)
        elif variable is not None:
            slot = variable.slot
        elif "__slots__" in vars(self._owner) and item.default is not dataclasses.MISSING:
            slot = builder.constant(self._constant(ctx, item.default, node))
        else:
            return
        if repr(_field_type(item)) != "_FIELD_INITVAR":
            self._put(ctx, item.name, slot)

    def _put(self, ctx: Context, name: str, slot: int) -> None:
        if not self._owner.__dataclass_params__.frozen:
            ctx.builder.emit(ins.SetAttr(0, name, slot))
            return
        text = ctx.builder.constant(self._tables.value(name))
        put = ctx.builtin("object.__setattr__")
        ctx.builder.emit(ins.CallPure(ctx.builder.temporary(), put, [0, text, slot]))

    def _made(self, ctx: Context, item: Any, node: ast.AST) -> int:
        """What the factory of a field gives."""
        callee = self._factory(ctx, item, node)
        return _called(ctx, callee, [])

    def _factory(self, ctx: Context, item: Any, node: ast.AST) -> int:
        factory = item.default_factory
        name = ast.Name(getattr(factory, "__name__", "?"), ast.Load())
        ast.copy_location(name, node)
        found = used_by(
            self._tables.workflow.__module__,
            classify(factory, name.id, None, self._tables.language),
            name,
        )
        if isinstance(found, Compiled) and found.function.__name__ == "<lambda>":
            return ctx.builder.constant(self._lambda(ctx, item, found.function, node))
        if isinstance(found, Compiled | Kind | Builtin):
            return self._families.symbol(ctx, found, name, None)
        why = f"the default factory of `{item.name}` is not part of the language"
        return self._give_up(ctx, node, why)

    def _lambda(self, ctx: Context, item: Any, function: FunctionType, node: ast.AST) -> int:
        """Constant of a ``lambda`` that stands in the body of the class."""
        where, file = self._written(item.name)
        code = function.__code__
        if (
            where is None
            or file is None
            or code.co_argcount + code.co_kwonlyargcount
            or code.co_flags & _SUSPENDS
            or not any(same_code(one, code) for one in file.codes.get(code.co_qualname, ()))
        ):
            self._give_up(
                ctx, node, f"the default factory of `{item.name}` was not found in the class"
            )
        number = self._tables.reserve()
        private = code.co_qualname.rpartition(".<lambda>")[0].rpartition(".")[2]
        namespace = Namespace.of(function, file, private=private)
        around = Surroundings(self._tables, self._families, namespace, file.text, None)
        inner = open_frame(around, analyse(where), qualname=code.co_qualname)
        inner.builder.terminate(ins.Return(inner.expr(where.body)))
        close_frame(inner, number, name="<lambda>", kind="sync", parameters=[])
        return self._tables.function_value(number)

    def _written(self, name: str) -> tuple[ast.Lambda | None, SourceFile | None]:
        for base in self._owner.__mro__:
            if name in vars(base).get("__annotations__", {}):
                module = sys.modules[base.__module__]
                try:
                    bound, file = self._tables.captures.bound_in_class(base, name, module)
                except (SourceMissing, SourceChanged):
                    break
                return _lambda_of(bound), file
        return None, None

    def _finish(self, ctx: Context, node: ast.AST) -> None:
        found = post_init(self._cls, self._job.function)
        if found is None:
            return
        if (
            not isinstance(found, members.Method)
            or found.kind != "method"
            or found.function.__code__.co_flags & _SUSPENDS
        ):
            self._give_up(ctx, node, "`__post_init__` is no plain method")
        number = self._tables.function(found.function, found.owner)
        callee = ctx.builder.constant(self._tables.function_value(number))
        passed = [
            ctx.scope.variables[item.name].slot
            for item in self._fields
            if repr(_field_type(item)) == "_FIELD_INITVAR"
        ]
        _called(ctx, callee, [0, *passed])

    def _give_up(self, ctx: Context, node: ast.AST, why: str) -> NoReturn:
        ctx.reject("WM123", node, why, "use what the workflow language has")


def _lambda_of(bound: list[ast.expr | None]) -> ast.Lambda | None:
    """The ``lambda`` of ``field(default_factory=lambda: …)``."""
    if len(bound) != 1 or not isinstance(bound[0], ast.Call):
        return None
    for keyword in bound[0].keywords:
        if keyword.arg == "default_factory" and isinstance(keyword.value, ast.Lambda):
            return keyword.value
    return None


def _called(ctx: Context, callee: int, args: list[int]) -> int:
    target, label = ctx.builder.temporary(), ctx.builder.label()
    ctx.builder.terminate(ins.Call(target, callee, args, [], [], -1, -1, label))
    ctx.builder.place(label)
    return target


def _optional(item: Any) -> bool:
    missing = dataclasses.MISSING
    return item.default is not missing or item.default_factory is not missing


_NO_FILE = SourceFile("", Text("<dataclass>", ()), ast.Module([], []), {}, {}, {}, {})
"""Where functions stand that no source has."""
