"""A module-level value goes in; whether it may be captured, judged by the one expression that bound it, comes out."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

from waymark.compiler.durable import is_immutable
from waymark.compiler.language import Names, is_stable
from waymark.compiler.purity import Purity, evaluated, same
from waymark.compiler.source import SourceChanged, SourceFile, SourceMissing, SourceReader
from waymark.compiler.symbols import Captured, Namespace
from waymark.compiler.trees import children, walk
from waymark_schema.ir.policies import Backoff, RetryPolicy


@dataclass(frozen=True, slots=True)
class Immutable:
    """Captured as a constant."""

    value: object


@dataclass(frozen=True, slots=True)
class Mutable:
    """Captured as a global: each instance has its own copy, shared by all its code."""

    value: object
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A retry policy, backoff or regular expression: made anew from its expression wherever it is used."""

    expression: ast.expr
    namespace: Namespace


@dataclass(frozen=True, slots=True)
class NotCaptured:
    """Not captured, and why."""

    why: str


Verdict = Immutable | Mutable | Policy | NotCaptured


class Captures:
    """Judges names of modules; each module's source is read once."""

    def __init__(self, reader: SourceReader, language: Names) -> None:
        self._reader = reader
        self._language = language
        self._verdicts: dict[tuple[str, str], Verdict] = {}

    def judge(self, captured: Captured) -> Verdict:
        """Whether, and as what, a module-level value can be captured."""
        key = (captured.module.__name__, captured.name)
        if key not in self._verdicts:
            self._verdicts[key] = NotCaptured("it is bound in terms of itself")
            self._verdicts[key] = self._judged(captured)
        return self._verdicts[key]

    def _judged(self, captured: Captured) -> Verdict:
        try:
            file = self._reader.module(captured.module)
        except (SourceMissing, SourceChanged):
            return NotCaptured(f"module {captured.module.__name__} has no source to read it from")
        bindings = list(_bindings(file.tree, captured.name))
        if len(bindings) != 1:
            times = "nowhere" if not bindings else f"{len(bindings)} times"
            return NotCaptured(f"it is bound {times} in {captured.module.__name__}, not once")
        return self._bound_by(bindings[0], captured, file)

    def _bound_by(self, binding: ast.AST, captured: Captured, file: SourceFile) -> Verdict:
        namespace = Namespace(vars(captured.module), captured.module, file)
        match binding:
            case ast.ImportFrom():
                return self._imported(binding, captured)
            case (
                ast.Assign(value=value, targets=[ast.Name()])
                | ast.AnnAssign(value=ast.expr() as value, target=ast.Name())
            ) if binding in file.tree.body:
                pure = self.why_impure(value, namespace)
                if pure is not None:
                    return NotCaptured(pure)
                return self._of_value(captured, value, namespace)
        return NotCaptured("it is not bound by a plain assignment at the top of its module")

    def _imported(self, binding: ast.ImportFrom, captured: Captured) -> Verdict:
        names = [item.name for item in binding.names if (item.asname or item.name) == captured.name]
        package = getattr(captured.module, "__package__", "") or ""
        parts = package.split(".")[: len(package.split(".")) - max(0, binding.level - 1)]
        prefix = ".".join(parts) if binding.level else ""
        name = ".".join(filter(None, (prefix, binding.module)))
        module = sys.modules.get(name)
        if module is None or not names:
            return NotCaptured(f"the module {name!r} that it comes from is not loaded")
        if is_stable(module) and is_immutable(captured.value):
            return Immutable(captured.value)
        return self.judge(Captured(captured.value, names[0], module))

    def _of_value(self, captured: Captured, value: ast.expr, namespace: Namespace) -> Verdict:
        if isinstance(captured.value, RetryPolicy | Backoff | re.Pattern):
            return Policy(value, namespace)
        fresh = evaluated(value, namespace)
        if not same(fresh, captured.value):
            return NotCaptured("it has changed since its module bound it")
        if is_immutable(fresh):
            return Immutable(fresh)
        return Mutable(fresh, f"{captured.module.__name__}:{captured.name}")

    def why_impure(
        self, node: ast.expr, namespace: Namespace, known: frozenset[str] = frozenset()
    ) -> str | None:
        """Why the value of an expression may differ between processes, or None; ``known`` names are pure."""
        return Purity(self._language, self._why_not).why_not(node, namespace, known)

    def _why_not(self, captured: Captured) -> str | None:
        verdict = self.judge(captured)
        return verdict.why if isinstance(verdict, NotCaptured) else None

    def in_class_body(self, cls: type, name: str, module: ModuleType) -> bool:
        """Whether the body of a class says what ``name`` is, as far as its source is known."""
        try:
            return bool(self._class_bound(cls, name, module)[0])
        except (SourceMissing, SourceChanged):
            return True

    def _class_bound(
        self, cls: type, name: str, module: ModuleType
    ) -> tuple[list[ast.expr | None], SourceFile]:
        file = self._reader.module(module)
        nodes = file.classes.get(cls.__name__, ())
        return [value for node in nodes for value in _class_bindings(node, name)], file

    def class_attribute(self, cls: type, name: str, module: ModuleType) -> str | None:
        """Why a class attribute cannot be captured, or None if it is bound once to a pure expression."""
        try:
            bound, file = self._class_bound(cls, name, module)
        except (SourceMissing, SourceChanged):
            return f"module {module.__name__} has no source to read it from"
        if len(bound) != 1:
            return f"it is bound {len(bound)} times in class {cls.__name__}, not once"
        if bound[0] is None:
            return "it is not bound by a plain assignment in the body of the class"
        namespace = Namespace(vars(module), module, file)
        why = self.why_impure(bound[0], namespace)
        if why is None and not same(evaluated(bound[0], namespace), vars(cls).get(name)):
            return "it has changed since the class was made"
        return why


def _class_bindings(node: ast.ClassDef, name: str) -> Iterator[ast.expr | None]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=found), value=value) if found == name:
                if value is not None:
                    yield value
            case _:
                yield from (None for _ in _bindings_in(statement, name))


def _bindings(tree: ast.Module, name: str) -> Iterator[ast.AST]:
    """Everything at module level, or in a function that says ``global``, that binds ``name``."""
    for statement in tree.body:
        yield from _bindings_in(statement, name)
    for node, names in _functions_with_global(tree):
        if name in names:
            for statement in node.body:
                yield from _bindings_in(statement, name)


@lru_cache(maxsize=64)
def _functions_with_global(
    tree: ast.Module,
) -> tuple[tuple[ast.FunctionDef | ast.AsyncFunctionDef, frozenset[str]], ...]:
    """Functions that say ``global``, and what; one look at a module serves all of its names."""
    parts = walk(tree)
    if not any(isinstance(part, ast.Global) for part in parts):
        return ()
    found = []
    for node in parts:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = [part.names for part in walk(node) if isinstance(part, ast.Global)]
            found.append((node, frozenset(name for names in said for name in names)))
    return tuple(found)


def _bindings_in(node: ast.AST, name: str) -> Iterator[ast.AST]:
    """Nodes under ``node``, but not in a nested scope, that bind ``name``."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            if node.name == name:
                yield node
            return
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.Import() | ast.ImportFrom() | ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            if _binds(node, name):
                yield node
            return
        case ast.Name(id=found, ctx=ast.Store() | ast.Del()) if found == name:
            yield node
        case ast.ExceptHandler(name=found) if found == name:
            yield node
    for part in children(node):
        yield from _bindings_in(part, name)


def _binds(
    node: ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.AugAssign, name: str
) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any((item.asname or item.name.split(".")[0]) == name for item in node.names)
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return False
    return any(_names(target, name) for target in _targets(node))


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _names(target: ast.expr, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        for part in ast.walk(target)
    )
