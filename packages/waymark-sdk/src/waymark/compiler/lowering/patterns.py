"""``match``: nodes in, tests from the outside of each pattern inwards, then the names that it binds, out."""

from __future__ import annotations

import ast

from waymark.compiler.builder import TEMPORARIES, Label
from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.symbols import Kind
from waymark_schema.ir import instructions as ins

Captures = dict[str, int]
"""Names that a pattern has captured so far → slots: bound when the whole pattern has matched."""


def match(ctx: Context, node: ast.stmt) -> None:
    """``match``: the subject once, then case after case."""
    assert isinstance(node, ast.Match)
    builder = ctx.builder
    subject = ctx.expr(node.subject)
    if subject < TEMPORARIES:
        subject = ctx.copy(subject)  # a case may bind the name that it was read from
    after = builder.label()
    for case in node.cases:
        following = builder.label()
        _case(ctx, case, subject, following)
        builder.terminate(ins.Jump(after))
        builder.place(following)
    builder.place(after)


def _case(ctx: Context, case: ast.match_case, subject: int, following: Label) -> None:
    builder = ctx.builder
    mark = builder.mark()
    ctx.at(case.pattern)
    captures: Captures = {}
    _pattern(ctx, case.pattern, subject, following, captures)
    for name, slot in captures.items():
        target = ast.Name(name, ast.Store())
        ctx.assign(ast.copy_location(target, case.pattern), slot)
    builder.release(mark)
    if case.guard is not None:
        passed = builder.label()
        builder.terminate(ins.Branch(ctx.expr(case.guard), passed, following))
        builder.place(passed)
        builder.release(mark)
    ctx.body(case.body)


def _pattern(
    ctx: Context, node: ast.pattern, subject: int, failed: Label, captures: Captures
) -> None:
    """Go on if ``subject`` matches, else to ``failed``."""
    before = ctx.builder.span
    ctx.at(node)
    match node:
        case ast.MatchValue(value=value):
            _compare(ctx, "==", subject, ctx.expr(value), failed)
        case ast.MatchSingleton(value=constant):
            _compare(ctx, "is", subject, ctx.constant(constant, node), failed)
        case ast.MatchAs(pattern=inner, name=name):
            if inner is not None:
                _pattern(ctx, inner, subject, failed, captures)
            if name is not None:
                captures[name] = subject
        case ast.MatchOr(patterns=alternatives):
            _alternatives(ctx, alternatives, subject, failed, captures)
        case ast.MatchSequence(patterns=items):
            _check_kind(ctx, node, "sequence")
            _sequence(ctx, items, subject, failed, captures)
        case ast.MatchMapping():
            _check_kind(ctx, node, "mapping")
            _mapping(ctx, node, subject, failed, captures)
        case ast.MatchClass():
            _class(ctx, node, subject, failed, captures)
        case _:
            ctx.reject("WM100", node, "a pattern of this kind", "write it with other patterns")
    ctx.builder.span = before


def _check_kind(ctx: Context, node: ast.pattern, kind: str) -> None:
    why = ctx.tables.assumed.odd_patterns.get(kind)
    if why is not None:
        ctx.reject(
            "WM123",
            node,
            why,
            "match it by its class and its fields, and leave the abstract class out of its bases",
        )


def _compare(ctx: Context, op: str, subject: int, value: int, failed: Label) -> None:
    same = ctx.builder.temporary()
    ctx.builder.emit(ins.Compare(op, same, subject, value))
    _unless(ctx, same, failed)


def _unless(ctx: Context, test: int, failed: Label) -> None:
    """Go on if ``test`` is true."""
    builder = ctx.builder
    passed = builder.label()
    builder.terminate(ins.Branch(test, passed, failed))
    builder.place(passed)


def _alternatives(
    ctx: Context, alternatives: list[ast.pattern], subject: int, failed: Label, captures: Captures
) -> None:
    """The first alternative that matches; all of them capture the same names."""
    builder = ctx.builder
    slots: Captures = {}
    matched = builder.label()
    for number, alternative in enumerate(alternatives):
        last = number + 1 == len(alternatives)
        following = failed if last else builder.label()
        found: Captures = {}
        _pattern(ctx, alternative, subject, following, found)
        if not number:
            slots = {name: builder.temporary() for name in found}
        for name, slot in found.items():
            builder.emit(ins.Move(slots[name], slot))
        builder.terminate(ins.Jump(matched))
        if not last:
            builder.place(following)
    builder.place(matched)
    captures |= slots


def _is_wildcard(node: ast.pattern) -> bool:
    return (
        isinstance(node, ast.MatchAs | ast.MatchStar)
        and node.name is None
        and not (isinstance(node, ast.MatchAs) and node.pattern is not None)
    )


def _sequence(
    ctx: Context, items: list[ast.pattern], subject: int, failed: Label, captures: Captures
) -> None:
    builder = ctx.builder
    star = next((at for at, one in enumerate(items) if isinstance(one, ast.MatchStar)), -1)
    fixed = len(items) - (star >= 0)
    fits = builder.temporary()
    builder.emit(ins.MatchSequence(fits, subject, fixed, star >= 0))
    _unless(ctx, fits, failed)
    if all(map(_is_wildcard, items)):
        return
    if star >= 0 and _is_wildcard(items[star]):
        places = [at if at < star else at - len(items) for at in range(len(items))]
        for place, item in zip(places, items, strict=True):
            _subscripted(ctx, item, subject, place, failed, captures)
        return
    slots = [builder.temporary() for _ in items]
    builder.emit(ins.Unpack(subject, slots, star))
    for slot, item in zip(slots, items, strict=True):
        if isinstance(item, ast.MatchStar):
            if item.name is not None:
                captures[item.name] = slot
        else:
            _pattern(ctx, item, slot, failed, captures)


def _subscripted(  # noqa: PLR0917 - as its siblings, and a place
    ctx: Context, item: ast.pattern, subject: int, place: int, failed: Label, captures: Captures
) -> None:
    """One item of ``[first, *_, last]``: only those that are looked at are taken."""
    if not _is_wildcard(item):
        slot = ctx.builder.temporary()
        ctx.builder.emit(ins.GetItem(slot, subject, ctx.constant(place, item)))
        _pattern(ctx, item, slot, failed, captures)


def _mapping(
    ctx: Context, node: ast.MatchMapping, subject: int, failed: Label, captures: Captures
) -> None:
    builder = ctx.builder
    fits = builder.temporary()
    builder.emit(ins.MatchMapping(fits, subject, len(node.keys)))
    _unless(ctx, fits, failed)
    keys: list[int] = []
    if node.keys:
        keys = ctx.operands(node.keys)
        values = builder.temporary()
        builder.emit(ins.MatchKeys(values, subject, keys))
        _compare(ctx, "is not", values, ctx.none(), failed)
        slots = [builder.temporary() for _ in keys]
        builder.emit(ins.Unpack(values, slots))
        for slot, pattern in zip(slots, node.patterns, strict=True):
            _pattern(ctx, pattern, slot, failed, captures)
    if node.rest is not None:
        rest = builder.temporary()
        builder.emit(ins.BuildDict(rest, [], []))
        builder.emit(ins.DictMerge(rest, subject))
        for key in keys:
            builder.emit(ins.DelItem(rest, key))
        captures[node.rest] = rest


def _class(
    ctx: Context, node: ast.MatchClass, subject: int, failed: Label, captures: Captures
) -> None:
    builder = ctx.builder
    if isinstance(ctx.symbol(node.cls), Kind):
        ctx.asked.add(id(node.cls))
    cls = ctx.expr(node.cls)
    ctx.tables.used.update(node.kwd_attrs)
    if node.patterns:
        ctx.tables.used.add("__match_args__")
    held, matched = builder.temporary(), builder.label()
    positional, names = len(node.patterns), list(node.kwd_attrs)
    builder.terminate(ins.MatchClass(held, subject, cls, positional, names, matched, failed))
    builder.place(matched)
    patterns = [*node.patterns, *node.kwd_patterns]
    if all(map(_is_wildcard, patterns)):
        return
    slots = [builder.temporary() for _ in patterns]
    builder.emit(ins.Unpack(held, slots))
    for slot, pattern in zip(slots, patterns, strict=True):
        _pattern(ctx, pattern, slot, failed, captures)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {ast.Match: match}
TARGETS: dict[type[ast.AST], Assign] = {}
