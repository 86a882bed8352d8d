"""A call of a function of ``re`` goes in; a diagnostic comes out where its constant pattern cannot run in a workflow."""

from __future__ import annotations

import ast
import re

from waymark.compiler.context import Context
from waymark_schema.ir import library
from waymark_schema.ir.regexes import bound_of

_WITH_PATTERN = frozenset(library.PATTERNS) - {"re.escape"}


def check_pattern(ctx: Context, node: ast.Call, name: str) -> None:
    """Refuse a literal pattern that is none, or whose work nobody can bound."""
    if name not in _WITH_PATTERN:
        return
    given = [
        *node.args[:1],
        *(keyword.value for keyword in node.keywords if keyword.arg == "pattern"),
    ]
    match given:
        case [ast.Constant(value=str() | bytes() as pattern)]:
            _check(ctx, given[0], pattern)
        case _:
            pass  # made at run time, when the machine judges it


def _check(ctx: Context, where: ast.expr, pattern: str | bytes) -> None:
    try:
        problem = bound_of(pattern).problem
    except (re.error, OverflowError, RecursionError):
        return  # the call raises what CPython raises, which the workflow may catch
    if problem is not None:
        ctx.reject(
            "WM129",
            where,
            f"the pattern {pattern!r:.100} cannot run in a workflow, because {problem}",
            "write a pattern without that, use str methods, or match the text in an @action function",
        )
