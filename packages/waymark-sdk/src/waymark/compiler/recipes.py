"""Values of modules go in; those that a run has to make by their expressions, to have one object wherever CPython has one, come out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
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
    """Recipes of values in which an object stands that stands, or has a name, elsewhere too; or that are such a part.

    A table with a name, that is held by another one, is one place more of the table, but of nothing in it.
    """
    places = Counter(id(value) for value, _ in captured.values())
    holders = {id(one): one for value, _ in captured.values() for one in within(value)}
    for holder in holders.values():
        places.update(id(part) for part in parts_of(holder) if is_object(part))
    return [
        recipe
        for value, recipe in captured.values()
        if recipe is not None
        and (
            any(places[id(one)] > 1 for one in within(value) if one is not value)
            or (places[id(value)] > 1 and not isinstance(recipe.expression, _DISPLAYS))
        )
    ]


def is_object(value: object) -> bool:
    """Whether a value can be told from its equals in a run."""
    remade = isinstance(value, RetryPolicy | Backoff | re.Pattern)
    named = isinstance(value, type | FunctionType | BuiltinFunctionType)
    return not remade and not named and not is_immutable(value)
