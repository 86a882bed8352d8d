"""``logger.info(…)``: the node of a call in, a call of the prelude's function for it out."""

from __future__ import annotations

import ast
import logging
import sys

from waymark.compiler import members
from waymark.compiler.capture import NotCaptured
from waymark.compiler.context import Context
from waymark.compiler.invoke import call
from waymark.compiler.language import PRINT, is_logger
from waymark.compiler.prelude.logs import METHODS
from waymark.compiler.symbols import Captured
from waymark_schema.importable import importable_module


def logger_of(ctx: Context, func: ast.expr) -> logging.Logger | None:
    """The logger of a module or of the workflow's class whose method ``func`` is."""
    if not isinstance(func, ast.Attribute):
        return None
    owner = func.value
    if isinstance(owner, ast.Attribute) and ctx.is_self(owner.value):
        return _of_class(ctx, owner)
    found = ctx.symbol(owner)
    if not isinstance(found, Captured) or not is_logger(found.value):
        return None
    verdict = ctx.tables.captures.judge(found)
    if isinstance(verdict, NotCaptured):
        what = f"`{ast.unparse(owner)}` cannot be captured: {verdict.why}"
        ctx.reject("WM121", owner, what, PRINT)
    return found.value


def _of_class(ctx: Context, owner: ast.Attribute) -> logging.Logger | None:
    name = ctx.namespace.mangled(owner.attr)
    found = members.find(ctx.tables.workflow, name)
    if not isinstance(found, members.Attribute) or not is_logger(found.value):
        return None
    why: str | None = "its module is not loaded"
    module = sys.modules.get(found.owner.__module__)
    if module is not None:
        why = ctx.tables.captures.class_attribute(found.owner, name, module)
    if why is not None:
        what = f"class attribute `{owner.attr}` cannot be captured: {why}"
        ctx.reject("WM126", owner, what, PRINT)
    return found.value


def tell(ctx: Context, node: ast.Call, logger: logging.Logger, into: int | None) -> int:
    """Call a method of ``logger``."""
    assert isinstance(node.func, ast.Attribute)
    function = METHODS.get(node.func.attr)
    if function is None:
        ctx.reject(
            "WM124",
            node.func,
            f"`{ast.unparse(node.func)}` cannot be called in a workflow",
            "set loggers up where the process starts",
        )
    number = ctx.tables.function(function, None)
    callee = ctx.builder.constant(ctx.tables.function_value(number))
    name = importable_module(logger.name) or logger.name
    mark = ctx.builder.mark()
    first = ctx.constant(name, node)
    return call(ctx, callee, node, into, pure=False, first=(first,), mark=mark)
