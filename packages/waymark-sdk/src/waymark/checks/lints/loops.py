"""A function in; loops that nothing slows down out: WM302."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from waymark.checks.lints.reading import LOOPS, SCOPES, Reading, read
from waymark.compiler.diagnostics import Reporter

CODE = "WM302"
_TAKES_ITS_TIME = (ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
_PAUSE = (
    "add `await asyncio.sleep(seconds)` to the loop; it is durable and costs nothing while it waits"
)


def check(reading: Reading) -> None:
    """Warn about loops without an end or a pause, and about polling without a pause."""
    for node in reading.nodes(ast.While):
        assert isinstance(node, ast.While)
        if any(_pauses(reading, _inside(node), set())):
            continue
        if _is_true(node.test) and not any(_exits(node)):
            _endless(reading, node)
        elif not any(_awaits(node)):
            _idle(reading, node)
        else:
            _polling(reading, node)


def _endless(reading: Reading, node: ast.While) -> None:
    if any(_awaits(node)):
        why = "this loop never ends and never sleeps: its history grows as fast as answers come"
    else:
        why = (
            "this loop never ends and awaits nothing: the run fails when its step budget is used up"
        )
    reading.warn(CODE, _head(node), why, _PAUSE)


def _idle(reading: Reading, node: ast.While) -> None:
    """A loop without any await: something that its test reads must change in it."""
    inside = list(_inside(node))
    if any(_exits(node)) or any(
        isinstance(one, ast.Call | ast.NamedExpr) for one in ast.walk(node.test)
    ):
        return
    if _names(node.test) & {*_changed(inside), *_given(inside)}:
        return
    why = "nothing in this loop changes what its test reads, and it awaits nothing: it never ends"
    advice = "await inside the loop what changes it, and sleep between rounds"
    reading.warn(CODE, _head(node), why, advice)


def _polling(reading: Reading, node: ast.While) -> None:
    """One call, always with the same arguments, in every round: the loop asks again and again."""
    inside = list(_inside(node))
    awaited = list(_awaits(node))
    counts = any(isinstance(one, ast.AugAssign) for one in inside)
    call = awaited[0].value if len(awaited) == 1 and isinstance(awaited[0], ast.Await) else None
    if counts or not isinstance(call, ast.Call) or reading.action(call) is None:
        return
    if _names(call) & set(_changed([one for one in inside if one is not call])):
        return
    why = f"this loop asks `{ast.unparse(call.func)}` the same again and again without a pause"
    reading.warn(CODE, _head(node), why, _PAUSE)


def _pauses(reading: Reading, nodes: Iterable[ast.AST], seen: set[object]) -> Iterator[ast.AST]:
    """Whatever may take its time, or leave that to others: all but the calls of actions, and of helpers without any."""
    for node in nodes:
        if isinstance(node, _TAKES_ITS_TIME) or reading.builtin(node) == "asyncio.sleep":
            yield node
        if isinstance(node, ast.Await) and not _asks(reading, node.value):
            yield node
        if _helper_pauses(reading, node, seen):
            yield node


def _helper_pauses(reading: Reading, node: ast.AST, seen: set[object]) -> bool:
    """Whether a call is that of a helper that may take its time, or end the loop by an error of its own."""
    job = reading.helper(node)
    if job is None or job.function in seen:
        return False
    seen.add(job.function)
    inner = read(reading.workflow, job, reading.reader, Reporter())
    if inner is None:
        return True
    nodes = list(ast.walk(inner.node))
    leaves = any(isinstance(one, ast.Raise | ast.Assert) for one in nodes)
    return leaves or any(_pauses(inner, nodes, seen))


def _asks(reading: Reading, node: ast.expr) -> bool:
    return (
        reading.action(node) is not None
        or reading.helper(node) is not None
        or reading.is_framework(node, "run_action")
        or reading.builtin(node) == "asyncio.gather"
    )


def _awaits(loop: ast.While) -> Iterator[ast.AST]:
    for node in _inside(loop):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _exits(loop: ast.While) -> Iterator[ast.AST]:
    """What leaves the loop: its own breaks, and every return and raise in it."""
    pending: list[tuple[ast.AST, bool]] = [(node, True) for node in loop.body]
    while pending:
        node, own = pending.pop()
        leaves = (ast.Return, ast.Raise, ast.Assert, *((ast.Break,) if own else ()))
        if isinstance(node, leaves):
            yield node
        if not isinstance(node, SCOPES):
            inner = own and not isinstance(node, LOOPS)
            pending += [(child, inner) for child in ast.iter_child_nodes(node)]


def _inside(loop: ast.While) -> Iterator[ast.AST]:
    for part in (loop.test, *loop.body):
        yield from ast.walk(part)


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _changed(nodes: list[ast.AST]) -> Iterator[str]:
    """Names that are bound, or whose objects are changed by an assignment or by one of their methods."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Attribute(value=value, ctx=ast.Store() | ast.Del()):
                yield from _names(value)
            case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
                yield from _names(value)
            case ast.Call(func=ast.Attribute(value=value)):
                yield from _names(value)
            case _:
                continue


def _given(nodes: list[ast.AST]) -> Iterator[str]:
    """Names whose objects are handed to a call, which may change them."""
    for node in nodes:
        if isinstance(node, ast.Call):
            for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                yield from _names(part)


def _head(node: ast.While) -> ast.AST:
    """The line of the loop, not all of its body."""
    head = ast.Pass()
    head.lineno, head.col_offset = node.lineno, node.col_offset
    head.end_lineno = node.test.end_lineno or node.lineno
    head.end_col_offset = node.test.end_col_offset or node.col_offset
    return head
