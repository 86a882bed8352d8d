"""A pure expression goes in; the special method that it runs and that may see more than its operands, or None, comes out."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import dis
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from waymark.compiler import members
from waymark.compiler.durable import classes_in
from waymark.compiler.language import Names
from waymark.compiler.purity import PURE_CALLS, is_declared
from waymark.compiler.symbols import Captured, Kind, Namespace, resolve_expression

_RUNNING = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Subscript,
    ast.FormattedValue,
    ast.Starred,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
"""Parts that run special methods of what stands in them; so do calls, but for those of classes."""
_BUILTINS = PURE_CALLS | {"isinstance", "issubclass", "type", "super", "hash", "NotImplemented"}
_OF_PROCESS = frozenset({"now", "today", "utcnow", "cwd", "home", "absolute", "resolve"})
"""Attributes by which a value of a pure class tells something of the process."""


@dataclasses.dataclass(frozen=True, slots=True)
class Operands:
    """Judges expressions that are pure but for this."""

    language: Names
    namespace: Namespace

    def why_not(self, node: ast.expr) -> str | None:
        """Why the value of ``node`` may differ between processes, or None."""
        if not any(map(self._runs, ast.walk(node))):
            return None
        classes = {cls for part in ast.walk(node) for cls in self._classes(part)}
        for cls in sorted(classes, key=lambda each: each.__qualname__):
            name = next(self._seeing(cls, classes), None)
            if name is not None:
                return f"`{cls.__qualname__}.{name}` may run in it, and give another value in every process"
        return None

    def _runs(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Call):
            return not isinstance(self._symbol(node.func), Kind)
        return isinstance(node, _RUNNING)

    def _symbol(self, node: ast.expr) -> Any:
        return resolve_expression(node, self.namespace, self.language)

    def _classes(self, node: ast.AST) -> Iterator[type]:
        """Classes whose objects the part may be."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return
        match self._symbol(node):
            case Kind(cls=cls):
                yield cls
            case Captured(value=value):
                yield from classes_in(value)
            case _:
                pass

    def _seeing(self, cls: type, classes: set[type]) -> Iterator[str]:
        """Special methods of ``cls`` that see more than what they are given."""
        for base in cls.__mro__:
            if not members.is_library(base.__module__):
                for name in members.special_methods(base):
                    if self._sees(vars(base)[name], classes | {cls}, set()):
                        yield name

    def _sees(self, member: Any, classes: set[type], met: set[CodeType]) -> bool:
        """Whether a method, or one that it calls, names more than pure functions and classes of values."""
        function = getattr(member, "fget", getattr(member, "__func__", member))
        if not isinstance(function, FunctionType) or function.__code__ in met:
            return not isinstance(function, FunctionType)
        met.add(function.__code__)
        if {*function.__code__.co_freevars} - {"__class__"}:
            return True
        for name in _names(function.__code__):
            if name is None or name in _OF_PROCESS:
                return True
            if not self._is_pure(function, name):
                return True
            called = (vars(base).get(name) for cls in classes for base in cls.__mro__)
            if any(self._sees(each, classes, met) for each in called if _is_code(each)):
                return True
        return False

    def _is_pure(self, function: FunctionType, name: str) -> bool:
        """Whether a name is an attribute's, a pure function's or a class of values'."""
        if name not in function.__globals__:
            found = vars(builtins).get(name)
            return found is None or name in _BUILTINS or _is_exception(found)
        found = function.__globals__[name]
        known = isinstance(found, type) and (self.language.of(found) in PURE_CALLS)
        return known or _is_exception(found) or (isinstance(found, type) and is_declared(found))


def _is_exception(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, BaseException)


def _is_code(member: object) -> bool:
    return isinstance(member, FunctionType | property | classmethod | staticmethod)


def _names(code: CodeType) -> Iterator[str | None]:
    """Names of globals and attributes in a piece of code and those within it; None for an import."""
    yield from code.co_names
    if any(each.opname in {"IMPORT_NAME", "IMPORT_FROM"} for each in dis.get_instructions(code)):
        yield None
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)
