"""Operators, comparisons, conditional expressions and the walrus: nodes in, instructions out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark_schema.ir import instructions as ins

UNARY: dict[type[ast.unaryop], str] = {
    ast.Not: "not",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
}
BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


def unary(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``-x``, ``not x`` and their like; a negative number is a constant."""
    assert isinstance(node, ast.UnaryOp)
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if (
            type(value) is not bool
        ):
            return ctx.constant(-value, node)
        case _:
            pass
    mark = ctx.builder.mark()
    operand = ctx.expr(node.operand)
    ctx.builder.release(mark)
    target = ctx.target(into)
    ctx.builder.emit(ins.Unary(UNARY[type(node.op)], target, operand))
    return target


def binary(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``left op right``."""
    assert isinstance(node, ast.BinOp)
    mark = ctx.builder.mark()
    left, right = ctx.operands([node.left, node.right])
    ctx.builder.release(mark)
    target = ctx.target(into)
    ctx.builder.emit(ins.Binary(BINARY[type(node.op)], target, left, right))
    return target


def compare(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``left op right``, or a chain of comparisons."""
    assert isinstance(node, ast.Compare)
    if len(node.ops) == 1:
        mark = ctx.builder.mark()
        left, right = ctx.operands([node.left, node.comparators[0]])
        ctx.builder.release(mark)
        target = ctx.target(into)
        ctx.builder.emit(ins.Compare(COMPARE[type(node.ops[0])], target, left, right))
        return target
    return _chained(ctx, node)


def _chained(ctx: Context, node: ast.Compare) -> int:
    """``a < b < c``: each operand once; the first comparison that is false is the result."""
    builder = ctx.builder
    target = builder.temporary()
    mark = builder.mark()
    done = builder.label()
    left = ctx.keep(ctx.expr(node.left), node.comparators)
    for index, (op, comparator) in enumerate(zip(node.ops, node.comparators, strict=True)):
        right = ctx.keep(ctx.expr(comparator), node.comparators[index + 1 :])
        builder.emit(ins.Compare(COMPARE[type(op)], target, left, right))
        left = right
        if index + 1 < len(node.ops):
            following = builder.label()
            builder.terminate(ins.Branch(target, following, done))
            builder.place(following)
    builder.place(done)
    builder.release(mark)
    return target


def boolean(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``and`` and ``or``: the value that decided."""
    assert isinstance(node, ast.BoolOp)
    builder = ctx.builder
    target = builder.temporary()
    done = builder.label()
    *first, last = node.values
    for value in first:
        mark = builder.mark()
        ctx.expr_into(value, target)
        builder.release(mark)
        following = builder.label()
        if isinstance(node.op, ast.And):
            builder.terminate(ins.Branch(target, following, done))
        else:
            builder.terminate(ins.Branch(target, done, following))
        builder.place(following)
    mark = builder.mark()
    ctx.expr_into(last, target)
    builder.release(mark)
    builder.place(done)
    return target


def conditional(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``value if test else other``."""
    assert isinstance(node, ast.IfExp)
    builder = ctx.builder
    target = builder.temporary()
    then, otherwise, done = builder.label(), builder.label(), builder.label()
    mark = builder.mark()
    test = ctx.expr(node.test)
    builder.terminate(ins.Branch(test, then, otherwise))
    builder.release(mark)
    for label, value in ((then, node.body), (otherwise, node.orelse)):
        builder.place(label)
        mark = builder.mark()
        ctx.expr_into(value, target)
        builder.release(mark)
        builder.terminate(ins.Jump(done))
    builder.place(done)
    return target


def walrus(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``name := value``."""
    assert isinstance(node, ast.NamedExpr)
    slot = ctx.plain_local(node.target)
    value = ctx.expr(node.value, slot)
    ctx.assign(node.target, value)
    if slot is not None:
        return slot
    return value


EXPRESSIONS: dict[type[ast.AST], Lower] = {
    ast.UnaryOp: unary,
    ast.BinOp: binary,
    ast.Compare: compare,
    ast.BoolOp: boolean,
    ast.IfExp: conditional,
    ast.NamedExpr: walrus,
}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
