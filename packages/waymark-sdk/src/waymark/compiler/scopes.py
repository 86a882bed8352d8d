"""A function's tree goes in; its variables, by scope, with those that need a cell, come out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from waymark.compiler.trees import children, walk

Definition = ast.FunctionDef | ast.AsyncFunctionDef
Frame = Definition | ast.Lambda | ast.GeneratorExp
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
    nonlocals: set[str] = field(default_factory=set)
    """Of a frame: names that it says belong to a frame around it."""

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
        if name in self.nonlocals:
            return
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


def opens_scopes(node: ast.expr) -> bool:
    """Whether an expression has parts with names of their own."""
    kinds = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return any(isinstance(part, kinds) for part in walk(node))


def analyse(node: Frame) -> Scope:
    """Build the scope tree of a function that stands at module or class level."""
    root = Scope(node, None, is_frame=True)
    _parameters(root, node)
    body = [] if isinstance(node, ast.GeneratorExp) else _body(node)
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
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            _open(node, scope)
        case ast.GeneratorExp():
            _comprehension(node, scope, is_frame=True)
        case ast.ListComp() | ast.SetComp() | ast.DictComp():
            _comprehension(node, scope, is_frame=False)
        case ast.ClassDef():
            scope.bind(node.name)
        case ast.Nonlocal(names=names):
            scope.frame.nonlocals.update(names)
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
    if isinstance(node, ast.MatchMapping) and node.rest:
        scope.bind(node.rest)
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
    yield from children(node)


def _binding_scope(scope: Scope) -> Scope:
    """Return where a walrus binds: outside of every comprehension around it."""
    while scope.parent is not None and (
        not scope.is_frame or isinstance(scope.node, ast.GeneratorExp)
    ):
        scope = scope.parent
    return scope


def _open(node: Definition | ast.Lambda, scope: Scope) -> None:
    if not isinstance(node, ast.Lambda):
        scope.bind(node.name)
    inner = Scope(node, scope, is_frame=True)
    scope.children[id(node)] = inner
    _parameters(inner, node)
    for part in _body(node):
        _bind(part, inner)
    for part in outer_parts(node):
        _bind(part, scope)


def _body(node: Definition | ast.Lambda) -> Sequence[ast.AST]:
    return [node.body] if isinstance(node, ast.Lambda) else node.body


def outer_parts(node: Definition | ast.Lambda) -> Iterator[ast.expr]:
    """What of a definition is evaluated where it stands: decorators, then defaults."""
    if not isinstance(node, ast.Lambda):
        yield from node.decorator_list
    yield from node.args.defaults
    yield from filter(None, node.args.kw_defaults)


def function_kind(node: Definition) -> str:
    """``sync``, ``async``, ``generator`` or ``async_generator``: a ``yield`` of its own makes the difference."""
    asynchronous = isinstance(node, ast.AsyncFunctionDef)
    if any(map(_yields, node.body)):
        return "async_generator" if asynchronous else "generator"
    return "async" if asynchronous else "sync"


def _yields(node: ast.AST) -> bool:
    """Whether there is a ``yield`` under ``node`` that belongs to the function around it."""
    match node:
        case ast.Yield() | ast.YieldFrom():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            return any(map(_yields, outer_parts(node)))
        case ast.ClassDef():
            return False
        case _:
            return any(map(_yields, children(node)))


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
        case ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef():
            for outer in outer_parts(node):
                _refer(outer, scope)
            for part in _body(node):
                _refer(part, scope.child(node))
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            _refer_comprehension(node, scope)
        case ast.Name():
            scope.find(node.id)
        case ast.Nonlocal(names=names):
            for name in names:
                scope.find(name)
                _rebind_outside(name, scope.frame.parent)
        case ast.ClassDef():
            pass
        case _:
            for part in _parts(node):
                _refer(part, scope)


def _rebind_outside(name: str, scope: Scope | None) -> None:
    """Note that a nested function assigns to a name of a frame around it."""
    while scope is not None:
        if name in scope.variables:
            scope.rebound.add(name)
            return
        scope = scope.parent


def _refer_comprehension(node: Comprehension | ast.GeneratorExp, scope: Scope) -> None:
    inner = scope.child(node)
    first, *others = node.generators
    _refer(first.iter, scope)
    for part in (first.target, *first.ifs, *_elements(node)):
        _refer(part, inner)
    for generator in others:
        for part in (generator.target, generator.iter, *generator.ifs):
            _refer(part, inner)
