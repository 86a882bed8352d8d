"""Mistakes that compilers of workflows make go in, planted for one test; the fuzzer must find each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from waymark.compiler import scopes
from waymark.compiler.context import Context
from waymark.compiler.dispatch import FAMILIES
from waymark.compiler.lowering import branches, displays, exceptions
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE

Change = Callable[[Any], Any]
Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Miscompile:
    """One planted mistake."""

    name: str
    plant: Plant
    common: bool = False
    """Found within a few programs: tried in every run of the tests."""


def _rewritten(kind: type[ast.AST], change: Change) -> Plant:
    """The lowering of ``kind`` gets what ``change`` makes of a copy of its node."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        table: dict[Any, Any] = (
            FAMILIES.statements if issubclass(kind, ast.stmt) else FAMILIES.expressions
        )
        lower = table[kind]

        def planted(ctx: Any, node: Any, *rest: Any) -> Any:
            changed = change(copy.copy(node))
            if type(changed) is kind:
                return lower(ctx, changed, *rest)
            return ctx.statement(changed) if isinstance(changed, ast.stmt) else ctx.expr(changed)

        patch.setitem(table, kind, planted)

    return plant


def _replaced(kind: type[ast.AST], lower: Callable[..., Any]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        table: dict[Any, Any] = (
            FAMILIES.statements if issubclass(kind, ast.stmt) else FAMILIES.expressions
        )
        patch.setitem(table, kind, lower)

    return plant


def _several(*plants: Plant) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


def _with(**changes: Any) -> Change:
    def change(node: Any) -> Any:
        for name, value in changes.items():
            setattr(node, name, value)
        return node

    return change


def _without_finally(node: ast.Try) -> ast.stmt:
    node.finalbody = []
    if node.handlers:
        return node
    kept: ast.stmt = ast.If(ast.Constant(value=True), node.body, [])
    return ast.fix_missing_locations(ast.copy_location(kept, node))


def _half_a_chain(node: ast.Compare) -> ast.Compare:
    node.ops, node.comparators = node.ops[:1], node.comparators[:1]
    return node


def _right_first(ctx: Context, node: ast.BinOp, into: int | None) -> int:
    right, left = ctx.operands([node.right, node.left])
    target = ctx.target(into)
    ctx.builder.emit(ins.Binary(_operator(node.op), target, left, right))
    return target


def _operator(op: ast.operator) -> str:
    from waymark.compiler.lowering.operators import BINARY  # noqa: PLC0415 - the table of the part that is broken

    return BINARY[type(op)]


def _gathered_in_reverse(node: ast.Call) -> ast.Call:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "gather":
        node.args = node.args[::-1]
    return node


def _without_return_exceptions(node: ast.Call) -> ast.Call:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "gather":
        node.keywords = []
    return node


def _copied(node: ast.Assign) -> ast.Assign:
    """``ys = xs`` makes a list of its own."""
    if isinstance(node.value, ast.Name) and node.value.id in {"xs", "ys"}:
        whole = ast.Subscript(node.value, ast.Slice(), ast.Load())
        node.value = ast.fix_missing_locations(ast.copy_location(whole, node.value))
    return node


def _not_in_place(node: ast.AugAssign) -> ast.stmt:
    """``xs += …`` rebinds the name and leaves the list alone."""
    if not isinstance(node.target, ast.Name):
        return node
    old = ast.Name(node.target.id, ast.Load())
    new: ast.stmt = ast.Assign([node.target], ast.BinOp(old, node.op, node.value))
    return ast.fix_missing_locations(ast.copy_location(new, node))


def _late_read(node: ast.AugAssign) -> ast.stmt:
    """``a += f()`` reads ``a`` after the call."""
    if not isinstance(node.target, ast.Name) or not isinstance(node.op, ast.Add):
        return node
    old = ast.Name(node.target.id, ast.Load())
    new: ast.stmt = ast.Assign([node.target], ast.BinOp(node.value, node.op, old))
    return ast.fix_missing_locations(ast.copy_location(new, node))


def _forgets_context(ctx: Context, node: ast.Raise) -> None:
    """What is raised in a handler does not know what was being handled."""
    if node.exc is None or node.cause is not None:
        exceptions.raising(ctx, node)
    else:
        ctx.builder.terminate(ins.Raise(ctx.expr(node.exc), ctx.none()))


def _name_stays(patch: pytest.MonkeyPatch) -> None:
    """``except … as e`` leaves ``e`` bound."""

    def named(ctx: Context, node: ast.ExceptHandler, name: str, caught: int) -> None:
        variable = ctx.scope.find(name)
        assert variable is not None
        ctx.store(variable, caught)
        ctx.body(node.body)

    patch.setattr(exceptions, "_named", named)


def _return_skips_finally(patch: pytest.MonkeyPatch) -> None:
    def leave(ctx: Context, value: int) -> None:
        ctx.builder.terminate(ins.Return(value))

    patch.setattr(branches, "leave_function", leave)


def _walrus_stays_inside(patch: pytest.MonkeyPatch) -> None:
    """``[(a := v) for v in …]`` binds ``a`` in the comprehension."""
    patch.setattr(scopes, "_binding_scope", lambda scope: scope)


def _last_handler_first(node: ast.Try) -> ast.Try:
    bare = [each for each in node.handlers if each.type is None]
    node.handlers = [each for each in node.handlers if each.type is not None][::-1] + bare
    return node


def _no_filter(patch: pytest.MonkeyPatch) -> None:
    """In the node itself: the scope of a comprehension is known by it, not by a copy."""
    lower = FAMILIES.expressions[ast.ListComp]

    def planted(ctx: Any, node: Any, *rest: Any) -> Any:
        conditions = [each.ifs for each in node.generators]
        for each in node.generators:
            each.ifs = []
        try:
            return lower(ctx, node, *rest)
        finally:
            # The tree is asked once more without the mistake.
            for each, ifs in zip(node.generators, conditions, strict=True):
                each.ifs = ifs

    patch.setitem(FAMILIES.expressions, ast.ListComp, planted)


def _no_guard(node: ast.Match) -> ast.Match:
    node.cases = [copy.copy(each) for each in node.cases]
    for each in node.cases[:-1]:
        each.guard = None
    return node


def _no_conversion(patch: pytest.MonkeyPatch) -> None:
    """Fields of an f-string are lowered with it, not through the table."""
    lower = displays._field

    def planted(ctx: Any, node: ast.FormattedValue) -> int:
        node = copy.copy(node)
        node.conversion = NONE
        return lower(ctx, node)

    patch.setattr(displays, "_field", planted)


def _decides_by_truth(node: ast.BoolOp) -> ast.expr:
    """``a and b`` gives True or False instead of the operand that decided."""
    twice = ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), _Plain(node.op, node.values)))
    return ast.fix_missing_locations(ast.copy_location(twice, node))


class _Plain(ast.BoolOp):
    """Lowered as it is."""


def _truth(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(FAMILIES.expressions, _Plain, FAMILIES.expressions[ast.BoolOp])
    _rewritten(ast.BoolOp, _decides_by_truth)(patch)


def _nothing_is_sent(ctx: Context, node: ast.Yield, into: int | None) -> int:
    given = _YIELD(ctx, node, into)
    del given
    return ctx.none()


_YIELD = FAMILIES.expressions[ast.Yield]
_BREAK = FAMILIES.statements[ast.Break]

ALL = (
    Miscompile("finally is dropped", _rewritten(ast.Try, _without_finally), common=True),
    Miscompile(
        "else of a loop is dropped",
        _several(_rewritten(ast.For, _with(orelse=[])), _rewritten(ast.While, _with(orelse=[]))),
    ),
    Miscompile("half a chain of comparisons", _rewritten(ast.Compare, _half_a_chain), common=True),
    Miscompile("assignment copies a list", _rewritten(ast.Assign, _copied)),
    Miscompile("gather in another order", _rewritten(ast.Call, _gathered_in_reverse), common=True),
    Miscompile(
        "return_exceptions is ignored", _rewritten(ast.Call, _without_return_exceptions)
    ),
    Miscompile("right operand first", _replaced(ast.BinOp, _right_first)),
    Miscompile("walrus binds inside a comprehension", _walrus_stays_inside),
    Miscompile("name of a handler is not deleted", _name_stays),
    Miscompile("return skips finally", _return_skips_finally),
    Miscompile("continue leaves the loop", _replaced(ast.Continue, _BREAK)),
    Miscompile("last handler is asked first", _rewritten(ast.Try, _last_handler_first)),
    Miscompile("augmented assignment is not in place", _rewritten(ast.AugAssign, _not_in_place)),
    Miscompile("augmented assignment reads late", _rewritten(ast.AugAssign, _late_read)),
    Miscompile("context of an exception is lost", _replaced(ast.Raise, _forgets_context)),
    Miscompile("conditions of a comprehension are dropped", _no_filter),
    Miscompile("guards of match are dropped", _rewritten(ast.Match, _no_guard)),
    Miscompile("conversion in an f-string is dropped", _no_conversion),
    Miscompile("and, or give a truth value", _truth),
    Miscompile("what is sent to a generator is lost", _replaced(ast.Yield, _nothing_is_sent)),
)  # fmt: skip
