"""A module's statements and a name go in; every node that binds the name comes out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from waymark.compiler.trees import children, walk


def bindings(tree: ast.Module, reached: list[ast.stmt], name: str) -> Iterator[ast.AST]:
    """Everything ``reached`` at module level, or in a function that says ``global``, that binds ``name``."""
    for statement in reached:
        yield from bindings_in(statement, name)
    for node, names in _functions_with_global(tree):
        if name in names:
            for statement in node.body:
                yield from bindings_in(statement, name)


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


def bindings_in(node: ast.AST, name: str) -> Iterator[ast.AST]:
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
        yield from bindings_in(part, name)


def _binds(
    node: ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.AugAssign, name: str
) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any((item.asname or item.name.split(".")[0]) == name for item in node.names)
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return False
    return any(names_it(target, name) for target in _targets(node))


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def names_it(target: ast.expr, name: str) -> bool:
    """Whether ``name`` is, or is in, a target of an assignment."""
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        for part in ast.walk(target)
    )
