"""A name that is no local goes in; what it means to a workflow (action, builtin, class, function, value) comes out."""

from __future__ import annotations
import __future__

import ast
import builtins
import enum
import inspect
import sys
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NewType

from pydantic import BaseModel

from waymark.compiler import members
from waymark.compiler.diagnostics import MOVE_TO_ACTION
from waymark.compiler.durable import is_applied, is_immutable
from waymark.compiler.language import CONTEXT, Names, is_stable, refuse_attribute, refuse_object
from waymark.compiler.prelude.names import PACKAGE, PRELUDE
from waymark.compiler.source import SourceFile
from waymark.registry import ActionDefinition
from waymark_schema.ir.language import BUILTINS
from waymark_schema.values.describe import kind_of
from waymark_schema.values.frozen import meant_by


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
class Alias:
    """An alias of ``typing`` for a class with a name in ``ir.language``: it can only be asked for."""

    name: str


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
    value: object = None
    """What was refused, where its package may say more."""


Symbol = (
    Module
    | Action
    | Builtin
    | Alias
    | Kind
    | WorkflowClass
    | Compiled
    | Constant
    | Captured
    | Refused
)


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
    value = meant_by(value) or value
    definition = getattr(value, "__waymark_action__", None)
    known = language.of(value)
    if isinstance(definition, ActionDefinition):
        return Action(definition)
    prelude = language.compiled(value)
    if prelude is not None:
        return Compiled(prelude)
    if known is not None:
        return Builtin(known, value)
    alias = language.alias(value)
    return _classified(value, name, module) if alias is None else Alias(alias)


def _classified(value: object, name: str, module: ModuleType | None) -> Symbol:
    match value:
        case ModuleType():
            return Module(value)
        case type():
            return _of_class(value, name)
        case enum.Enum():
            return Constant(value)
        case _ if callable(value) and not is_applied(value):
            return _of_callable(value, name)
        case _:
            return _of_value(value, name, module)


def _of_value(value: object, name: str, module: ModuleType | None) -> Symbol:
    if isinstance(value, ContextVar):
        why = f"`{name}` is a context variable, of which every process has values of its own"
        return Refused("WM121", why, CONTEXT)
    if module is not None and is_stable(module, name) and is_immutable(value):
        return Constant(value)
    return Captured(value, name, module or sys.modules["builtins"])


def _of_class(cls: type, name: str) -> Symbol:
    if any(base.__qualname__ == "Workflow" and _is_ours(base) for base in cls.__mro__):
        return WorkflowClass(cls)
    if _is_ours(cls):
        return Refused(*refuse_object(name, cls))
    if kind_of(cls) is not None:
        return Kind(cls)
    return Refused(*refuse_object(name, cls), cls)


def _is_ours(value: Any) -> bool:
    module = str(getattr(value, "__module__", ""))
    return module.partition(".")[0] in {"waymark", "waymark_schema"} and not module.startswith(
        f"{PACKAGE}."
    )


def _of_callable(value: Any, name: str) -> Symbol:
    if isinstance(value, FunctionType) and value.__name__ == "<lambda>":
        return _of_lambda(value, name)
    if isinstance(value, FunctionType) and not _is_ours(value):
        top = value.__module__.partition(".")[0]
        if top not in sys.stdlib_module_names:
            return Compiled(value)
    if isinstance(value, FunctionType | BuiltinFunctionType | MethodType):
        return Refused(*refuse_object(name, value), value)
    if isinstance(value, NewType):
        return Refused(
            "WM121",
            f"`{name}` is a NewType, which can only be called in a workflow",
            f"write `lambda value: {name}(value)`",
            value,
        )
    if isinstance(getattr(value, "__wrapped__", None), FunctionType):
        return Refused(
            "WM122",
            f"`{name}` is an object of class {type(value).__qualname__} around a function",
            "leave the decorator out, or call it in an @action function",
        )
    instead = "pass what is needed of it as an input of run(), or use it inside an @action function"
    if _is_mock(value):
        instead = f"in a test, put a function in the place of a helper, and in that of an action `waymark_runtime.stub({name}, …)`"
    return Refused(
        "WM121",
        f"`{name}` is an object of class {type(value).__qualname__}, which cannot be captured",
        instead,
    )


def _is_mock(value: object) -> bool:
    """Whether a test has put it in the place of something else."""
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(value, mock.NonCallableMock)


def _of_lambda(value: FunctionType, name: str) -> Refused:
    own = name.rpartition(".")[2]
    parameters = ", ".join(inspect.signature(value).parameters)
    return Refused(
        "WM130",
        f"`{name}` is a lambda outside of the workflow; expected a function written with `def`",
        f"write `def {own}({parameters}): return …` at module level, or the lambda inside run()",
        value,
    )


def resolve_attribute(base: Symbol, attribute: str, text: str, language: Names) -> Symbol | None:
    """What ``base.attribute`` means if that is known without running the workflow, else None."""
    match base:
        case Module(value=module):
            return _of_module_attribute(module, attribute, text, language)
        case Builtin(name=name, value=value):
            return _of_builtin_attribute(name, value, attribute)
        case Kind(cls=cls):
            return _of_kind_attribute(cls, attribute, text, language)
        case WorkflowClass(cls=cls) if (inner := members.class_in(cls, attribute)) is not None:
            return classify(inner, text, None, language)
        case Compiled(function=function) if function is PRELUDE["itertools.chain"]:
            whole = f"itertools.chain.{attribute}"
            return Compiled(PRELUDE[whole]) if whole in PRELUDE else None
        case _:
            return base if isinstance(base, Refused) else None


def _of_module_attribute(module: ModuleType, attribute: str, text: str, language: Names) -> Symbol:
    refused = refuse_attribute(module.__name__, attribute)
    if refused:
        return Refused(*refused)
    if not has_name(module, attribute):
        return Refused(
            "WM120", f"module `{module.__name__}` has no attribute `{attribute}`", "check the name"
        )
    value = getattr(module, attribute)
    found = classify(value, attribute, module, language)
    # Captured values are looked up by their own name; what is refused is called as it is written.
    return classify(value, text, module, language) if isinstance(found, Refused) else found


def has_name(module: ModuleType, name: str) -> bool:
    """Whether a module has a name; its own ``__getattr__`` may say no with any error."""
    try:
        return hasattr(module, name)
    except Exception:  # noqa: BLE001 - whatever the user's module raises
        return False


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
    if attribute == "_fields" and issubclass(cls, tuple) and hasattr(cls, attribute):
        return Constant(getattr(cls, attribute))
    if isinstance(found, type):
        return classify(found, text, None, language)
    return None


def used_by(module: str, found: Symbol, node: ast.expr) -> Symbol:
    """``found`` itself, or why a workflow of ``module`` cannot use it: it belongs to another package."""
    match found:
        case Compiled(function=value) if not value.__module__.startswith(f"{PACKAGE}."):
            pass
        case Refused(value=FunctionType() | MethodType() | type() as value) if not _is_of_python(
            value.__module__
        ):
            pass
        case _:
            return found
    package, own = members.package_of(value.__module__), members.package_of(module)
    if package == own:
        return found
    name = dotted(node)
    if value is BaseModel:
        why = f"`{name}` is the base of all models, which no workflow can ask for"
        return Refused("WM123", why, "name the models themselves: `isinstance(x, (Order, Item))`")
    if isinstance(value, type):
        why = f"`{name}` is a class of package `{package}`; {_ONLY_VALUES}"
        return Refused("WM123", why, MOVE_TO_ACTION)
    if _is_installed(value.__module__):
        why = (
            f"`{name}` is a function of package `{package}`, which may block or do I/O; {_ONLY_OWN}"
        )
        return Refused("WM122", why, "call it in an @action function and await that")
    why = f"`{name}` is a function of package `{package}`, the workflow belongs to `{own}`; {_ONLY_OWN}"
    instead = "call it in an @action function, or move it into the workflow's package"
    return Refused("WM122", why, instead)


_ONLY_OWN = "only functions of the workflow's own package are compiled in"
_ONLY_VALUES = "of other packages a workflow holds only pydantic models, dataclasses, named tuples, enums and exceptions"


def _is_of_python(module: str) -> bool:
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in members.OURS


def _is_installed(module: str) -> bool:
    filename = getattr(sys.modules.get(module), "__file__", None) or ""
    return not {"site-packages", "dist-packages"}.isdisjoint(PurePath(filename).parts)


def dotted(node: ast.expr) -> str:
    """Text of a name or attribute chain, for messages."""
    return ast.unparse(node)


def resolve_expression(node: ast.expr, namespace: Namespace, language: Names) -> Symbol | None:
    """What a global name, dotted or not, means; None for any other expression."""
    if isinstance(node, ast.Name):
        return resolve_name(node.id, namespace, language)
    if isinstance(node, ast.Attribute):
        base = resolve_expression(node.value, namespace, language)
        if base is not None:
            return resolve_attribute(base, node.attr, ast.unparse(node), language)
    return None
