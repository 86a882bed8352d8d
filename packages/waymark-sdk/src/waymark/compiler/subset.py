"""A function's tree goes in; a diagnostic for each piece of syntax outside the language comes out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from waymark.compiler.diagnostics import Reporter, Text
from waymark.compiler.scopes import Definition, outer_parts
from waymark.compiler.trees import children

if TYPE_CHECKING:
    from waymark.compiler.source import FunctionNode

ACCEPTED: frozenset[type[ast.AST]] = frozenset({
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.If, ast.For, ast.AsyncFor, ast.While, ast.Break,
    ast.Continue, ast.Return, ast.Pass, ast.Assert, ast.Expr, ast.Raise, ast.Try, ast.TryStar, ast.ExceptHandler,
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Tuple, ast.List,
    ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.NamedExpr,
    ast.JoinedStr, ast.FormattedValue, ast.Lambda, ast.Call, ast.keyword, ast.Await, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.arguments, ast.arg,
    ast.Load, ast.Store, ast.Del,
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.With, ast.AsyncWith, ast.withitem,
    ast.Match, ast.match_case, ast.MatchValue, ast.MatchSingleton, ast.MatchSequence, ast.MatchMapping,
    ast.MatchClass, ast.MatchStar, ast.MatchAs, ast.MatchOr,
})  # fmt: skip
"""Node types with a lowering (operators beside); everything else is refused."""
_OPERATORS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)

REFUSED: dict[str, tuple[str, str, str]] = {
    "ClassDef": (
        "WM107",
        "classes cannot be defined inside a workflow",
        "define it at module level",
    ),
    "Global": ("WM108", "`global` is not supported", "keep the value in `self` or pass it on"),
    "Import": (
        "WM109",
        "imports cannot stand inside a workflow",
        "import at the top of the module",
    ),
    "ImportFrom": (
        "WM109",
        "imports cannot stand inside a workflow",
        "import at the top of the module",
    ),
}


REFUSED_IN_HELPERS = REFUSED | {
    "Global": ("WM108", "`global` is not supported", "return the value, or pass it on")
}
"""The same of functions that are no methods of the workflow: they have no ``self`` to keep a value in."""


def check(
    node: FunctionNode,
    text: Text,
    reporter: Reporter,
    refused: dict[str, tuple[str, str, str]] = REFUSED,
) -> bool:
    """Report everything in the body of a function that the language lacks; True if there is nothing."""
    before = len(reporter.found)
    for statement in node.body:
        _check(statement, text, reporter, refused)
    return len(reporter.found) == before


def _check(
    node: ast.AST, text: Text, reporter: Reporter, refused: dict[str, tuple[str, str, str]]
) -> None:
    kind = type(node)
    if kind not in ACCEPTED and not isinstance(node, _OPERATORS):
        name = kind.__name__
        code, message, instead = refused.get(
            name,
            ("WM100", f"`{name}` is not part of the language", "write it with simpler statements"),
        )
        reporter.report(code, head(node), text, message, instead)
        return
    for child in _children(node):
        _check(child, text, reporter, refused)


def _children(node: ast.AST) -> list[ast.AST]:
    """Children but for annotations, which are never evaluated inside a function."""
    if isinstance(node, ast.AnnAssign):
        return [node.target, *([node.value] if node.value else [])]
    if isinstance(node, Definition):
        return [*outer_parts(node), *node.body]
    if isinstance(node, ast.Lambda):
        return [*outer_parts(node), node.body]
    return children(node)


def head(node: ast.AST) -> ast.AST:
    """A compound statement is marked by its first line up to its body."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not isinstance(body, list):
        return node
    head = ast.Pass()
    head.lineno, head.col_offset = node.lineno, node.col_offset  # type: ignore[attr-defined]  # a statement
    head.end_lineno, head.end_col_offset = head.lineno, head.col_offset + len(_keyword(node))
    return head


def _keyword(node: ast.AST) -> str:
    return {
        "Match": "match", "With": "with", "AsyncWith": "async with", "AsyncFor": "async for",
        "TryStar": "try", "FunctionDef": "def", "AsyncFunctionDef": "async def", "ClassDef": "class",
    }.get(type(node).__name__, "?")  # fmt: skip
