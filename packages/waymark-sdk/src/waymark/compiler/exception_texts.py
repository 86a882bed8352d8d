"""``super().__str__()`` of an exception goes in; what the builtin class would say of ``self.args`` comes out."""

from __future__ import annotations

from waymark.compiler.context import Context
from waymark_schema.ir import instructions as ins


def text_of_arguments(ctx: Context, receiver: int, into: int | None, *, of_key: bool) -> int:
    """Nothing for no argument, the text of one (its repr, for a ``KeyError``), else that of the tuple."""
    builder, span = ctx.builder, ctx.scope.node
    mark = builder.mark()
    arguments, count, found = builder.temporary(), builder.temporary(), builder.temporary()
    builder.emit(ins.GetAttr(arguments, receiver, "args"))
    builder.emit(ins.CallPure(count, ctx.builtin("len"), [arguments]))
    several, single, none, some, done = (builder.label() for _ in range(5))
    builder.terminate(ins.Branch(count, some, none))
    builder.place(none)
    ctx.move(found, ctx.constant("", span))
    builder.terminate(ins.Jump(done))
    builder.place(some)
    builder.emit(ins.Compare("==", count, count, ctx.constant(1, span)))
    builder.terminate(ins.Branch(count, single, several))
    builder.place(single)
    builder.emit(ins.GetItem(arguments, arguments, ctx.constant(0, span)))
    if of_key:
        builder.emit(ins.CallPure(found, ctx.builtin("repr"), [arguments]))
    else:
        builder.emit(ins.CallPure(found, ctx.builtin("str"), [arguments]))
    builder.terminate(ins.Jump(done))
    builder.place(several)
    builder.emit(ins.CallPure(found, ctx.builtin("str"), [arguments]))
    builder.place(done)
    builder.release(mark)
    target = ctx.target(into)
    ctx.move(target, found)
    return target
