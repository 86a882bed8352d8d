"""The node of an iterable goes in; the slot of an asynchronous iterator over it comes out."""

from __future__ import annotations

import ast

from waymark.compiler.context import Context
from waymark_schema.ir import instructions as ins


def async_iterator(ctx: Context, node: ast.expr) -> int:
    """Slot of the asynchronous iterator over the value of ``node``."""
    builder = ctx.builder
    iterator = builder.temporary()
    mark = builder.mark()
    source = ctx.expr(node)
    builder.release(mark)
    made = builder.label()
    builder.terminate(ins.AsyncIterate(iterator, source, made))
    builder.place(made)
    return iterator
