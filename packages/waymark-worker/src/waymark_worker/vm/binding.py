"""A signature comes in; a function that binds arguments to it exactly as CPython would goes out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from types import CodeType, FunctionType
from typing import Any

from waymark_schema.ir.program import Parameter
from waymark_worker.vm.callables import UNBOUND

_POSITIONAL = {"positional_only", "positional"}


def binder(
    name: str, qualname: str, parameters: Sequence[Parameter], optional: Collection[int]
) -> Callable[..., tuple[Any, ...]]:
    """Make a function that takes the parameters and returns them as a tuple in their order.

    Optional ones that are not given come back as ``UNBOUND``. The interpreter itself then reports what
    does not fit, in its own words. The function is made from names only: its body is one tuple display.
    """
    module = ast.parse("def bind(): pass")
    made = module.body[0]
    assert isinstance(made, ast.FunctionDef)
    made.args = _signature(parameters)
    names: list[ast.expr] = [ast.Name(each.name, ast.Load()) for each in parameters]
    made.body = [ast.Return(ast.Tuple(names, ast.Load()))]
    ast.fix_missing_locations(module)
    code = next(
        const
        for const in compile(module, "<signature>", "exec").co_consts
        if isinstance(const, CodeType)
    )
    marked = [
        index
        for index, each in enumerate(parameters)
        if index in optional and each.kind in _POSITIONAL
    ]
    function = FunctionType(code, {}, name, (UNBOUND,) * len(marked))
    function.__kwdefaults__ = {
        each.name: UNBOUND
        for index, each in enumerate(parameters)
        if index in optional and each.kind == "keyword_only"
    }
    function.__qualname__ = qualname
    return function


def _signature(parameters: Sequence[Parameter]) -> ast.arguments:
    def of(kind: str) -> list[ast.arg]:
        return [ast.arg(each.name) for each in parameters if each.kind == kind]

    keyword_only = of("keyword_only")
    return ast.arguments(
        posonlyargs=of("positional_only"),
        args=of("positional"),
        vararg=next(iter(of("var_positional")), None),
        kwonlyargs=keyword_only,
        # Real values are set on the function: an expression here would have to be compiled.
        kw_defaults=[None] * len(keyword_only),
        kwarg=next(iter(of("var_keyword")), None),
        defaults=[],
    )
