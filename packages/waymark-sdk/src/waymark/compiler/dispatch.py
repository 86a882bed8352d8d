"""The syntax families go in; the one table from node type to lowering comes out."""

from __future__ import annotations

import ast
from types import ModuleType

from waymark.compiler.context import Assign, Execute, Families, Lower
from waymark.compiler.lowering import (
    assignments,
    branches,
    calls,
    comprehensions,
    contexts,
    definitions,
    displays,
    exceptions,
    functions,
    generators,
    groups,
    loops,
    members,
    names,
    operators,
    patterns,
)
from waymark.compiler.survey import report_rest

_FAMILIES: tuple[ModuleType, ...] = (
    names, operators, displays, assignments, branches, loops, exceptions, calls, comprehensions,
    functions, members, contexts, patterns, groups, definitions, generators,
)  # fmt: skip


def _collected() -> Families:
    expressions: dict[type[ast.AST], Lower] = {}
    statements: dict[type[ast.AST], Execute] = {}
    targets: dict[type[ast.AST], Assign] = {}
    for family in _FAMILIES:
        expressions |= family.EXPRESSIONS
        statements |= family.STATEMENTS
        targets |= family.TARGETS
    return Families(
        expressions,
        statements,
        targets,
        names.symbol,
        members.read,
        members.class_attribute,
        members.member_call,
        report_rest,
    )


FAMILIES = _collected()
