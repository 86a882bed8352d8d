"""A function's node goes in; the same with ``attrgetter("name")`` and ``methodcaller("name")`` written as lambdas comes out."""

from __future__ import annotations

import ast
import copy
import operator

from waymark.compiler.language import Names
from waymark.compiler.source import FunctionNode
from waymark.compiler.symbols import Namespace, Refused, resolve_expression
from waymark.compiler.trees import walk

_VALUE = "value"


def with_lambdas(node: FunctionNode, namespace: Namespace, language: Names) -> FunctionNode:
    """``node`` itself if there is nothing to write out; names that are computed are left for the diagnostics."""
    if not any(map(_names_something, walk(node))):
        return node
    bound = _bound(node)
    if not any(_getter(part, bound, namespace, language) for part in walk(node)):
        return node
    written: FunctionNode = _Writer(bound, namespace, language).visit(copy.deepcopy(node))
    return written


class _Writer(ast.NodeTransformer):
    def __init__(self, bound: frozenset[str], namespace: Namespace, language: Names) -> None:
        self._known = bound, namespace, language

    def visit_Call(self, node: ast.Call) -> ast.AST:
        getter = _getter(node, *self._known)
        self.generic_visit(node)
        if getter is None:
            return node
        made = _of_attributes(node) if getter is operator.attrgetter else _of_method(node)
        return ast.fix_missing_locations(ast.copy_location(made, node))


def _bound(node: FunctionNode) -> frozenset[str]:
    """Names that are bound somewhere in a function, and so may be others than those of its module."""
    found: set[str] = set()
    for part in walk(node):
        match part:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if part is not node:
                found.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                found.add(name)
            case _:
                pass
    return frozenset(found)


def _names_something(node: ast.AST) -> bool:
    """Whether ``node`` may be a call of either: most functions have none, and are not looked at more closely."""
    return isinstance(node, ast.Call) and bool(node.args) and bool(_path(node.args[0]))


def _getter(
    node: ast.AST, bound: frozenset[str], namespace: Namespace, language: Names
) -> object | None:
    """``attrgetter`` or ``methodcaller`` where ``node`` calls it with names that are known here."""
    match node:
        case ast.Call(func=ast.Name() | ast.Attribute() as func, args=[first, *others]) if (
            _names_something(node)
        ):
            pass
        case _:
            return None
    if bound & {part.id for part in walk(func) if isinstance(part, ast.Name)}:
        return None
    found = resolve_expression(func, namespace, language)
    value = found.value if isinstance(found, Refused) else None
    if value is operator.attrgetter and not node.keywords:
        return value if all(map(_path, (first, *others))) else None
    if value is operator.methodcaller and len(_path(first)) == 1:
        spread = any(isinstance(each, ast.Starred) for each in others)
        named = all(each.arg is not None for each in node.keywords)
        return value if named and not spread else None
    return None


def _path(node: ast.expr) -> list[str]:
    """The names in a constant ``"a.b"``; none if that is something else, or would be another name in a class."""
    match node:
        case ast.Constant(value=str(text)):
            names = text.split(".")
            plain = all(name.isidentifier() and not name.startswith("__") for name in names)
            return names if plain else []
        case _:
            return []


def _of_attributes(node: ast.Call) -> ast.Lambda:
    read: list[ast.expr] = []
    for each in node.args:
        value: ast.expr = ast.Name(_VALUE, ast.Load())
        for name in _path(each):
            value = ast.Attribute(value, name, ast.Load())
        read.append(value)
    return _lambda(read[0] if len(read) == 1 else ast.Tuple(read, ast.Load()), [])


def _of_method(node: ast.Call) -> ast.Lambda:
    """Arguments are evaluated once, when the caller is made: they are defaults that no other argument takes the place of."""
    method = ast.Attribute(ast.Name(_VALUE, ast.Load()), _path(node.args[0])[0], ast.Load())
    given = [*node.args[1:], *(each.value for each in node.keywords)]
    names: list[ast.expr] = [ast.Name(f"argument_{at}", ast.Load()) for at in range(len(given))]
    count = len(node.args) - 1
    keywords = [
        ast.keyword(each.arg, name) for each, name in zip(node.keywords, names[count:], strict=True)
    ]
    return _lambda(ast.Call(method, names[:count], keywords), given)


def _lambda(body: ast.expr, defaults: list[ast.expr]) -> ast.Lambda:
    parameters = ast.arguments(
        posonlyargs=[ast.arg(_VALUE)],
        args=[],
        kwonlyargs=[ast.arg(f"argument_{at}") for at in range(len(defaults))],
        kw_defaults=list(defaults),
        defaults=[],
    )
    return ast.Lambda(parameters, body)
