"""A function in; calls that are made and never awaited out: WM301."""

from __future__ import annotations

import ast
from types import CoroutineType

from waymark.checks.lints.reading import Reading, bindings

CODE = "WM301"
_LONGEST = 60
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.ListComp)
_OPERANDS = (ast.Compare, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.FormattedValue, ast.Assert)


def check(reading: Reading) -> None:
    """Warn about actions, helpers and sleeps that are called and thrown away, or taken for their result."""
    loaded = {
        node.id
        for node in ast.walk(reading.node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for node in reading.nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if reading.makes_call(node):
            _check(reading, node, loaded)
    for node in reading.nodes(ast.Await):
        assert isinstance(node, ast.Await)
        _check_called(reading, node)
    for node in reading.nodes(*_DISPLAYS):
        _check_display(reading, node, loaded)


def _check_called(reading: Reading, node: ast.Await) -> None:
    """``await act``: always a TypeError."""
    if reading.makes_call(ast.Call(node.value, [], [])):
        text = ast.unparse(node.value)
        why = f"`{text}` is awaited and not called: this is a TypeError"
        reading.warn(CODE, node.value, why, f"write `await {text}(…)`")


def _check_display(reading: Reading, node: ast.AST, loaded: set[str]) -> None:
    """Several calls in a list or tuple that nobody reads, or that ``run`` returns."""
    elements = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    calls = [node.elt] if isinstance(node, ast.ListComp) else elements
    if not any(reading.makes_call(one) for one in calls):
        return
    parent = reading.parents.get(node)
    name = _bound_name(parent)
    match parent:
        case ast.AST() if name and name not in loaded:
            why = f"`{name}` holds calls that nothing awaits: they never run"
        case ast.AST() if name and _only_returned(reading, name):
            why = f"run() returns `{name}`, which holds calls instead of their results: they never run"
        case ast.Return() if reading.is_run and _own(reading, parent):
            why = "run() returns calls instead of their results: they never run"
        case ast.Expr():
            why = "these calls are thrown away: without `await` they never run"
        case _:
            return
    reading.warn(CODE, node, why, "write `await asyncio.gather(…)` around the calls")


def _bound_name(statement: ast.AST | None) -> str:
    """The one name that an assignment binds; empty for any other statement."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""


def _only_returned(reading: Reading, name: str) -> bool:
    """Whether all that happens to a name of ``run``, bound once, is that ``run`` returns it."""
    if not reading.is_run or [*bindings(reading.node)].count(name) != 1:
        return False
    read = [
        reading.parents[node]
        for node in reading.nodes(ast.Name)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    return all(isinstance(parent, ast.Return) and _own(reading, parent) for parent in read)


def _check(reading: Reading, node: ast.Call, loaded: set[str]) -> None:
    parent = reading.parents.get(node)
    text, name = _short(node), _bound_name(parent)
    match parent:
        case ast.Expr():
            why = f"`{text}` is called and thrown away: without `await` it never runs"
        case ast.AST() if name and name not in loaded:
            why = f"`{name}` holds a call of `{text}` that nothing awaits: it never runs"
        case ast.AST() if name and (line := _line_of_operand(reading, name)):
            why = (
                f"`{name}` holds the call `{text}`, not its result, which line {line} takes it for"
            )
        case ast.AST() if name and _only_returned(reading, name):
            why = f"run() returns `{name}`, the call `{text}` instead of its result: it never runs"
        case ast.Return() if reading.is_run and _own(reading, parent):
            why = f"run() returns the call `{text}` instead of its result: it never runs"
        case _ if parent is not None and _takes_result(parent, node):
            why = f"`{text}` stands where its result is meant: without `await` it is a call that never runs"
        case _:
            return
    inner = isinstance(parent, ast.Attribute | ast.Subscript)
    reading.warn(CODE, node, why, f"write `(await {text})`" if inner else f"write `await {text}`")


def _own(reading: Reading, node: ast.AST) -> bool:
    """Whether a statement belongs to the function itself, not to one inside it."""
    while node is not reading.node:
        node = reading.parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return node is reading.node
    return True


def _line_of_operand(reading: Reading, name: str) -> int | None:
    """Where a name that is bound once is used as only a result can be; None if it is not."""
    if [*bindings(reading.node)].count(name) != 1:
        return None
    for node in reading.nodes(ast.Name):
        assert isinstance(node, ast.Name)
        read = node.id == name and isinstance(node.ctx, ast.Load)
        if read and _needs_result(reading.parents[node], node):
            return node.lineno
    return None


def _needs_result(parent: ast.AST, node: ast.expr) -> bool:
    """Whether what is no result fails here for sure: a name may be tested, compared and shown as it is."""
    match parent:
        case ast.AugAssign(value=part) | ast.Subscript(value=part) | ast.For(iter=part):
            return part is node
        case ast.comprehension(iter=part):
            return part is node and not parent.is_async
        case ast.Attribute(attr=attribute):
            return not hasattr(CoroutineType, attribute)
        case ast.UnaryOp(op=op):
            return not isinstance(op, ast.Not)
        case ast.Compare(ops=ops):
            return all(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in ops)
        case _:
            return isinstance(parent, ast.BinOp)


def _takes_result(parent: ast.AST, node: ast.expr) -> bool:
    match parent:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is node
        case ast.Subscript(value=value) | ast.Attribute(value=value):
            return value is node
        case ast.For(iter=items) | ast.comprehension(iter=items):
            return items is node
        case _:
            return isinstance(parent, _OPERANDS)


def _short(node: ast.Call) -> str:
    """The call with its arguments, unless they are long."""
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST and "\n" not in text else f"{ast.unparse(node.func)}(…)"
