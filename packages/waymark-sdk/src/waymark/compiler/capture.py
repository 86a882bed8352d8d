"""A module-level value goes in; whether it may be captured, judged by the one expression that bound it, comes out."""

from __future__ import annotations

import ast
import copy
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType

from waymark.compiler.bindings import bindings, bindings_in, names_it
from waymark.compiler.class_bodies import ClassBodies, names_around
from waymark.compiler.durable import (
    holds_itself,
    holds_names,
    is_applied,
    is_immutable,
    is_tuple_of_names,
    within,
)
from waymark.compiler.language import Names, is_stable
from waymark.compiler.operands import Operands
from waymark.compiler.orders import Orders
from waymark.compiler.purity import Purity, evaluated, same
from waymark.compiler.recipes import Recipe, is_object
from waymark.compiler.scopes import opens_scopes
from waymark.compiler.source import SourceChanged, SourceMissing, SourceReader
from waymark.compiler.spelling import SYNTHETIC, spelled
from waymark.compiler.symbols import Captured, Namespace, has_name, resolve_expression
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
    recipe: Recipe | None = None
    """How the module made it; None if something else stands in its place."""


@dataclass(frozen=True, slots=True)
class Remade:
    """A policy, regular expression, or tuple of classes and functions: made from its expression wherever it is used."""

    expression: ast.expr
    namespace: Namespace


@dataclass(frozen=True, slots=True)
class NotCaptured:
    """Not captured, and why."""

    why: str


_BY_IMPORTS = "what it is bound to depends on what is installed where its module is imported"
_NOT_PLAIN = "it is not bound by a plain assignment at the top of its module"
Verdict = Immutable | Mutable | Remade | NotCaptured


@dataclass(frozen=True, slots=True)
class Earlier:
    """What names of modules were bound to at first."""

    names: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """By module, those of a workflow's module when its class was made."""
    verdicts: dict[tuple[str, str], tuple[object, Verdict]] = field(default_factory=dict)
    """Values that have been captured, and how, by module and name."""

    def had_another(self, captured: Captured) -> bool:
        """Whether a name is known to have been bound to another object."""
        known = self.verdicts.get(_key(captured))
        names = self.names.get(captured.module.__name__, {})
        return known is not None or names.get(captured.name, captured.value) is not captured.value


class Captures(ClassBodies):
    """Judges names of modules; each module's source is read once."""

    def __init__(
        self, reader: SourceReader, language: Names, earlier: Earlier | None = None
    ) -> None:
        """``earlier`` is there in tests: then names that were bound to something else mean that."""
        super().__init__(reader)
        self._language = language
        self._earlier = earlier
        self._verdicts: dict[tuple[str, str, int], Verdict] = {}
        self._class_recipes: dict[str, Recipe] = {}

    @property
    def follows(self) -> bool:
        """Whether names may mean something else than their module says."""
        return self._earlier is not None

    def judge(self, captured: Captured) -> Verdict:
        """Whether, and as what, a module-level value can be captured."""
        key = (captured.module.__name__, captured.name, id(captured.value))
        if key not in self._verdicts:
            self._verdicts[key] = NotCaptured("it is bound in terms of itself")
            self._verdicts[key] = self._known(captured) or self._judged(captured)
        return self._verdicts[key]

    def _known(self, captured: Captured) -> Verdict | None:
        """What was found out before anything else was bound to names, or changed in place."""
        found = None if self._earlier is None else self._earlier.verdicts.get(_key(captured))
        return found[1] if found is not None and found[0] is captured.value else None

    def _judged(self, captured: Captured) -> Verdict:
        verdict = self._by_source(captured)
        if self._earlier is not None and not isinstance(verdict, NotCaptured):
            self._earlier.verdicts.setdefault(_key(captured), (captured.value, verdict))
        return verdict

    def _by_source(self, captured: Captured) -> Verdict:
        if captured.module is logging:
            return NotCaptured("every process sets logging up for itself")
        try:
            file = self._reader.module(captured.module)
        except (SourceMissing, SourceChanged):
            return NotCaptured(f"module {captured.module.__name__} has no source to read it from")
        namespace = Namespace(vars(captured.module), captured.module, file)
        reached = list(self._reached(file.tree.body, captured.name, namespace, values=True))
        found = list(bindings(file.tree, reached, captured.name))
        if any(_is_of_imports(part) and any(bindings_in(part, captured.name)) for part in reached):
            return NotCaptured(_BY_IMPORTS)
        if len(found) != 1:
            times = "nowhere" if not found else f"{len(found)} times"
            return NotCaptured(f"it is bound {times} in {captured.module.__name__}, not once")
        plain = found[0] in reached
        return self._bound_by(found[0], captured, namespace, plain=plain)

    def _reached(
        self, body: list[ast.stmt], name: str, namespace: Namespace, *, values: bool = False
    ) -> Iterator[ast.stmt]:
        """Statements at the top, and in place of what has branches that bind ``name`` those of the one that ran.

        ``values`` may not be those of one process: then what is installed does not choose a branch.
        """
        for statement in body:
            ran = None
            if isinstance(statement, ast.If | ast.Try) and any(bindings_in(statement, name)):
                ran = self._branch(statement, namespace, values=values)
            if ran is None:
                yield statement
            else:
                yield from self._reached(ran, name, namespace, values=values)

    def _branch(
        self, node: ast.If | ast.Try, namespace: Namespace, *, values: bool
    ) -> list[ast.stmt] | None:
        """What ran of ``node``, where that is the same in every process, or said by what can be imported."""
        match node:
            case ast.If(body=body, orelse=orelse):
                test = _UNCHECKED.visit(copy.deepcopy(node.test))
                if self.why_impure(test, namespace) is not None:
                    return None
                return body if evaluated(test, namespace) else orelse
            case ast.Try(body=body, handlers=[handler], orelse=orelse) if _is_of_imports(node):
                if isinstance(handler.body[-1], ast.Raise):
                    return [*body, *orelse]
                if values:
                    return None
                there = all(_is_there(part, namespace) for part in body)
                return [*body, *orelse] if there else handler.body
            case _:
                return None

    def _bound_by(
        self, binding: ast.AST, captured: Captured, namespace: Namespace, *, plain: bool
    ) -> Verdict:
        match binding:
            case ast.ImportFrom():
                return self._imported(binding, captured)
            case ast.Assign(targets=targets, value=value) if plain:
                return self._assigned(targets, value, captured, namespace)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if plain:
                return self._assigned([target], value, captured, namespace)
        return NotCaptured(_NOT_PLAIN)

    def _assigned(
        self, targets: list[ast.expr], whole: ast.expr, captured: Captured, namespace: Namespace
    ) -> Verdict:
        target = next(target for target in targets if names_it(target, captured.name))
        value = _bound_to(target, whole, captured.name)
        if value is None:
            return NotCaptured(_NOT_PLAIN)
        pure = self.why_impure(value, namespace, named=_is_told_by_names(captured.value))
        if pure is not None:
            return NotCaptured(pure)
        if isinstance(value, ast.Name | ast.Attribute) and not is_immutable(captured.value):
            found = resolve_expression(value, namespace, self._language)
            if isinstance(found, Captured) and found.value is captured.value:
                return self.judge(found)
        verdict = self._of_value(captured, value, namespace)
        if len(targets) == 1 or not isinstance(verdict, Mutable):
            return verdict
        # ``A = B = []`` are two names of one object, which goes by the first of them.
        first = next((each.id for each in targets if isinstance(each, ast.Name)), None)
        if value is not whole or first is None:
            return NotCaptured("it is a part of what has another name")
        return self._own(captured.module, first, verdict.value, value, namespace)

    def _imported(self, binding: ast.ImportFrom, captured: Captured) -> Verdict:
        names = [item.name for item in binding.names if (item.asname or item.name) == captured.name]
        name = _imported_module(binding, captured.module)
        module = sys.modules.get(name)
        if module is None or not names:
            return NotCaptured(f"the module {name!r} that it comes from is not loaded")
        if is_stable(module, names[0]) and is_immutable(captured.value):
            return Immutable(captured.value)
        return self.judge(Captured(captured.value, names[0], module))

    def _of_value(self, captured: Captured, value: ast.expr, namespace: Namespace) -> Verdict:
        fresh = evaluated(value, namespace)
        if not same(fresh, captured.value):
            return self._changed(captured, fresh)
        if is_immutable(fresh):
            return Immutable(fresh)
        # Lambdas and comprehensions have scopes of their own, which only a function can give them.
        if isinstance(fresh, RetryPolicy | Backoff | re.Pattern):
            written = spelled(fresh) if opens_scopes(value) else None
            if written is None:
                return Remade(value, namespace)
            return Remade(written[0], Namespace(written[1], None, SYNTHETIC))
        if is_tuple_of_names(fresh) and not opens_scopes(value):
            return Remade(value, namespace)
        return self._own(captured.module, captured.name, fresh, value, namespace)

    def _own(
        self, module: ModuleType, name: str, fresh: object, value: ast.expr, namespace: Namespace
    ) -> Mutable:
        key = f"{module.__name__}:{name}"
        return Mutable(fresh, key, Recipe(key, value, namespace))

    def _changed(self, captured: Captured, fresh: object) -> Verdict:
        """What a test has put in the place of a value; an object that has only changed is not that."""
        if self._earlier is None or not (
            _cannot_change(fresh)
            or type(fresh) is not type(captured.value)
            or self._earlier.had_another(captured)
        ):
            return NotCaptured(
                "it holds itself"
                if holds_itself(captured.value)
                else "it has changed since its module bound it"
            )
        if is_immutable(captured.value):
            return Immutable(captured.value)
        written = spelled(captured.value)
        if written is not None:
            expression, names = written
            return Remade(expression, Namespace(names, None, SYNTHETIC))
        return Mutable(captured.value, f"{captured.module.__name__}:rebound:{captured.name}")

    def stands_in(self, value: FunctionType, name: str, module: ModuleType) -> bool:
        """Whether a test has put a function under a name that its module binds to another one."""
        if not self.follows or hasattr(value, "__waymark_action__"):
            return False
        try:
            file = self._reader.module(module)
        except (SourceMissing, SourceChanged):
            return False
        reached = list(self._reached(file.tree.body, name, Namespace(vars(module), module, file)))
        match list(bindings(file.tree, reached, name)):
            case [ast.FunctionDef() | ast.AsyncFunctionDef() as node]:
                return _has_no_wrapper(node) and not _is_made_by(value, name, module)
            case [ast.ImportFrom() as node]:
                source = sys.modules.get(_imported_module(node, module))
                names = [item.name for item in node.names if (item.asname or item.name) == name]
                return (
                    source is not None
                    and names != []
                    and vars(source).get(names[0], value) is not value
                )
            case _:
                return False

    def stands_in_class(self, value: FunctionType, cls: type) -> bool:
        """Whether a test has put a function into a class whose body has another one under that name."""
        if not self.follows or value.__code__.co_qualname.startswith(f"{cls.__qualname__}."):
            return False
        try:
            file = self._reader.module(sys.modules[cls.__module__])
        except (SourceMissing, SourceChanged, KeyError):
            return False
        names = [n for n, found in vars(cls).items() if getattr(found, "__func__", found) is value]
        written = {
            each.name
            for node in file.classes.get(cls.__name__, ())
            for each in node.body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        return not written.isdisjoint(names)

    def why_impure(
        self,
        node: ast.expr,
        namespace: Namespace,
        known: frozenset[str] = frozenset(),
        *,
        named: bool = False,
    ) -> str | None:
        """Why the value of an expression may differ between processes, or None; ``known`` names are pure."""
        purity = Purity(self._language, self._why_not, named, whole=node)
        impure = purity.why_not(node, namespace, known)
        return (
            impure
            or Orders(self._language, namespace).why_not(node)
            or Operands(self._language, namespace).why_not(node)
        )

    def _why_not(self, captured: Captured) -> str | None:
        verdict = self.judge(captured)
        return verdict.why if isinstance(verdict, NotCaptured) else None

    def class_attribute(self, cls: type, name: str, module: ModuleType) -> str | None:
        """Why a class attribute cannot be captured, or None if it is bound once to a pure expression."""
        try:
            bound, file = self.bound_in_class(cls, name, module)
        except (SourceMissing, SourceChanged):
            return f"module {module.__name__} has no source to read it from"
        if not bound and self.follows and _is_inherited(cls, name):
            return None
        if len(bound) != 1 or bound[0] is None:
            times = f"it is bound {len(bound)} times in class {cls.__name__}, not once"
            plain = "it is not bound by a plain assignment in the body of the class"
            return times if len(bound) != 1 else plain
        namespace = Namespace(names_around(cls, module), module, file)
        named = _is_told_by_names(vars(cls).get(name))
        written = self.spelled_out(cls, bound[0], module)
        why = self.why_impure(written, namespace, named=named)
        if why is not None:
            return why
        fresh = evaluated(written, namespace)
        if not same(fresh, vars(cls).get(name)) and not (self.follows and _cannot_change(fresh)):
            return "it has changed since the class was made"
        return self._shared_in_class(cls, name, bound[0], module)

    def _shared_in_class(
        self, cls: type, name: str, value: ast.expr, module: ModuleType
    ) -> str | None:
        """Why an attribute would be a copy of another one, or of a part of it."""
        held = {id(one) for one in within(vars(cls).get(name)) if is_object(one)}
        names = (part.id for part in ast.walk(value) if isinstance(part, ast.Name))
        for other in names:
            parts = map(id, within(vars(cls).get(other)))
            if not held.isdisjoint(parts) and self.bound_in_class(cls, other, module)[0]:
                return f"it shares an object with `{other}`, which only values of the module can"
        return None

    def class_recipe(self, cls: type, name: str, module: ModuleType) -> Recipe | None:
        """How a class makes an attribute that ``class_attribute`` has nothing against; None if it has another value now."""
        bound, file = self.bound_in_class(cls, name, module)
        namespace = Namespace(names_around(cls, module), module, file)
        key = f"{module.__name__}:{cls.__qualname__}.{name}"
        kept = self._class_recipes.get(key)
        match bound:
            case [ast.expr() as value] if kept is None:
                written = self.spelled_out(cls, value, module)
                if same(evaluated(written, namespace), vars(cls).get(name)):
                    kept = self._class_recipes[key] = Recipe(key, written, namespace, name)
        return kept


def _is_told_by_names(value: object) -> bool:
    """Whether classes and functions in the expression of a value are not looked into, but stand in the value."""
    return is_applied(value) or is_tuple_of_names(value) or holds_names(value)


def _key(captured: Captured) -> tuple[str, str]:
    return captured.module.__name__, captured.name


def _cannot_change(value: object) -> bool:
    """Whether a name that holds another value must have been bound again."""
    return isinstance(value, RetryPolicy | Backoff | re.Pattern | tuple) or is_immutable(value)


def _has_no_wrapper(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a ``def`` binds its own function, or the action that is made of it."""
    names = {ast.unparse(each).partition("(")[0] for each in node.decorator_list}
    return names <= {"action", "waymark.action"}


def _is_made_by(value: FunctionType, name: str, module: ModuleType) -> bool:
    return value.__module__ == module.__name__ and value.__code__.co_qualname == name


def _is_inherited(cls: type, name: str) -> bool:
    """Whether a class that says nothing of ``name`` has got a value in front of that of a base."""
    return is_immutable(vars(cls).get(name)) and any(
        name in vars(base) and base.__module__ != "waymark.workflow" for base in cls.__mro__[1:]
    )


def _bound_to(target: ast.expr, value: ast.expr, name: str) -> ast.expr | None:
    """What ``name`` is bound to where that can be seen: in ``A, B = 1, 2`` as in ``A = 1``."""
    match target, value:
        case ast.Name(id=found), _ if found == name:
            return value
        case ((ast.Tuple() | ast.List()), (ast.Tuple() | ast.List())):
            parts = [*target.elts, *value.elts]
            if len(target.elts) != len(value.elts) or any(
                isinstance(part, ast.Starred) for part in parts
            ):
                return None
            bound = (_bound_to(*pair, name) for pair in zip(target.elts, value.elts, strict=True))
            return next((part for part in bound if part is not None), None)
        case _:
            return None


class _Unchecked(ast.NodeTransformer):
    """Puts False in the place of ``TYPE_CHECKING``, however it was imported."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _false(node) if node.id == "TYPE_CHECKING" else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _false(node) if node.attr == "TYPE_CHECKING" else node


_UNCHECKED = _Unchecked()


def _false(node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Constant(value=False), node)


def _is_of_imports(node: ast.stmt) -> bool:
    """Whether what can be imported decides what runs of a statement."""
    match node:
        case ast.Try(handlers=[ast.ExceptHandler(type=ast.Name(id=name))], finalbody=[]):
            return name in {"ImportError", "ModuleNotFoundError"}
        case _:
            return False


def _is_there(node: ast.stmt, namespace: Namespace) -> bool:
    """Whether what a statement imports was found; one that imports nothing does not fail by that."""
    match node:
        case ast.Import(names=names):
            return all(sys.modules.get(item.name) is not None for item in names)
        case ast.ImportFrom(names=names):
            module = sys.modules.get(_imported_module(node, namespace.module))
            return module is not None and all(
                item.name == "*" or has_name(module, item.name) for item in names
            )
        case _:
            return True


def _imported_module(node: ast.ImportFrom, importing: ModuleType | None) -> str:
    """Name of the module that an import takes from."""
    package = getattr(importing, "__package__", "") or ""
    parts = package.split(".")[: len(package.split(".")) - max(0, node.level - 1)]
    prefix = ".".join(parts) if node.level else ""
    return ".".join(filter(None, (prefix, node.module)))
