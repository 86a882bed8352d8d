"""A policy, regular expression or tuple of names in; an expression that makes it, with the names in it, out."""

from __future__ import annotations

import ast
import re
from typing import Any

from waymark.compiler.diagnostics import Text
from waymark.compiler.durable import is_tuple_of_names
from waymark.compiler.source import SourceFile
from waymark_schema.ir.policies import Backoff, RetryPolicy

SYNTHETIC = SourceFile("", Text("<spelled>", ()), ast.Module([], []), {}, {}, {}, {})
"""Where an expression stands that no file has."""


def spelled(value: object) -> tuple[ast.expr, dict[str, Any]] | None:
    """Return how to make a value that is remade wherever it is used, or None: it is no such value."""
    names: dict[str, Any] = {}
    match value:
        case RetryPolicy() | Backoff():
            text = _policy(value)
            names = {"RetryPolicy": RetryPolicy, "Backoff": Backoff}
        case re.Pattern():
            text = f"re.compile({value.pattern!r}, {value.flags & ~_IMPLIED})"
            names = {"re": re}
        case tuple() if is_tuple_of_names(value):
            text = _tuple(value, names)
        case _:
            return None
    return ast.parse(text, mode="eval").body, names


_IMPLIED = int(re.UNICODE)


def _policy(value: RetryPolicy | Backoff) -> str:
    if isinstance(value, RetryPolicy):
        return (
            f"RetryPolicy(attempts={value.attempts!r}, exception_types={list(value.exception_types)!r},"
            f" backoff={_policy(value.backoff)})"
        )
    parts = {name: getattr(value, name) for name in ("base", "factor", "max", "jitter")}
    given = (f"{name}={_number(part)}" for name, part in parts.items())
    return f"Backoff({', '.join(given)})"


def _number(value: float) -> str:
    return "1e999" if value == float("inf") else repr(value)


def _tuple(value: tuple[Any, ...], names: dict[str, Any]) -> str:
    parts = []
    for one in value:
        if type(one) is tuple:
            parts.append(_tuple(one, names))
            continue
        names[f"item_{len(names)}"] = one
        parts.append(f"item_{len(names) - 1}")
    return f"({''.join(f'{part}, ' for part in parts)})"
