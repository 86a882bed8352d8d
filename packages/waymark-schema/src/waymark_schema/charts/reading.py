"""A program, its spans and its source in; the tree of its control flow out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from waymark_schema.charts.expressions import Expressions, shortened
from waymark_schema.charts.meanings import Meanings, SourceText
from waymark_schema.charts.nodes import (
    Arm,
    Chart,
    Choice,
    Code,
    Exit,
    FunctionChart,
    Guarded,
    Loop,
    Node,
    Place,
    Scope,
    Step,
)
from waymark_schema.charts.numbering import numbered
from waymark_schema.ir.program import Program, Spans


def chart(program: Program, spans: Spans, sources: Mapping[str, str], *, digest: str = "") -> Chart:
    """Draw up the control flow of a program.

    ``sources`` maps file names, as the spans have them, to texts; functions of files that are not there
    are left out.

    Raises:
        SyntaxError: a source is written for another Python.
        KeyError: there is no source for the file of ``run``.
    """
    texts = {name: SourceText.parsed(text) for name, text in sources.items()}
    charts = []
    for number, function in enumerate(program.functions):
        file = spans.files[number]
        if number == 0 and file not in texts:
            raise KeyError(file)
        places = [span for block in spans.spans[number] for span in block]
        if function.kind != "async" or file not in texts or not places:
            continue
        lines = range(min(one.line for one in places), max(one.line for one in places) + 1)
        node = texts[file].definition(function.name, lines)
        if node is None:
            continue
        meanings = Meanings(program, function, spans.spans[number])
        body = _Statements(texts[file], meanings).sequence(node.body)
        charts.append(
            FunctionChart(
                number, function.qualname, _signature(node), file, texts[file].place(node), body
            )
        )
    return numbered(Chart(program.workflow, digest, charts))


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    arguments = ast.unparse(node.args)
    for own in ("self, ", "self"):
        if arguments == own or (own == "self, " and arguments.startswith(own)):
            arguments = arguments[len(own) :]
    return f"{node.name}({arguments}){returns}"


class _Statements:
    """Statements of one function to nodes."""

    def __init__(self, text: SourceText, meanings: Meanings) -> None:
        self._text = text
        self._inner = Expressions(text, meanings)
        self._readers: dict[type[ast.stmt], Callable[[Any], list[Node]]] = {
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Match: self._match,
            ast.Return: self._return,
            ast.Raise: self._raise,
            ast.Break: self._jump,
            ast.Continue: self._jump,
        }

    def sequence(self, statements: list[ast.stmt]) -> list[Node]:
        """Nodes of statements in order; those without a step are drawn together."""
        nodes: list[Node] = []
        plain: list[ast.stmt] = []
        for statement in statements:
            if _is_docstring(statement, statements):
                continue
            reader = self._readers.get(type(statement))
            found = reader(statement) if reader is not None else self._simple(statement)
            if not found:
                plain.append(statement)
                continue
            nodes += self._code(plain)
            plain = []
            nodes += found
        return [*nodes, *self._code(plain)]

    def _place(self, node: ast.stmt | ast.expr | ast.excepthandler) -> Place:
        return self._text.place(node)

    def _code(self, statements: list[ast.stmt]) -> list[Node]:
        if not statements:
            return []
        first, last = self._place(statements[0]), self._place(statements[-1])
        place = Place(first.line, first.column, last.end_line, last.end_column)
        return [Code(shortened(statements[0]), len(statements), place)]

    def _simple(self, statement: ast.stmt) -> list[Node]:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return []
        found = self._inner.steps(statement)
        match statement:
            case ast.Assign(targets=[target], value=ast.Await()):
                return _with_result(found, ast.unparse(target))
            case ast.AnnAssign(target=target, value=ast.Await()):
                return _with_result(found, ast.unparse(target))
            case _:
                return found

    def _if(self, node: ast.If) -> list[Node]:
        before = self._inner.steps(node.test)
        arms = [Arm(f"if {shortened(node.test)}", self.sequence(node.body), self._place(node))]
        rest = node.orelse
        complete = bool(rest)
        while (
            len(rest) == 1 and isinstance(rest[0], ast.If) and not self._inner.steps(rest[0].test)
        ):
            other = rest[0]
            label = f"elif {shortened(other.test)}"
            arms.append(Arm(label, self.sequence(other.body), self._place(other)))
            rest = other.orelse
            complete = bool(rest)
        if rest:
            arms.append(Arm("else", self.sequence(rest)))
        return [
            *before,
            Choice("if", shortened(node.test), arms, self._place(node), complete=complete),
        ]

    def _match(self, node: ast.Match) -> list[Node]:
        arms = []
        for case in node.cases:
            guard = f" if {shortened(case.guard)}" if case.guard else ""
            body = self.sequence(case.body)
            if case.guard is not None:
                body = [*self._inner.steps(case.guard), *body]
            arms.append(Arm(f"case {shortened(case.pattern)}{guard}", body))
        last = node.cases[-1]
        complete = last.guard is None and _catches_all(last.pattern)
        label = f"match {shortened(node.subject)}"
        choice = Choice("match", label, arms, self._place(node), complete=complete)
        return [*self._inner.steps(node.subject), choice]

    def _for(self, node: ast.For | ast.AsyncFor) -> list[Node]:
        word = "async for" if isinstance(node, ast.AsyncFor) else "for"
        label = f"{word} {shortened(node.target)} in {shortened(node.iter)}"
        body, otherwise = self.sequence(node.body), self.sequence(node.orelse)
        loop = Loop(label, body, self._place(node), otherwise=otherwise)
        return [*self._inner.steps(node.iter), loop]

    def _while(self, node: ast.While) -> list[Node]:
        body = [*self._inner.steps(node.test), *self.sequence(node.body)]
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        label = f"while {shortened(node.test)}"
        otherwise = self.sequence(node.orelse)
        return [Loop(label, body, self._place(node), otherwise=otherwise, endless=endless)]

    def _try(self, node: ast.Try | ast.TryStar) -> list[Node]:
        word = "except*" if isinstance(node, ast.TryStar) else "except"
        handlers = []
        for handler in node.handlers:
            kind = f" {shortened(handler.type)}" if handler.type else ""
            name = f" as {handler.name}" if handler.name else ""
            place = self._place(handler)
            handlers.append(Arm(f"{word}{kind}{name}", self.sequence(handler.body), place))
        return [
            Guarded(
                self.sequence(node.body),
                handlers,
                self.sequence(node.orelse),
                self.sequence(node.finalbody),
                self._place(node),
            )
        ]

    def _with(self, node: ast.With | ast.AsyncWith) -> list[Node]:
        before = [step for item in node.items for step in self._inner.steps(item.context_expr)]
        word = "async with" if isinstance(node, ast.AsyncWith) else "with"
        label = f"{word} {', '.join(shortened(item) for item in node.items)}"
        return [*before, Scope(label, self.sequence(node.body), self._place(node))]

    def _return(self, node: ast.Return) -> list[Node]:
        found = self._inner.steps(node.value) if node.value else []
        value = "" if node.value is None or found else f" {shortened(node.value)}"
        if found and not isinstance(node.value, ast.Await):
            value = " a value made of it"
        return [*found, Exit("return", f"return{value}", self._place(node))]

    def _raise(self, node: ast.Raise) -> list[Node]:
        found = self._inner.steps(node)
        value = f" {shortened(node.exc)}" if node.exc else " again"
        return [*found, Exit("raise", f"raise{value}", self._place(node))]

    def _jump(self, node: ast.Break | ast.Continue) -> list[Node]:
        kind = "break" if isinstance(node, ast.Break) else "continue"
        return [Exit(kind, kind, self._place(node))]


def _is_docstring(statement: ast.stmt, statements: list[ast.stmt]) -> bool:
    return (
        statement is statements[0]
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _with_result(nodes: list[Node], result: str) -> list[Node]:
    """The last step's result goes there."""
    *before, last = nodes
    if isinstance(last, Step):
        fields = {name: getattr(last, name) for name in last.__struct_fields__}
        return [*before, Step(**{**fields, "result": result})]
    return nodes


def _catches_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None
