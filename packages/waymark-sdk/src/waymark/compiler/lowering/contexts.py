"""``with`` and ``async with``: nodes in, regions that enter and leave their context managers out."""

from __future__ import annotations

import ast

from waymark.compiler.builder import Label
from waymark.compiler.context import Assign, Context, Execute, Finally, Lower
from waymark.compiler.diagnostics import MOVE_TO_ACTION
from waymark.compiler.exits import end_finally
from waymark.compiler.symbols import Refused
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE

_IN_ACTION = "do what needs it in an @action function and await it"
_OF_YOUR_OWN = "write it as a function under @contextmanager, or as a dataclass with `__enter__` and `__exit__`"
_UNDONE = "keep functions that undo each step in a list, and call them in reverse in a `finally`"
INSTEAD = {
    **dict.fromkeys(("ExitStack", "AsyncExitStack"), _UNDONE),
    **dict.fromkeys(
        ("Lock", "RLock", "Condition", "allocate_lock"),
        "use asyncio.Lock if other tasks of the run share it; nothing else does",
    ),
    **dict.fromkeys(
        ("Semaphore", "BoundedSemaphore"), "use asyncio.Semaphore to bound tasks of the run"
    ),
    **dict.fromkeys(
        ("ThreadPoolExecutor", "ProcessPoolExecutor"), "await asyncio.gather(...) of actions"
    ),
    "localcontext": "import it from the standard module decimal",
}
"""What to write in place of well-known context managers, by name; of the others, an action."""


def within(ctx: Context, node: ast.stmt) -> None:
    """``with`` and ``async with``: items from left to right, each around what follows it."""
    assert isinstance(node, ast.With | ast.AsyncWith)
    asynchronous = isinstance(node, ast.AsyncWith)
    if asynchronous and not ctx.is_async:
        ctx.reject(
            "WM100",
            node.items[0].context_expr,
            "`async with` outside an async function",
            "make the function `async def`",
        )
    _around(ctx, node.items, node.body, asynchronous=asynchronous)


def _around(
    ctx: Context, items: list[ast.withitem], body: list[ast.stmt], *, asynchronous: bool
) -> None:
    """Enter the first item, run what stands inside it, leave it on every way out."""
    if not items:
        ctx.body(body)
        return
    item, *inner = items
    builder = ctx.builder
    manager = builder.temporary()
    _check(ctx, item.context_expr)
    ctx.expr_into(item.context_expr, manager)
    ctx.at(item.context_expr)
    target = item.optional_vars
    local = None if target is None else ctx.plain_local(target)
    value = builder.temporary() if local is None else local
    entered = builder.label()
    builder.terminate(ins.Enter(value, manager, entered, asynchronous))
    builder.place(entered)
    failed, after = builder.label(), builder.label()
    region = Finally(builder.completion(), builder.label(), NONE, NONE)
    ctx.regions.append(region)
    mark = builder.mark()
    with builder.protected(handler=failed, handling=builder.handling):
        builder.fresh()
        if target is not None and local is None:
            ctx.assign(target, value)
        _around(ctx, inner, body, asynchronous=asynchronous)
        walked = builder.iterators_since(mark)
        builder.emit(ins.Complete(region.completion, "normal"))
        builder.terminate(ins.Jump(region.label))
    ctx.regions.pop()
    ctx.at(item.context_expr)
    builder.place(failed)
    caught = builder.temporary()
    builder.emit(ins.Catch(caught))
    ctx.drop(walked)
    _failed(ctx, caught, after, manager, asynchronous=asynchronous)
    builder.place(region.label)
    left = builder.label()
    builder.terminate(ins.Leave(builder.temporary(), manager, NONE, left, asynchronous))
    builder.place(left)
    end_finally(ctx, region, after)
    builder.place(after)


def _check(ctx: Context, node: ast.expr) -> None:
    """Refuse what is known to be no context manager of the language, with what to write instead."""
    made = node.func if isinstance(node, ast.Call) else node
    found = ctx.symbol(made)
    if not isinstance(found, Refused) or found.code not in {"WM123", "WM124"}:
        return
    name = ast.unparse(made)
    own = found.code == "WM123" and found.instead != MOVE_TO_ACTION
    known = found.instead if found.code == "WM124" else _IN_ACTION
    instead = INSTEAD.get(name.rpartition(".")[2], _OF_YOUR_OWN if own else known)
    if not name.startswith("asyncio."):
        message = f"`{name}` is not a context manager that a workflow can hold"
        ctx.reject("WM102", made, message, instead)


def _failed(ctx: Context, caught: int, after: Label, manager: int, *, asynchronous: bool) -> None:
    """An exception reached the manager: it goes on after the statement, or propagates."""
    builder = ctx.builder
    swallowed = builder.temporary()
    with builder.protected(handler=builder.handler, handling=caught):
        builder.fresh()
        told, propagate = builder.label(), builder.label()
        builder.terminate(ins.Leave(swallowed, manager, caught, told, asynchronous))
        builder.place(told)
        builder.terminate(ins.Branch(swallowed, after, propagate))
        builder.place(propagate)
        builder.terminate(ins.Reraise(caught))


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {ast.With: within, ast.AsyncWith: within}
TARGETS: dict[type[ast.AST], Assign] = {}
