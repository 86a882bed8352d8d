"""Defaults in which classes and functions stand go in; placeholders, for which a function puts them in first, come out."""

from __future__ import annotations

import ast
from dataclasses import replace

from waymark.compiler.context import Context
from waymark.compiler.defaults import evaluated_defaults, written_defaults
from waymark.compiler.durable import is_name, is_tuple_of_names
from waymark.compiler.purity import evaluated, same
from waymark.compiler.scopes import opens_scopes
from waymark.compiler.source import FunctionNode
from waymark.compiler.tables import Job
from waymark_schema.ir import instructions as ins

PLACEHOLDER = "\0 this parameter was not given"
"""A constant that is told by its identity, and that only parameters hold."""


def fill(ctx: Context, job: Job, node: FunctionNode) -> dict[str, int]:
    """Begin a function with the defaults of parameters that got none; return the constants that say so, by name."""
    values = evaluated_defaults(job, node)
    placed: dict[str, int] = {}
    for place, expression in written_defaults(node.args):
        if job.number != 0 and _is_told_by_name(ctx, expression, values[place.arg]):
            placed[place.arg] = ctx.tables.value(PLACEHOLDER)
            _put(ctx, place.arg, expression, placed[place.arg])
    return placed


def _is_told_by_name(ctx: Context, expression: ast.expr, value: object) -> bool:
    if not (is_name(value) or is_tuple_of_names(value)) or opens_scopes(expression):
        return False
    namespace = replace(ctx.namespace, closure={})
    why = ctx.tables.captures.why_impure(expression, namespace, named=True)
    return why is None and same(evaluated(expression, namespace), value)


def _put(ctx: Context, name: str, expression: ast.expr, placeholder: int) -> None:
    builder, variable = ctx.builder, ctx.scope.variables[name]
    mark = builder.mark()
    missing, there = builder.label(), builder.label()
    is_missing = builder.temporary()
    given = ctx.load(variable)
    builder.emit(ins.Compare("is", is_missing, given, builder.constant(placeholder)))
    builder.terminate(ins.Branch(is_missing, missing, there))
    builder.place(missing)
    with ctx.elsewhere(replace(ctx.namespace, closure={}), expression):
        value = ctx.expr(expression)
    ctx.store(variable, value)
    builder.terminate(ins.Jump(there))
    builder.place(there)
    builder.release(mark)
