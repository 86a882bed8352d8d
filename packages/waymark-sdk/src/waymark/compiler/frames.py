"""A frame's tree and scope go in; a context to lower its body in, and at last the finished function, come out."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import msgspec

from waymark.compiler.builder import Builder
from waymark.compiler.context import Context, Families
from waymark.compiler.diagnostics import Text
from waymark.compiler.layout import lay_out
from waymark.compiler.scopes import ITERATOR, Frame, Scope, Variable
from waymark.compiler.symbols import Namespace
from waymark.compiler.tables import FinishedFunction, Tables
from waymark.compiler.trees import walk
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.program import Function, Parameter
from waymark_schema.ir.wellformed import MAX_SLOTS

_INSTEAD_OF_LARGE = (
    "give a large literal a name in the module, or make the values in an @action function"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a frame has from outside."""

    tables: Tables
    families: Families
    namespace: Namespace
    text: Text
    owner: type | None


def open_frame(around: Surroundings, scope: Scope, *, qualname: str) -> Context:
    """Start a frame: slots for parameters, locals and captured cells, cells for what is shared."""
    node = scope.node
    builder = Builder()
    ctx = Context(
        tables=around.tables,
        families=around.families,
        builder=builder,
        scope=scope,
        namespace=around.namespace,
        text=around.text,
        qualname=qualname,
        is_async=isinstance(node, ast.AsyncFunctionDef),
        owner=around.owner,
        has_walrus=any(isinstance(part, ast.NamedExpr) for part in walk(node)),
    )
    ctx.at(node)
    for variable in scope.variables.values():
        variable.slot = builder.local(variable.name)
    for name in scope.free:
        scope.captured_slots[name] = builder.local(name)
    parameters = parameter_count(node)
    for index, variable in enumerate(scope.variables.values()):
        if variable.cell:
            builder.emit(ins.MakeCell(variable.slot, variable.slot if index < parameters else NONE))
    return ctx


def parameter_count(node: ast.AST) -> int:
    """How many of the first variables of a frame are its parameters."""
    if isinstance(node, ast.GeneratorExp):
        return 1
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    arguments = node.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    return count + (arguments.vararg is not None) + (arguments.kwarg is not None)


def child_frame(ctx: Context, node: Frame, *, name: str) -> Context:
    """Start the frame of a nested function, lambda or generator expression inside ``ctx``."""
    around = Surroundings(ctx.tables, ctx.families, ctx.namespace, ctx.text, ctx.owner)
    inner = open_frame(around, ctx.scope.child(node), qualname=f"{ctx.qualname}.<locals>.{name}")
    inner.self_variable = ctx.self_variable
    inner.class_variable = ctx.class_variable
    inner.place = ctx.place
    return inner


def cells_of(ctx: Context, inner: Context) -> list[int]:
    """Slots in ``ctx`` of the cells that ``inner`` captures."""
    return [ctx.cell_slot(variable)[0] for variable in inner.scope.free.values()]


def made_function(ctx: Context, inner: Context, into: int | None, made: ins.MakeFunction) -> int:
    """Make the function value: another one each time, as functions are told apart by identity."""
    target = ctx.target(into)
    ctx.builder.emit(msgspec.structs.replace(made, dst=target, cells=cells_of(ctx, inner)))
    return target


def close_frame(
    ctx: Context, number: int, *, name: str, kind: str, parameters: list[Parameter]
) -> None:
    """Finish a frame as function ``number`` of the program."""
    ctx.builder.terminate(ins.Return(ctx.none()))
    if ctx.builder.slots > MAX_SLOTS:
        problem = f"`{name}` has more values at once than a program can hold"
        ctx.tables.reporter.report("WM100", ctx.scope.node, ctx.text, problem, _INSTEAD_OF_LARGE)
    if ctx.tables.reporter.found:
        return
    captured = list(ctx.scope.captured_slots.values())
    bound = 0
    for slot in (*range(len(parameters)), *captured):
        bound |= 1 << slot

    def finished() -> FinishedFunction:
        layout = lay_out(ctx.builder, bound=bound)
        function = Function(
            name,
            ctx.qualname,
            kind,
            parameters,
            layout.slots,
            layout.constants,
            captured,
            layout.blocks,
            [*ctx.builder.names],
        )
        return FinishedFunction(function, layout.spans, ctx.text.filename)

    ctx.tables.functions[number] = finished


def signature(node: Frame, defaults: dict[str, int]) -> list[Parameter]:
    """Parameters in signature order; ``defaults`` by name are constant numbers."""
    if isinstance(node, ast.GeneratorExp):
        return [Parameter(ITERATOR, "positional_only")]
    arguments = node.args
    kinds = [(argument, "positional_only") for argument in arguments.posonlyargs]
    kinds += [(argument, "positional") for argument in arguments.args]
    if arguments.vararg:
        kinds.append((arguments.vararg, "var_positional"))
    kinds += [(argument, "keyword_only") for argument in arguments.kwonlyargs]
    if arguments.kwarg:
        kinds.append((arguments.kwarg, "var_keyword"))
    return [
        Parameter(argument.arg, kind, defaults.get(argument.arg, NONE)) for argument, kind in kinds
    ]


def fresh_variable(ctx: Context, variable: Variable) -> None:
    """Give a comprehension's variable its slot, and its cell where it is shared."""
    variable.slot = ctx.builder.local(variable.name)
    if variable.cell:
        ctx.builder.emit(ins.MakeCell(variable.slot))
