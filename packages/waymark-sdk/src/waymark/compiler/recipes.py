"""Values of modules go in; those that a run has to make by their expressions, to have one object wherever CPython has one, come out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType

from waymark.compiler.durable import is_immutable, parts_of, within
from waymark.compiler.symbols import Namespace
from waymark_schema.ir.policies import Backoff, RetryPolicy


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How a module makes a value: by which expression, and what the names in it mean."""

    key: str
    expression: ast.expr
    namespace: Namespace
    attribute: str = ""
    """Name of the class attribute of the workflow that it is the value of; empty for a name of a module."""


_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp)


def shared(captured: Mapping[str, tuple[object, Recipe | None]]) -> list[Recipe]:
    """Recipes of values that hold an object twice, or one that another value holds or is, or that are such a part."""
    held = {key: Counter(map(id, _held(value))) for key, (value, _) in captured.items()}
    places = Counter(id(value) for value, _ in captured.values())
    for parts in held.values():
        places += parts
    return [
        recipe
        for key, (value, recipe) in captured.items()
        if recipe is not None
        and (
            any(places[one] > 1 for one in held[key])
            or (places[id(value)] > 1 and not isinstance(recipe.expression, _DISPLAYS))
        )
    ]


def _held(value: object) -> Iterator[object]:
    """What is in a value, at any depth, as often as something holds it; only what can be told from its equals."""
    for holder in within(value):
        yield from (part for part in parts_of(holder) if _is_object(part))


def _is_object(value: object) -> bool:
    remade = isinstance(value, RetryPolicy | Backoff | re.Pattern)
    named = isinstance(value, type | FunctionType | BuiltinFunctionType)
    return not remade and not named and not is_immutable(value)
