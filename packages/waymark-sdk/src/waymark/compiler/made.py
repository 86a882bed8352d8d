"""Recipes of captured values go in; functions that make the values, each once in a run as it begins, come out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Context
from waymark.compiler.diagnostics import Diagnostic, Reporter
from waymark.compiler.frames import Surroundings, close_frame, open_frame
from waymark.compiler.getters import with_lambdas
from waymark.compiler.recipes import Recipe
from waymark.compiler.scopes import Scope, analyse
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.wellformed import MAX_SLOTS

_INSTEAD_OF_LARGE = "write it in parts, each with a name: `ALL = {**FIRST, **SECOND}`"


def make_all(ctx: Context) -> None:
    """Make, where ``run`` begins, what an earlier round has found to be needed; a run that calls it again has all."""
    tables, builder = ctx.tables, ctx.builder
    for recipe in tables.assumed.recipes:
        why_not(ctx, recipe)
    for recipe, number in list(tables.made.items()):
        mark = builder.mark()
        place = _own(ctx) if recipe.attribute else _place(ctx, recipe)
        value = builder.temporary()
        make, made, done = builder.label(), builder.label(), builder.label()
        builder.terminate(ins.Branch(_is_there(ctx, recipe, place), done, make))
        builder.place(make)
        callee = builder.constant(tables.function_value(number))
        builder.terminate(ins.Call(value, callee, [], [], [], -1, -1, made))
        builder.place(made)
        if recipe.attribute:
            builder.emit(ins.SetAttr(place, recipe.attribute, value))
        else:
            builder.emit(ins.Append(place, value))
        builder.terminate(ins.Jump(done))
        builder.place(done)
        builder.release(mark)


def read(ctx: Context, recipe: Recipe, into: int | None) -> int:
    """The value that the run has made."""
    builder = ctx.builder
    mark = builder.mark()
    place = _place(ctx, recipe)
    builder.release(mark)
    target = ctx.target(into)
    first = builder.constant(ctx.tables.value(0))
    builder.emit(ins.GetItem(target, place, first))
    return target


def why_not(ctx: Context, recipe: Recipe) -> Diagnostic | None:
    """Give a recipe its function, with those of what it is made of before it; or say why that cannot be."""
    tables = ctx.tables
    if recipe in tables.made or recipe in tables.making:
        return None
    if tables.making and _in_lambda(ctx):
        # It is not called before all is made, and what it reads may be made of what is being made.
        tables.postponed.append(recipe)
        return None
    before = dict(tables.made), list(tables.postponed)
    problem = _made(ctx, recipe)
    while problem is None and not tables.making and tables.postponed:
        problem = why_not(ctx, tables.postponed.pop())
    if problem is not None:
        tables.made, tables.postponed = before
        tables.unmade.add(recipe.key)
    return problem


def _in_lambda(ctx: Context) -> bool:
    scope: Scope | None = ctx.scope
    while scope is not None and not isinstance(scope.node, ast.Lambda):
        scope = scope.parent
    return scope is not None


def _made(ctx: Context, recipe: Recipe) -> Diagnostic | None:
    tables = ctx.tables
    before = tables.reporter, tables.origin
    tables.reporter, tables.origin = Reporter(), None
    tables.making.add(recipe)
    try:
        number = _lowered(ctx, recipe)
        found = tables.reporter.found
    finally:
        tables.making.remove(recipe)
        tables.reporter, tables.origin = before
    if not found:
        tables.made[recipe] = number
    return found[0] if found else None


def _own(ctx: Context) -> int:
    """The workflow, which may have got another value of the attribute before it was started."""
    assert ctx.self_variable is not None
    return ctx.load(ctx.self_variable)


def _is_there(ctx: Context, recipe: Recipe, place: int) -> int:
    if not recipe.attribute:
        return place
    name = ctx.builder.constant(ctx.tables.value(recipe.attribute))
    found = ctx.builder.temporary()
    ctx.builder.emit(ins.CallPure(found, ctx.builtin("hasattr"), [place, name]))
    return found


def _place(ctx: Context, recipe: Recipe) -> int:
    """The list of the run's own that holds the value, once it is made."""
    slot = ctx.builder.temporary()
    ctx.builder.emit(ins.LoadGlobal(slot, ctx.tables.global_value(f"{recipe.key}:made", [])))
    return slot


def _lowered(ctx: Context, recipe: Recipe) -> int:
    tables, namespace = ctx.tables, recipe.namespace
    name = recipe.key.rpartition(":")[2]
    node = ast.parse("def made(): return").body[0]
    assert isinstance(node, ast.FunctionDef)
    answer = ast.copy_location(ast.Return(recipe.expression), recipe.expression)
    node = ast.copy_location(node, recipe.expression)
    node.body = [answer]
    node = with_lambdas(node, namespace, tables.language)
    number = tables.reserve()
    around = Surroundings(tables, ctx.families, namespace, namespace.file.text, None)
    inner = open_frame(around, analyse(node), qualname=name)
    inner.body(node.body)
    if inner.builder.slots > MAX_SLOTS:
        why = f"the expression of `{name}` is too large for a program"
        tables.reporter.report("WM121", node, namespace.file.text, why, _INSTEAD_OF_LARGE)
    close_frame(inner, number, name=name, kind="sync", parameters=[])
    return number
