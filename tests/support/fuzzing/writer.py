"""A source of random choices comes in; the text of a module with one well-typed workflow goes out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import TypeVar

from tests.support.fuzzing import grammar
from tests.support.fuzzing.grammar import (
    HEAD,
    KINDS,
    NONLOCAL,
    PREAMBLE,
    REPORT,
    STATEMENTS,
    Production,
)
from waymark.compiler import subset
from waymark_schema.ir import language, library

_T = TypeVar("_T")
_PART = re.compile(r"<([A-Za-z]+|#)>")
_BLOCK = re.compile(r"<(BLOCK|LOOP|HANDLER|FINALLY|STAR|DEF|ADEF|GEN|AGEN|SAME)>")
_AUGMENTED = ("+=", "-=", "+=", "^=", "|=", "&=", "%=", "//=", ">>=")
_DEEPEST_EXPRESSION = 2


@dataclass(frozen=True, slots=True)
class Where:
    """What may stand where the text is being written."""

    level: int = 3
    awaits: bool = True
    loop: bool = False
    returns: bool = True
    generator: bool = False
    errors: tuple[str, ...] = ()
    """Names of the exceptions that are being handled in this function, innermost last."""
    pure: bool = False
    depth: int = 0
    deepest: int = 3


@cache
def _known(node: str) -> bool:
    if not node or node == "lambda":
        return True
    kind = getattr(ast, node, None)
    if isinstance(kind, type):
        return kind in subset.ACCEPTED
    return node in language.BUILTINS or node in library.COMPILED


@cache
def _usable(kind: str, where: Where, leaf: bool) -> tuple[list[Production], list[int]]:
    """What may be chosen, and the running totals of the weights."""
    found = []
    for each in KINDS.get(kind) or STATEMENTS[kind]:
        allowed = _known(each.node) and each.level <= where.level
        allowed = allowed and (each.leaf or not leaf)
        allowed = allowed and (where.awaits or not each.awaits)
        allowed = allowed and not (where.pure and each.impure)
        allowed = allowed and (where.loop or not each.loop)
        allowed = allowed and (where.returns or not each.returns)
        allowed = allowed and (where.generator or not each.generator)
        allowed = allowed and not (each.sync and where.awaits)
        allowed = allowed and (bool(where.errors) or not each.handler)
        named = bool(where.errors and where.errors[-1])
        if allowed and (named or "<e>" not in each.template):
            found.append(each)
    totals, total = [], 0
    for each in found:
        total += each.weight
        totals.append(total)
    return found, totals


@dataclass(slots=True)
class Writer:
    """Writes one module. The same choices give the same text."""

    random: Random
    lines: list[str] = field(default_factory=list)
    where: Where = field(default_factory=Where)
    indent: int = 0
    fresh: int = 0
    nesting: int = 0
    caught: str = ""

    def module(self, name: str) -> str:
        """The whole text."""
        self.lines = []
        with self._function("def mix(x, *more, y=1, **named)", Where(0, awaits=False, deepest=1)):
            self.emit("log = []")
            self._short("x + y + len(more) + len(named)")
        self.emit("\n\n@workflow")
        self.emit(f"class {name}(Workflow):")
        self.indent = 1
        self.emit("def __init__(self):\n    self.n, self.seen = 0, []\n")
        self.emit("def say(self, value):\n    self.seen.append(value)\n    return value\n")
        with self._function("def helper(self, x, *more, y=1)", Where(1, awaits=False, deepest=1)):
            self.emit("log = self.seen")
            self._short("x + y")
        with self._function("async def slow(self, x)", Where(1, deepest=2)):
            self.emit("log = self.seen")
            self._body("x", blocks=1)
        with self._function("async def run(self)", Where()):
            self.emit("log = self.seen")
            self._body("a, b, c, i, v, xs, ys, d, s, t, nest, sorted(st), box, log", blocks=2)
        return HEAD + "\n".join(self.lines) + "\n"

    def emit(self, text: str) -> None:
        """Add lines at the present indent."""
        self.lines += ["    " * self.indent + line for line in text.split("\n")]

    @contextmanager
    def _function(self, head: str, where: Where) -> Iterator[None]:
        self.emit(f"{head}:")
        self.indent += 1
        before, self.where = self.where, where
        yield
        self.where = before
        self.indent -= 1
        self.emit("")

    def _short(self, result: str) -> None:
        """Write the body of a function that most programs leave plain."""
        if self._integer(0, 2):
            self.emit(f"log.append(x)\nreturn {result}")
        else:
            self._body(result, blocks=1)

    def _body(self, result: str, *, blocks: int) -> None:
        self.emit(self._filled(PREAMBLE.rstrip()))
        for number in range(blocks - 1):
            self.emit("try:")
            self._block(self.where)
            self.emit(f"except Exception as error{number}:")
            self.emit("    " + REPORT.replace("<e>", f"error{number}"))
            self.emit("    a = b = c = i = v = w = 1")
        for _ in range(self._pick((1, 1, 2))):
            self._statement()
        self.emit(f"return {result}")

    # --- statements -----------------------------------------------------------------------------

    def _block(self, where: Where, *, deeper: int = 1) -> None:
        before, self.where = self.where, where
        self.indent += deeper
        for _ in range(self._pick((1, 1, 2, 2, 3))):
            self._statement()
        self.indent -= deeper
        self.where = before

    def _statement(self) -> None:
        kinds = ("assign", "simple", "simple", "nested", "nested", "nested")
        kind = self._pick(kinds if self.where.depth < self.where.deepest else kinds[:3])
        production = self._choose(kind)
        number = self.fresh
        self.fresh += 1
        template = production.template.replace("<NL>", NONLOCAL).replace("<#>", str(number))
        for line in template.rstrip("\n").split("\n"):
            block = _BLOCK.fullmatch(line.strip())
            if block is None:
                self.emit(self._filled(line))
                if line.startswith("except"):
                    named = re.search(r" as (\w+):", line)
                    self.caught = named[1] if named else ""
            else:
                depth = (len(line) - len(line.lstrip())) // 4
                self._block(self._inside(block[1]), deeper=0 if block[1] == "SAME" else depth)

    def _inside(self, kind: str) -> Where:
        where = replace(self.where, depth=self.where.depth + 1)
        if kind in {"DEF", "ADEF", "GEN", "AGEN"}:
            inner = replace(where, loop=False, errors=(), awaits=kind.startswith("A"))
            # An asynchronous generator returns nothing.
            return replace(inner, generator=kind.endswith("GEN"), returns=kind != "AGEN")
        if kind == "STAR":
            where = replace(where, loop=False, returns=False)
            return replace(where, errors=(*where.errors, self.caught))
        if kind == "LOOP":
            return replace(where, loop=True)
        if kind == "HANDLER":
            return replace(where, errors=(*where.errors, self.caught))
        if kind == "FINALLY":
            return replace(where, errors=())
        return where

    # --- expressions ----------------------------------------------------------------------------

    def _filled(self, template: str) -> str:
        return _PART.sub(lambda match: self._part(match[1]), template)

    def _part(self, kind: str) -> str:
        simple = _SIMPLE.get(kind)
        if simple is not None:
            return self._pick(simple)
        if kind == "t":
            return str(self._integer(-2, 5))
        if kind == "u":
            return str(self._integer(0, 3))
        if kind == "e":
            return self.where.errors[-1]
        return self._expression(kind)

    def _expression(self, kind: str) -> str:
        before = self.where
        if kind.startswith("p"):
            self.where = replace(before, pure=True)
        self.nesting += 1
        production = self._choose(kind, leaf=self.nesting > _DEEPEST_EXPRESSION)
        text = self._filled(production.template)
        self.nesting -= 1
        self.where = before
        return text

    # --- choices --------------------------------------------------------------------------------

    def _choose(self, kind: str, *, leaf: bool = False) -> Production:
        where = replace(self.where, depth=0, deepest=0)
        found, totals = _usable(kind, where, leaf)
        place = self._integer(1, totals[-1])
        return next(each for each, total in zip(found, totals, strict=True) if place <= total)

    def _integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def _pick(self, options: Sequence[_T]) -> _T:
        return options[self._integer(0, len(options) - 1)]


_SIMPLE: dict[str, Sequence[str]] = {
    "n": ("a", "b", "c", "a", "b", "c", "i", "v"),
    "v": ("v", "i", "a"),
    "L": ("xs", "ys", "xs"),
    "k": ("'k'", "'z'", "'q'", "s"),
    "aug": _AUGMENTED,
    "R": grammar.RAISED,
    "X": grammar.ERRORS,
}


def random_workflow(random: Random, *, name: str) -> str:
    """The text of a module with one workflow."""
    return Writer(random).module(name)
