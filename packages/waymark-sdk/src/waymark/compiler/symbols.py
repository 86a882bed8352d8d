"""A name that is no local goes in; what it means to a workflow (action, builtin, class, function, value) comes out."""

from __future__ import annotations
import __future__

import ast
import builtins
import enum
import sys
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from waymark.compiler.durable import is_immutable
from waymark.compiler.language import Names, is_stable, refuse_attribute, refuse_object
from waymark.compiler.prelude.names import PACKAGE, PRELUDE
from waymark.compiler.source import SourceFile
from waymark.registry import ActionDefinition
from waymark_schema.ir.language import BUILTINS
from waymark_schema.values.describe import kind_of


@dataclass(frozen=True, slots=True)
class Module:
    """A module: only what it holds can be used."""

    value: ModuleType


@dataclass(frozen=True, slots=True)
class Action:
    """An ``@action`` function."""

    definition: ActionDefinition


@dataclass(frozen=True, slots=True)
class Builtin:
    """A name of ``ir.language``."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Kind:
    """A class that values can have: model, dataclass, named tuple, enum, exception."""

    cls: type


@dataclass(frozen=True, slots=True)
class WorkflowClass:
    """A workflow class."""

    cls: type


@dataclass(frozen=True, slots=True)
class Compiled:
    """An undecorated function of the user's, to be compiled in."""

    function: FunctionType


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that needs no check: enum members, constants of standard modules."""

    value: object


@dataclass(frozen=True, slots=True)
class Captured:
    """A value bound at module level; the expression that bound it decides whether it can be captured."""

    value: object
    name: str
    module: ModuleType


@dataclass(frozen=True, slots=True)
class Refused:
    """A name that cannot be used: code, message and rewrite of the diagnostic."""

    code: str
    message: str
    instead: str


Symbol = Module | Action | Builtin | Kind | WorkflowClass | Compiled | Constant | Captured | Refused


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where the global names of one function live."""

    names: dict[str, Any]
    module: ModuleType | None
    file: SourceFile
    closure: dict[str, Any] = field(default_factory=dict)
    """Contents of the cells of a function defined inside another one."""
    private: str = ""
    """Class name that ``__x`` is mangled with, or empty."""
    postponed: bool = False
    """Whether ``from __future__ import annotations`` holds here."""

    @classmethod
    def of(cls, function: FunctionType, file: SourceFile, *, private: str = "") -> Namespace:
        module = sys.modules.get(function.__module__)
        closure: dict[str, Any] = {}
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            try:
                closure[name] = cell.cell_contents
            except ValueError:
                continue
        postponed = bool(function.__code__.co_flags & __future__.annotations.compiler_flag)
        return cls(function.__globals__, module, file, closure, private, postponed)

    def mangled(self, name: str) -> str:
        if self.private and name.startswith("__") and not name.endswith("__"):
            return f"_{self.private.lstrip('_')}{name}"
        return name


def resolve_name(name: str, namespace: Namespace, language: Names) -> Symbol:
    """What a global (or enclosing function's) name means."""
    if name in namespace.closure:
        return _of_closure(name, namespace.closure[name], language)
    if name in namespace.names:
        return classify(namespace.names[name], name, namespace.module, language)
    if hasattr(builtins, name):
        return _of_builtins(name, getattr(builtins, name), language)
    return Refused("WM120", f"name `{name}` is not defined", "define or import it at module level")


def _of_builtins(name: str, value: object, language: Names) -> Symbol:
    found = language.of(value)
    if found is not None:
        return Builtin(found, value)
    return Refused(*refuse_object(name, value))


def _of_closure(name: str, value: object, language: Names) -> Symbol:
    symbol = classify(value, name, None, language)
    if isinstance(symbol, Captured):
        return Refused(
            "WM121",
            f"`{name}` belongs to the function around the class; its value may differ in every process",
            "pass it as an input of run(), or bind it once at module level",
        )
    return symbol


def classify(value: Any, name: str, module: ModuleType | None, language: Names) -> Symbol:
    """What a host object found under ``name`` in ``module`` means."""
    definition = getattr(value, "__waymark_action__", None)
    known = language.of(value)
    if isinstance(definition, ActionDefinition):
        return Action(definition)
    prelude = language.compiled(value)
    if prelude is not None:
        return Compiled(prelude)
    return Builtin(known, value) if known is not None else _classified(value, name, module)


def _classified(value: object, name: str, module: ModuleType | None) -> Symbol:
    match value:
        case ModuleType():
            return Module(value)
        case type():
            return _of_class(value, name)
        case enum.Enum():
            return Constant(value)
        case _ if callable(value):
            return _of_callable(value, name)
        case _:
            return _of_value(value, name, module)


def _of_value(value: object, name: str, module: ModuleType | None) -> Symbol:
    if module is not None and is_stable(module) and is_immutable(value):
        return Constant(value)
    return Captured(value, name, module or sys.modules["builtins"])


def _of_class(cls: type, name: str) -> Symbol:
    if any(base.__qualname__ == "Workflow" and _is_ours(base) for base in cls.__mro__):
        return WorkflowClass(cls)
    if _is_ours(cls):
        return Refused(*refuse_object(name, cls))
    if kind_of(cls) is not None:
        return Kind(cls)
    return Refused(*refuse_object(name, cls))


def _is_ours(value: Any) -> bool:
    module = str(getattr(value, "__module__", ""))
    return module.partition(".")[0] in {"waymark", "waymark_schema"} and not module.startswith(
        f"{PACKAGE}."
    )


def _of_callable(value: Any, name: str) -> Symbol:
    if isinstance(value, FunctionType) and not _is_ours(value):
        top = value.__module__.partition(".")[0]
        if top not in sys.stdlib_module_names:
            return Compiled(value)
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return Refused(*refuse_object(name, value))
    return Refused(
        "WM121",
        f"`{name}` is an object of class {type(value).__qualname__}, which cannot be captured",
        "pass what is needed of it as an input of run(), or use it inside an @action function",
    )


def resolve_attribute(base: Symbol, attribute: str, text: str, language: Names) -> Symbol | None:
    """What ``base.attribute`` means if that is known without running the workflow, else None."""
    match base:
        case Module(value=module):
            return _of_module_attribute(module, attribute, language)
        case Builtin(name=name, value=value):
            return _of_builtin_attribute(name, value, attribute)
        case Kind(cls=cls):
            return _of_kind_attribute(cls, attribute, text, language)
        case Refused():
            return base
        case Compiled(function=function) if function is PRELUDE["itertools.chain"]:
            return (
                Compiled(PRELUDE[f"itertools.chain.{attribute}"])
                if attribute == "from_iterable"
                else None
            )
        case _:
            return None


def _of_module_attribute(module: ModuleType, attribute: str, language: Names) -> Symbol:
    refused = refuse_attribute(module.__name__, attribute)
    if refused:
        return Refused(*refused)
    if not hasattr(module, attribute):
        return Refused(
            "WM120", f"module `{module.__name__}` has no attribute `{attribute}`", "check the name"
        )
    return classify(getattr(module, attribute), attribute, module, language)


def _of_builtin_attribute(name: str, value: object, attribute: str) -> Symbol | None:
    refused = refuse_attribute(name, attribute)
    if refused:
        return Refused(*refused)
    if isinstance(value, type):
        if f"{name}.{attribute}" in BUILTINS:
            return Builtin(f"{name}.{attribute}", None)
        found = vars(value).get(attribute)
        if found is not None and is_immutable(found) and not attribute.startswith("_"):
            return Constant(found)
    return None


def _of_kind_attribute(cls: type, attribute: str, text: str, language: Names) -> Symbol | None:
    if issubclass(cls, enum.Enum) and attribute in cls.__members__:
        return Constant(cls.__members__[attribute])
    found = vars(cls).get(attribute)
    if attribute == "_fields" and issubclass(cls, tuple):
        return Constant(found)
    if isinstance(found, type):
        return classify(found, text, None, language)
    return None


def dotted(node: ast.expr) -> str:
    """Text of a name or attribute chain, for messages."""
    return ast.unparse(node)
