"""``def`` and ``async def`` inside a function: a node in, a function of its own and the value of its name out."""

from __future__ import annotations

import ast
import builtins

from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.diagnostics import Unsupported
from waymark.compiler.frames import child_frame, close_frame, made_function, signature
from waymark.compiler.scopes import Definition, function_kind, parameters
from waymark.compiler.symbols import Refused
from waymark_schema.ir import instructions as ins


def define(ctx: Context, node: ast.stmt) -> None:
    """Decorators, then defaults, are evaluated here; then the function is made, decorated and named."""
    assert isinstance(node, Definition)
    builder = ctx.builder
    _check_annotations(ctx, node)
    _check_decorators(ctx, node)
    arguments = node.args
    named = [
        (argument.arg, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    number = ctx.tables.reserve()
    slots = ctx.operands([
        *node.decorator_list, *arguments.defaults, *(default for _, default in named),
    ])  # fmt: skip
    decorators, slots = slots[: len(node.decorator_list)], slots[len(node.decorator_list) :]
    kind = function_kind(node)
    inner = child_frame(ctx, node, name=node.name)
    inner.body(node.body)
    close_frame(inner, number, name=node.name, kind=kind, parameters=signature(node, {}))
    count = len(arguments.defaults)
    names = [name for name, _ in named]
    made = ins.MakeFunction(0, number, slots[:count], names, slots[count:], [])
    value = made_function(ctx, inner, None, made)
    for decorator in reversed(decorators):
        label = builder.label()
        builder.terminate(ins.Call(value, decorator, [value], [], [], -1, -1, label))
        builder.place(label)
    variable = ctx.scope.find(node.name)
    assert variable is not None
    ctx.store(variable, value)


def _check_decorators(ctx: Context, node: Definition) -> None:
    for decorator in node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = ctx.symbol(function)
        if isinstance(found, Refused):
            name = ast.unparse(function)
            ctx.reject(
                "WM133",
                decorator,
                f"decorator `@{name}` is not part of the workflow language",
                "leave it out, or write what it does as a function of your own",
            )


def _check_annotations(ctx: Context, node: Definition) -> None:
    """Annotations are left out of the program: they may not do anything that would be missed."""
    if ctx.namespace.postponed:
        return
    annotations = [one.annotation for one in parameters(node.args)]
    wrong = [
        part
        for annotation in filter(None, [*annotations, node.returns])
        for part in ast.walk(annotation)
        if isinstance(part, _RUNNING) or (isinstance(part, ast.Name) and _is_missing(ctx, part.id))
    ]
    for part in wrong:
        if isinstance(part, ast.Name):
            what = f"name `{part.id}` is not defined"
            ctx.report("WM120", part, what, "define or import it at module level")
        else:
            what = "an annotation inside a workflow is not evaluated, and this one runs code"
            ctx.report("WM106", part, what, "name a type in it")
    if wrong:
        raise Unsupported


_RUNNING = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)


def _is_missing(ctx: Context, name: str) -> bool:
    known = ctx.namespace.names.keys() | ctx.namespace.closure.keys()
    return ctx.scope.find(name) is None and name not in known and not hasattr(builtins, name)


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {
    ast.FunctionDef: define,
    ast.AsyncFunctionDef: define,
    ast.Nonlocal: lambda _ctx, _node: None,
}
TARGETS: dict[type[ast.AST], Assign] = {}
