"""A function's tree goes in; its variables, by scope, with those that need a cell, come out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

Frame = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.GeneratorExp
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp

ITERATOR = ".0"
"""Name of a generator expression's only parameter: the iterator over its first iterable."""


@dataclass(eq=False, slots=True)
class Variable:
    """One local name of one scope; ``cell`` if a nested frame reads or writes it too."""

    name: str
    cell: bool = False
    slot: int = -1


@dataclass(eq=False, slots=True)
class Scope:
    """Names bound by a frame (function, lambda, generator expression) or by a comprehension inside one."""

    node: ast.AST
    parent: Scope | None
    is_frame: bool
    variables: dict[str, Variable] = field(default_factory=dict)
    free: dict[str, Variable] = field(default_factory=dict)
    """Of a frame: name → variable of an enclosing frame."""
    captured_slots: dict[str, int] = field(default_factory=dict)
    children: dict[int, Scope] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    rebound: set[str] = field(default_factory=set)
    """Names that something other than the parameter list binds."""

    def child(self, node: ast.AST) -> Scope:
        """Return the scope that ``node`` opens directly inside this one."""
        return self.children[id(node)]

    @property
    def frame(self) -> Scope:
        scope = self
        while not scope.is_frame and scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str) -> None:
        self.rebound.add(name)
        self.variables.setdefault(name, Variable(name))

    def find(self, name: str) -> Variable | None:
        """Return the variable that ``name`` means here, or None if it is global; marks what crosses a frame."""
        scope: Scope | None = self
        crossed: list[Scope] = []
        while scope is not None:
            variable = scope.variables.get(name)
            if variable is not None:
                for frame in crossed:
                    variable.cell = True
                    frame.free[name] = variable
                return variable
            if scope.is_frame:
                crossed.append(scope)
            scope = scope.parent
        return None


def analyse(node: Frame) -> Scope:
    """Build the scope tree of a function that stands at module or class level."""
    root = Scope(node, None, is_frame=True)
    _parameters(root, node)
    body = [node.body] if isinstance(node, ast.Lambda) else getattr(node, "body", [])
    for statement in body:
        _bind(statement, root)
    for statement in body:
        _refer(statement, root)
    return root


def parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    """All parameters in signature order."""
    yield from arguments.posonlyargs
    yield from arguments.args
    if arguments.vararg:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg:
        yield arguments.kwarg


def _parameters(scope: Scope, node: Frame) -> None:
    if isinstance(node, ast.GeneratorExp):
        scope.variables[ITERATOR] = Variable(ITERATOR)
        return
    for argument in parameters(node.args):
        scope.variables[argument.arg] = Variable(argument.arg)


def _bind(node: ast.AST, scope: Scope) -> None:
    """Bind every name that code under ``node`` assigns in ``scope``; open the scopes inside."""
    match node:
        case ast.Lambda():
            _open(node, scope, is_frame=True)
            for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                _bind(default, scope)
        case ast.GeneratorExp():
            _comprehension(node, scope, is_frame=True)
        case ast.ListComp() | ast.SetComp() | ast.DictComp():
            _comprehension(node, scope, is_frame=False)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            scope.bind(node.name)
        case ast.alias():
            scope.bind(node.asname or node.name.partition(".")[0])
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            _binding_scope(scope).bind(name)
            _bind(value, scope)
        case _:
            _bind_plain(node, scope)


def _bind_plain(node: ast.AST, scope: Scope) -> None:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store | ast.Del):
            scope.bind(node.id)
            if isinstance(node.ctx, ast.Del):
                scope.deleted.add(node.id)
        return
    if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
        scope.bind(node.name)
    if isinstance(node, ast.ExceptHandler) and node.name:
        scope.bind(node.name)
        scope.deleted.add(node.name)
    for part in _parts(node):
        _bind(part, scope)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Children in source order; annotations are never evaluated inside a function."""
    if isinstance(node, ast.AnnAssign):
        yield node.target
        if node.value is not None:
            yield node.value
        return
    yield from ast.iter_child_nodes(node)


def _binding_scope(scope: Scope) -> Scope:
    """Return where a walrus binds: outside of every comprehension around it."""
    while scope.parent is not None and (
        not scope.is_frame or isinstance(scope.node, ast.GeneratorExp)
    ):
        scope = scope.parent
    return scope


def _open(node: ast.Lambda, scope: Scope, *, is_frame: bool) -> None:
    inner = Scope(node, scope, is_frame=is_frame)
    scope.children[id(node)] = inner
    _parameters(inner, node)
    _bind(node.body, inner)


def _comprehension(node: Comprehension | ast.GeneratorExp, scope: Scope, *, is_frame: bool) -> None:
    inner = Scope(node, scope, is_frame=is_frame)
    scope.children[id(node)] = inner
    if isinstance(node, ast.GeneratorExp):
        _parameters(inner, node)
    first, *others = node.generators
    _bind(first.iter, scope)
    for target in (first.target, *first.ifs):
        _bind(target, inner)
    for generator in others:
        for part in (generator.target, generator.iter, *generator.ifs):
            _bind(part, inner)
    for part in _elements(node):
        _bind(part, inner)


def _elements(node: Comprehension | ast.GeneratorExp) -> tuple[ast.expr, ...]:
    return (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)


def _refer(node: ast.AST, scope: Scope) -> None:
    """Look every name up once, so that variables know whether they need a cell."""
    match node:
        case ast.Lambda():
            for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
                _refer(default, scope)
            _refer(node.body, scope.child(node))
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            _refer_comprehension(node, scope)
        case ast.Name():
            scope.find(node.id)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            pass
        case _:
            for part in _parts(node):
                _refer(part, scope)


def _refer_comprehension(node: Comprehension | ast.GeneratorExp, scope: Scope) -> None:
    inner = scope.child(node)
    first, *others = node.generators
    _refer(first.iter, scope)
    for part in (first.target, *first.ifs, *_elements(node)):
        _refer(part, inner)
    for generator in others:
        for part in (generator.target, generator.iter, *generator.ifs):
            _refer(part, inner)
