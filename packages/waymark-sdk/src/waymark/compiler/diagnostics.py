"""Problems found in a class go in; one error that shows all of them with place, reason and rewrite comes out."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from waymark.errors import UnsupportedPatternError
from waymark_schema.ir.program import Span

MOVE_TO_ACTION = "move this into an @action function and await it"

TITLES: dict[str, str] = {
    "WM100": "this syntax is not part of the workflow language",
    "WM102": "this is not a context manager that a workflow can hold",
    "WM103": "this asynchronous iteration is not supported",
    "WM105": "this `yield` or `await` cannot stand here",
    "WM106": "this annotation of a nested function is not supported",
    "WM107": "classes cannot be defined inside a workflow",
    "WM108": "`global` is not supported",
    "WM109": "imports cannot stand inside a workflow",
    "WM110": "this constant cannot be kept durably",
    "WM112": "this use of `super()` is not supported",
    "WM113": "this use of `self` is not supported",
    "WM120": "this name is not defined",
    "WM121": "this module-level value cannot be captured",
    "WM122": "this function cannot be compiled in",
    "WM123": "this class cannot be used in a workflow",
    "WM124": "this name is not part of the workflow language",
    "WM125": "this clock or source of chance cannot be recorded",
    "WM126": "this class attribute cannot be captured",
    "WM127": "this default value cannot be captured",
    "WM128": "this workflow feature is not available yet",
    "WM129": "this regular expression cannot run in a workflow",
    "WM130": "the source of this function was not found",
    "WM131": "the source of this function has changed since it was imported",
    "WM132": "`run()` is missing or is not a coroutine function",
    "WM133": "this decorator is not supported on a workflow's method",
    "WM134": "this parameter is not supported",
    "WM140": "wrong use of `self.run_action`",
    "WM141": "this action cannot be called from a workflow",
}
"""What each code is about; the reference page is generated from it."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: its code, where it is, what it is, and what to write instead."""

    code: str
    message: str
    recommendation: str
    filename: str
    span: Span
    excerpt: str
    """The source line, with carets under the columns."""

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def column(self) -> int:
        return self.span.column

    @property
    def end_column(self) -> int:
        return self.span.end_column

    def __str__(self) -> str:
        place = f"{self.filename}:{self.span.line}:{self.span.column + 1}"
        lines = [f"{place}: {self.code} {self.message}", *self.excerpt.splitlines()]
        if self.recommendation:
            lines.append(f"  instead: {self.recommendation}")
        return "\n".join(lines)


class Unsupported(Exception):
    """Signal that lowering of one statement cannot go on; its diagnostic has been reported."""


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of one source file, to cut excerpts and spans from."""

    filename: str
    lines: tuple[str, ...]

    def span(self, node: ast.AST) -> Span:
        """Span of a node in characters; nodes without a place get line 1."""
        line = getattr(node, "lineno", 1)
        end_line = getattr(node, "end_lineno", None) or line
        return Span(
            line,
            self._characters(line, getattr(node, "col_offset", 0)),
            end_line,
            self._characters(end_line, getattr(node, "end_col_offset", None) or 0),
        )

    def _characters(self, line: int, offset: int) -> int:
        if not 1 <= line <= len(self.lines):
            return offset
        text = self.lines[line - 1]
        if text.isascii():
            return offset
        return len(text.encode()[:offset].decode(errors="replace"))

    def excerpt(self, span: Span) -> str:
        """Return the first line of ``span`` with carets under it."""
        if not 1 <= span.line <= len(self.lines):
            return ""
        text = self.lines[span.line - 1].rstrip()
        end = span.end_column if span.end_line == span.line else len(text)
        pad = "".join("\t" if char == "\t" else " " for char in text[: span.column])
        carets = "^" * max(1, end - span.column)
        return f"    {text}\n    {pad}{carets}"


@dataclass(slots=True)
class Reporter:
    """Collects the diagnostics of one class."""

    found: list[Diagnostic] = field(default_factory=list)

    def report(self, code: str, node: ast.AST, text: Text, message: str, instead: str) -> None:
        """Add a diagnostic about ``node``; the same code at the same place counts once."""
        span = text.span(node)
        for other in self.found:
            if (other.code, other.span, other.filename) == (code, span, text.filename):
                return
        self.found.append(
            Diagnostic(code, message, instead, text.filename, span, text.excerpt(span))
        )

    def begins_at(self, text: Text, node: ast.AST) -> bool:
        """Whether a problem that begins where ``node`` does was reported already."""
        span = text.span(node)
        begin = (text.filename, span.line, span.column)
        return any((one.filename, one.span.line, one.span.column) == begin for one in self.found)

    def raise_found(self, subject: str) -> None:
        """Raise one error with every diagnostic, in source order; nothing if there is none.

        Raises:
            UnsupportedPatternError: about ``subject``, the first problem in its attributes.
        """
        if not self.found:
            return
        found = sorted(self.found, key=lambda one: (one.filename, one.span.line, one.span.column))
        first = found[0]
        problems = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        text = "\n\n".join(str(one) for one in found)
        raise UnsupportedPatternError(
            f"{subject} cannot be compiled: {problems}\n\n{text}",
            first.recommendation,
            first.line,
            first.column,
            first.filename,
            diagnostics=tuple(found),
        )
