"""A way out of nested regions (return, break, continue) goes in; the jumps that run what lies on it come out."""

from __future__ import annotations

import ast
from collections.abc import Callable

from waymark.compiler.builder import Label
from waymark.compiler.context import Context, Finally, Loop, Named
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE


def leave_function(ctx: Context, value: int) -> None:
    """``return`` with the value in a slot: the innermost ``finally`` runs first."""
    if any(isinstance(one, Named) and one.variable.slot == value for one in ctx.regions):
        value = ctx.copy(value)  # the name is unbound on the way
    for region in reversed(ctx.regions):
        if isinstance(region, Named):
            ctx.unbind(region.variable)
        elif isinstance(region, Loop):
            _drop_walked(ctx, region)
        elif isinstance(region, Finally):
            region.returns = True
            ctx.builder.emit(ins.Complete(region.completion, "return", value))
            _enter(ctx, region)
            return
    ctx.builder.terminate(ins.Return(value))


def _drop_walked(ctx: Context, loop: Loop) -> None:
    """Let go of what a loop walks: no handler inside the loop, which may go on with it, sees it gone."""
    if loop.iterator == NONE or not ctx.tables.assumed.finalizers:
        return
    with ctx.builder.protected(handler=loop.handler, handling=loop.handling):
        ctx.builder.fresh()
        ctx.drop([loop.iterator])


def leave_loop(ctx: Context, loop: Loop, label: Label) -> None:
    """Jump to ``label``, which belongs to ``loop``, through every region inside it."""
    for region in reversed(ctx.regions):
        if region is loop:
            break
        if isinstance(region, Named):
            ctx.unbind(region.variable)
        elif isinstance(region, Finally):
            number = region.jump(loop, label)
            ctx.builder.emit(ins.Complete(region.completion, "jump", NONE, number))
            _enter(ctx, region)
            return
    ctx.builder.terminate(ins.Jump(label))


def innermost_loop(ctx: Context) -> Loop | None:
    """Return the loop that ``break`` and ``continue`` mean here, or None."""
    return next((one for one in reversed(ctx.regions) if isinstance(one, Loop)), None)


def end_finally(ctx: Context, region: Finally, after: Label) -> None:
    """End the body of ``finally``: go on as the region was left. ``region`` is off the stack already."""
    builder = ctx.builder
    outer = any(isinstance(one, Finally) for one in ctx.regions)
    returning = builder.label() if region.returns and outer else NONE
    jumps = [builder.label() for _ in region.jumps]
    builder.terminate(ins.EndFinally(region.completion, after, returning, jumps))
    if returning != NONE:
        builder.place(returning)
        _hand_on(ctx, region)
    for (loop, label), block in zip(region.jumps, jumps, strict=True):
        builder.place(block)
        leave_loop(ctx, loop, label)


def _hand_on(ctx: Context, region: Finally) -> None:
    """Hand a return over to the next ``finally`` outside."""
    for outer in reversed(ctx.regions):
        if isinstance(outer, Named):
            ctx.unbind(outer.variable)
        elif isinstance(outer, Loop):
            _drop_walked(ctx, outer)
        elif isinstance(outer, Finally):
            outer.returns = True
            ctx.builder.emit(ins.Move(outer.completion, region.completion))
            _enter(ctx, outer)
            return


def _enter(ctx: Context, region: Finally) -> None:
    """Go to the body of a ``finally`` that nothing in flight brought us to."""
    restore_handling(ctx, region)
    ctx.builder.terminate(ins.Jump(region.label))


def restore_handling(ctx: Context, region: Finally) -> None:
    """Inside this ``finally`` is handled what was handled around it; None stands for nothing."""
    if region.handling == NONE:
        return
    outer = ctx.none() if region.outer_handling == NONE else region.outer_handling
    ctx.builder.emit(ins.Move(region.handling, outer))


def with_finally(ctx: Context, body: list[ast.stmt], protected: Callable[[], None]) -> None:
    """The body of ``finally`` stands once; a completion slot remembers how it was entered."""
    builder = ctx.builder
    completion = builder.completion()
    handling, caught = builder.temporary(), builder.temporary()
    failed, after = builder.label(), builder.label()
    region = Finally(completion, builder.label(), handling, builder.handling)
    ctx.regions.append(region)
    mark = builder.mark()
    with builder.protected(handler=failed, handling=builder.handling):
        builder.fresh()
        protected()
        walked = builder.iterators_since(mark)
        builder.emit(ins.Complete(completion, "normal"))
        restore_handling(ctx, region)
        builder.terminate(ins.Jump(region.label))
    ctx.regions.pop()
    builder.place(failed)
    builder.emit(ins.Catch(caught))
    ctx.drop(walked)
    builder.emit(ins.Move(handling, caught))
    builder.emit(ins.Complete(completion, "raise", caught))
    builder.terminate(ins.Jump(region.label))
    ctx.inside_except.append(NONE)
    with builder.protected(handler=builder.handler, handling=handling):
        builder.place(region.label)
        ctx.body(body)
        end_finally(ctx, region, after)
    ctx.inside_except.pop()
    builder.place(after)
