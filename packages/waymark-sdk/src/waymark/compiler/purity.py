"""An expression of a module or class body goes in; why its value may differ between processes, or None, comes out."""

from __future__ import annotations
import __future__

import ast
import dataclasses
import enum
import logging
import operator
import re
import typing
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, NewType

from pydantic import AfterValidator, BaseModel, BeforeValidator, PlainValidator, WrapValidator

from waymark.compiler.language import Names
from waymark.compiler.prelude.names import PRELUDE
from waymark.compiler.source import same_code
from waymark.compiler.symbols import (
    Action,
    Builtin,
    Captured,
    Compiled,
    Constant,
    Kind,
    Namespace,
    Refused,
    resolve_expression,
)
from waymark_schema.ir.language import CLASS_METHODS, METHODS
from waymark_schema.values.frozen import thawed

PURE_CALLS = {
    "int", "float", "str", "bytes", "bool", "list", "tuple", "dict", "set", "frozenset", "range", "zip",
    "enumerate", "reversed", "len", "sum", "min", "max", "sorted", "abs", "round", "divmod", "pow", "any", "all",
    "ord", "chr", "repr", "bytearray",
    "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone",
    "zoneinfo.ZoneInfo", "decimal.Decimal", "uuid.UUID", "fractions.Fraction",
    "pathlib.Path", "pathlib.PurePosixPath", "collections.deque", "collections.Counter",
    "collections.OrderedDict", "collections.defaultdict",
    "waymark.RetryPolicy", "waymark.Backoff", "waymark.BackoffPolicy", "re.compile", "re.escape",
}  # fmt: skip
"""Names of the language that may be called in the expression that binds a captured name."""

PURE_PARTS = (
    ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.BoolOp, ast.Compare,
    ast.Subscript, ast.Starred, ast.JoinedStr, ast.FormattedValue, ast.Slice,
)  # fmt: skip
"""Expressions that are pure if all their parts are."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_METHODS_OF_CONSTANTS = {
    name: frozenset(METHODS[name])
    for name in (
        "str", "bytes", "int", "float", "tuple", "frozenset", "range", "datetime.datetime", "datetime.date",
        "datetime.time", "datetime.timedelta", "decimal.Decimal", "fractions.Fraction", "pathlib.PurePosixPath",
    )
}  # fmt: skip
_MAKERS = (typing.get_args, operator.attrgetter, operator.methodcaller)
"""What is no function of the language, and still can make a value of a module."""
_APPLYING = (PRELUDE["functools.partial"], PRELUDE["operator.itemgetter"])
_READING = frozenset({"get", "keys", "values", "items", "copy", "index", "count"})
"""Methods of mutable containers that leave them alone."""
_OF_LOGGER = "it is made of a logger, which every process sets up for itself"
_PLAIN = (
    list,
    dict,
    set,
    tuple,
    frozenset,
    bytearray,
    str,
    int,
    float,
    bool,
    Counter,
    deque,
    OrderedDict,
)
"""Classes that make an empty value."""
_VALIDATORS = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)
Judge = Callable[[Captured], str | None]
"""Why a captured name cannot be captured, or None."""


@dataclasses.dataclass(frozen=True, slots=True)
class Purity:
    """Judges expressions; ``judge`` is asked about the names of modules in them."""

    language: Names
    judge: Judge
    named: bool = False
    """Whether classes, actions and functions of the user's are told by their names, and so are pure."""
    whole: ast.expr | None = None
    """The only expression that may be a logger: what it is a part of may show how the process set it up."""

    def why_not(
        self, node: ast.expr, namespace: Namespace, known: frozenset[str] = frozenset()
    ) -> str | None:
        """Why an expression is not pure, or None; ``known`` are names that the expression binds itself."""
        if isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in known):
            return None
        match node:
            case ast.Name() | ast.Attribute():
                return self._name(node, namespace, known)
            case ast.Call():
                return self._call(node, namespace, known)
            case _ if isinstance(node, _COMPREHENSIONS):
                return self._comprehension(node, namespace, known)
            case _ if isinstance(node, PURE_PARTS) or self._is_value(node, known):
                return self._all(_expressions(node), namespace, known)
            case _:
                return f"`{ast.unparse(node)}` is not a literal, a container of literals or an enum member"

    def _is_value(self, node: ast.expr, known: frozenset[str]) -> bool:
        """Whether an expression is a lambda that stands in a value, and sees nothing but names of the module."""
        return isinstance(node, ast.Lambda) and self.named and not known

    def _all(
        self, parts: Iterable[ast.expr], namespace: Namespace, known: frozenset[str]
    ) -> str | None:
        found = (self.why_not(part, namespace, known) for part in parts)
        return next((why for why in found if why is not None), None)

    def _comprehension(self, node: Any, namespace: Namespace, known: frozenset[str]) -> str | None:
        for generator in node.generators:
            why = self.why_not(generator.iter, namespace, known)
            if why is not None:
                return why
            known |= {part.id for part in ast.walk(generator.target) if isinstance(part, ast.Name)}
            why = self._all(generator.ifs, namespace, known)
            if why is not None:
                return why
        elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        return self._all(elements, namespace, known)

    def _call(self, node: ast.Call, namespace: Namespace, known: frozenset[str]) -> str | None:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if node is self.whole and self._is_get_logger(node.func, namespace):
            # The name of the module is told as what others import it by, if it is the program that is run.
            arguments = [part for part in arguments if not _is_own_name(part)]
        elif not self._is_pure_callee(node.func, namespace, known):
            return f"`{ast.unparse(node.func)}(…)` may give another value in every process"
        keys = (keyword.value for keyword in node.keywords if keyword.arg == "key")
        ran = next((key for key in keys if not self._is_builtin(key, namespace)), None)
        if ran is not None:
            return f"`{ast.unparse(ran)}` would run while the module is imported"
        return self._all(arguments, namespace, known)

    def _is_builtin(self, node: ast.expr, namespace: Namespace) -> bool:
        return isinstance(resolve_expression(node, namespace, self.language), Builtin)

    def _is_get_logger(self, func: ast.expr, namespace: Namespace) -> bool:
        symbol = resolve_expression(func, namespace, self.language)
        return isinstance(symbol, Refused) and symbol.value is logging.getLogger

    def _is_pure_callee(self, func: ast.expr, namespace: Namespace, known: frozenset[str]) -> bool:
        symbol = resolve_expression(func, namespace, self.language)
        match symbol:
            case Builtin(name=name):
                return name in PURE_CALLS
            case Kind(cls=cls):
                return is_declared(cls)
            case Refused() | Compiled() if self._is_maker(symbol):
                return True
            case _:
                pass
        if isinstance(func, ast.Attribute):
            owner = resolve_expression(func.value, namespace, self.language)
            if isinstance(owner, Builtin):
                return func.attr in CLASS_METHODS.get(owner.name, ())
            return self._is_pure_method(func, namespace, known)
        return False

    def _is_maker(self, symbol: Refused | Compiled) -> bool:
        """Whether what is called makes a value of a module without running anything of the user's."""
        if isinstance(symbol, Compiled):
            return self.named and symbol.function in _APPLYING
        known = any(symbol.value is maker for maker in _MAKERS)
        return known or isinstance(symbol.value, NewType)

    def _is_pure_method(
        self, func: ast.Attribute, namespace: Namespace, known: frozenset[str]
    ) -> bool:
        """``"a b".split()`` and the like: of a constant whose type has no methods that change it."""
        if self.why_not(func.value, namespace, known) is not None:
            return False
        names = {part.id for part in ast.walk(func.value) if isinstance(part, ast.Name)}
        if names & known:
            return func.attr in METHODS["str"] or func.attr in _READING
        value = evaluated(func.value, namespace)
        known_as = self.language.of(type(value))
        if known_as in _METHODS_OF_CONSTANTS:
            return func.attr in _METHODS_OF_CONSTANTS[known_as]
        return type(value) in {dict, list} and func.attr in _READING

    def _name(
        self, node: ast.Name | ast.Attribute, namespace: Namespace, known: frozenset[str]
    ) -> str | None:
        if known & {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}:
            # What a comprehension walks: members of enums have these two, and nothing is run to read them.
            pure = isinstance(node, ast.Attribute) and node.attr in {"name", "value"}
            return None if pure else f"`{ast.unparse(node)}` is not a constant"
        known_as = resolve_expression(node, namespace, self.language)
        symbol = _of_literals(node, namespace) or known_as
        match symbol:
            case Constant() | Builtin():
                return None
            case Kind() | Action() | Compiled() if self.named or _is_enum(symbol):
                return None
            case Captured(value=value):
                logger = isinstance(value, logging.Logger) and node is not self.whole
                return _OF_LOGGER if logger else self.judge(symbol)
            case _:
                pass
        if isinstance(node, ast.Attribute) and symbol is None:
            why = self.why_not(node.value, namespace, known)
            unbound = self.named and self._is_unbound(node, namespace)
            if why is not None or unbound or is_field(evaluated(node.value, namespace), node.attr):
                return why
        return f"`{ast.unparse(node)}` is not a constant"

    def _is_unbound(self, node: ast.Attribute, namespace: Namespace) -> bool:
        """Whether ``str.lower`` or its like is meant."""
        owner = resolve_expression(node.value, namespace, self.language)
        return isinstance(owner, Builtin) and node.attr in METHODS.get(owner.name, ())


def _of_literals(node: ast.expr, namespace: Namespace) -> Constant | Captured | None:
    """``typing.Literal``, or a type of literals that a module has a name for; None for anything else."""
    value = None
    match node:
        case ast.Name(id=name):
            value = namespace.names.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr="Literal"):
            value = getattr(namespace.names.get(name), "Literal", None)
        case _:
            pass
    if value is typing.Literal:
        return Constant(value)
    if typing.get_origin(value) is not typing.Literal or namespace.module is None:
        return None
    return Captured(value, ast.unparse(node), namespace.module)


def _is_own_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__name__"


def _is_enum(symbol: object) -> bool:
    return isinstance(symbol, Kind) and issubclass(symbol.cls, enum.Enum)


def _expressions(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Lambda):
        return [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    return [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]


def is_declared(cls: type) -> bool:
    """Whether making an instance runs nothing but what dataclass, pydantic or namedtuple generate."""
    if issubclass(cls, enum.Enum):
        return not any(
            "_missing_" in vars(base) for base in cls.__mro__ if base.__module__ != "enum"
        )
    if dataclasses.is_dataclass(cls):
        generated = vars(cls).get("__init__")
        code = getattr(generated, "__code__", None)
        made = (each.default_factory for each in dataclasses.fields(cls))
        return (
            "__post_init__" not in dir(cls)
            and getattr(code, "co_filename", "") == "<string>"
            and not _own_new(cls)
            and all(factory is dataclasses.MISSING or _is_plain(factory) for factory in made)
        )
    if issubclass(cls, BaseModel):
        found = cls.__pydantic_decorators__
        own = any(
            getattr(found, kind) for kind in ("validators", "field_validators", "model_validators")
        )
        return (
            not own
            and _makes_plain_fields(cls)
            and cls.__init__ is BaseModel.__init__
            and "model_post_init" not in _written(cls)
        )
    return issubclass(cls, tuple) and hasattr(cls, "_fields") and not _own_new(cls)


def _makes_plain_fields(cls: type[BaseModel]) -> bool:
    fields: list[Any] = [*cls.__pydantic_fields__.values(), *cls.__private_attributes__.values()]
    return all(
        (each.default_factory is None or _is_plain(each.default_factory))
        and not any(isinstance(part, _VALIDATORS) for part in getattr(each, "metadata", ()))
        for each in fields
    )


def _is_plain(factory: object) -> bool:
    """Whether what makes a field's value gives the same in every process."""
    return isinstance(factory, type) and (factory in _PLAIN or is_declared(factory))


def _written(cls: type[BaseModel]) -> set[str]:
    """Names that the bodies of a model and its bases define."""
    own = [base for base in cls.__mro__ if not base.__module__.startswith("pydantic.")]
    return {name for base in own for name, value in vars(base).items() if _is_written(value)}


def _is_written(value: object) -> bool:
    """Whether a function was written for a model, or wraps one that was, where there are private attributes too."""
    return isinstance(value, FunctionType) and (
        not value.__module__.startswith("pydantic.") or value.__name__.startswith("wrapped_")
    )


def _own_new(cls: type) -> bool:
    made = [vars(base)["__new__"] for base in cls.__mro__ if "__new__" in vars(base)]
    functions = [getattr(one, "__func__", one) for one in made]
    codes = [getattr(one, "__code__", None) for one in functions]
    return any(code is not None and not code.co_filename.startswith("<") for code in codes)


def is_field(value: Any, name: str) -> bool:
    """Whether reading ``value.name`` gives a field, and runs nothing."""
    if isinstance(value, enum.Enum):
        return name in {"name", "value"}
    if isinstance(value, BaseModel):
        return name in type(value).model_fields
    if dataclasses.is_dataclass(value):
        return name in getattr(value, "__dataclass_fields__", ())
    return name in getattr(type(value), "_fields", ()) and isinstance(value, tuple)


def evaluated(pure: ast.expr, namespace: Namespace) -> Any:
    """Value of an expression that was checked to be pure, name by name."""
    postponed = namespace.names.get("annotations") is __future__.annotations
    flags = __future__.annotations.compiler_flag if postponed else 0
    code = compile(ast.Expression(pure), "<captured>", "eval", flags, dont_inherit=True)
    return eval(code, thawed(namespace.names))  # noqa: S307 - nothing in it can have an effect


def same(one: Any, other: Any) -> bool:
    """Whether a value is still what its expression gives."""
    if type(one) is not type(other):
        return False
    if isinstance(one, enum.Enum):
        return one is other
    if isinstance(one, re.Pattern):  # whose repr leaves out what is long
        return bool(one == other)
    if repr(one) == repr(other) or bool(one == other):
        return True
    return _same_but_for_lambdas(one, other)


def _same_but_for_lambdas(one: Any, other: Any) -> bool:
    """Whether two values differ in nothing but lambdas, each of which is another object with the same code."""
    match one:
        case FunctionType():
            defaults = (one.__defaults__, one.__kwdefaults__)
            return (
                same_code(one.__code__, other.__code__)
                and one.__code__.co_firstlineno == other.__code__.co_firstlineno
                and one.__closure__ is other.__closure__ is None
                and same(defaults, (other.__defaults__, other.__kwdefaults__))
            )
        case list() | tuple():
            return len(one) == len(other) and all(map(same, one, other))
        case dict():
            return [*one] == [*other] and all(same(one[key], other[key]) for key in one)
        case _ if dataclasses.is_dataclass(one):
            return all(
                same(getattr(one, field.name, None), getattr(other, field.name, None))
                for field in dataclasses.fields(one)
            )
        case _:
            return False
