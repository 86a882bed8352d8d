"""One function of a program with its spans in; what its calls call, by their place in the source, out."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from waymark_schema.charts.nodes import Place
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.program import (
    ActionConstant,
    BuiltinConstant,
    Function,
    FunctionConstant,
    Program,
    Span,
)


@dataclass(frozen=True, slots=True)
class Callee:
    """What a call calls."""

    kind: str
    """``action``, ``builtin``, ``helper`` or ``function``."""
    name: str
    function: int = -1


class Meanings:
    """What the compiler made of the calls and awaits of one function."""

    def __init__(self, program: Program, function: Function, spans: list[list[Span]]) -> None:
        self._callees: dict[Place, Callee] = {}
        self._blocks: dict[Place, int] = {}
        constants = dict(function.constants)
        for at, (block, places) in enumerate(zip(function.blocks, spans, strict=True)):
            operations = (*block.instructions, block.terminator)
            for operation, span in zip(operations, places, strict=False):
                if isinstance(operation, ins.CallPure | ins.Call):
                    callee = _callee(program, constants.get(operation.callee, -1))
                    if callee is not None:
                        self._callees.setdefault(_place(span), callee)
                elif isinstance(operation, ins.Await):
                    self._blocks.setdefault(_place(span), at)

    def callee(self, place: Place) -> Callee | None:
        """What the call at a place calls, if that is known."""
        return self._callees.get(place)

    def block(self, place: Place) -> int:
        """The block that waits at a place; -1 if none does."""
        return self._blocks.get(place, -1)


def _callee(program: Program, constant: int) -> Callee | None:
    match program.constants[constant] if constant >= 0 else None:
        case ActionConstant(action=number):
            return Callee("action", program.actions[number].key)
        case BuiltinConstant(name=name):
            return Callee("builtin", name)
        case FunctionConstant(function=number):
            called = program.functions[number]
            return Callee("helper" if called.kind == "async" else "function", called.name, number)
        case _:
            return None


def _place(span: Span) -> Place:
    return Place(span.line, span.column, span.end_line, span.end_column)


@dataclass(frozen=True, slots=True)
class SourceText:
    """One file, parsed; places are in characters, as spans are."""

    lines: tuple[str, ...]
    tree: ast.Module

    @classmethod
    def parsed(cls, text: str) -> SourceText:
        """Parse a file; raises SyntaxError when this Python cannot read it."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return cls(tuple(text.split("\n")), ast.parse(text))

    def place(self, node: ast.stmt | ast.expr | ast.excepthandler) -> Place:
        """Where a node stands."""
        end_line = node.end_lineno or node.lineno
        return Place(
            node.lineno,
            self._characters(node.lineno, node.col_offset),
            end_line,
            self._characters(end_line, node.end_col_offset or 0),
        )

    def _characters(self, line: int, offset: int) -> int:
        text = self.lines[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))

    def definition(self, name: str, lines: range) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function of a name around some lines."""
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == name
            and node.lineno <= lines.start
            and lines.stop - 1 <= (node.end_lineno or 0)
        ]
        return max(found, key=lambda node: node.lineno, default=None)
