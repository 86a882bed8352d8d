"""An expression comes in; its value as the machine's operations compute it goes out (no program in between)."""

from __future__ import annotations

import ast
from collections import deque
from typing import Any

from waymark_worker.vm import builtins, operations
from waymark_worker.vm.invoking import implementation
from waymark_worker.vm.iterators import iterate
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&",
    ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {
    ast.Not: "not",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


def evaluate(source: str, **names: Any) -> Any:
    """Compute ``source`` with the machine's operations; sets in the answer become host sets."""
    return host(_Evaluator(names).visit(ast.parse(source, mode="eval").body))


def host(value: Any) -> Any:
    """Replace the machine's sets in ``value``, so that it can be compared with CPython's."""
    if isinstance(value, OrderedSet):
        return {host(item) for item in value}
    if isinstance(value, OrderedFrozenset):
        return frozenset(host(item) for item in value)
    if type(value) in {list, tuple}:
        return type(value)(host(item) for item in value)
    if type(value) is deque:
        return deque((host(item) for item in value), value.maxlen)
    if type(value) is dict:
        return {host(key): host(item) for key, item in value.items()}
    return value


class _Evaluator(ast.NodeVisitor):
    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def generic_visit(self, node: ast.AST) -> Any:
        msg = f"the test evaluator has no {type(node).__name__}"
        raise NotImplementedError(msg)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return self.names[node.id]
        return builtins.value(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        return operations.get_attr(self.visit(node.value), node.attr)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        return operations.binary(_BINARY[type(node.op)])(
            self.visit(node.left), self.visit(node.right)
        )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        return operations.unary(_UNARY[type(node.op)])(self.visit(node.operand))

    def visit_Compare(self, node: ast.Compare) -> Any:
        (op,), (right,) = node.ops, node.comparators
        return operations.compare(_COMPARE[type(op)])(self.visit(node.left), self.visit(right))

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        return operations.get_item(self.visit(node.value), self.visit(node.slice))

    def visit_Slice(self, node: ast.Slice) -> Any:
        return slice(*(part and self.visit(part) for part in (node.lower, node.upper, node.step)))

    def visit_List(self, node: ast.List) -> Any:
        made: list[Any] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                operations.extend(made, self.visit(item.value))
            else:
                made.append(self.visit(item))
        return made

    def visit_Tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.visit(item) for item in node.elts)

    def visit_Set(self, node: ast.Set) -> Any:
        made = OrderedSet()
        for item in node.elts:
            operations.set_add(made, self.visit(item))
        return made

    def visit_Dict(self, node: ast.Dict) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                operations.dict_merge(made, self.visit(value))
            else:
                operations.dict_set(made, self.visit(key), self.visit(value))
        return made

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return "".join(self.visit(part) for part in node.values)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> Any:
        conversion = "" if node.conversion < 0 else chr(node.conversion)
        spec = self.visit(node.format_spec) if node.format_spec else ""
        return operations.format_value(self.visit(node.value), conversion, spec)

    def visit_Call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            obj = self.visit(node.func.value)
            args, keywords = self._arguments(node)
            return operations.call_method(None, obj, node.func.attr, args, keywords)
        run = implementation(self.visit(node.func))
        assert run is not None, ast.unparse(node)
        args, keywords = self._arguments(node)
        return run(None, args, keywords)

    def _arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                args.extend(iterate(self.visit(arg.value)))
            else:
                args.append(self.visit(arg))
        return args, {str(keyword.arg): self.visit(keyword.value) for keyword in node.keywords}
