"""A seed comes in; the source of a random workflow, full of nested exits, awaits and errors, goes out."""

from __future__ import annotations

import random
from collections.abc import Callable

HEADER = """
import asyncio
from tests.language.steps import add, boom, double, echo, note
from waymark import Workflow, workflow


@workflow
class {name}(Workflow):
    def __init__(self):
        self.n = 0

    async def run(self):
        log = []
        a, b, c, xs, d = 1, 2, 3, [1, 2, 3], {{"k": 1}}
{body}
        return log, a, b, c, xs, d, self.n

    def helper(self, x, *more, y=1):
        self.n += 1
        if x == 3:
            raise LookupError("three")
        return x + y + len(more)

    async def slow(self, x, log):
        try:
            self.n += await double(x)
            if x % 3 == 2:
                raise KeyError(x)
            return x
        finally:
            log.append(await note(f"slow {{x}}"))
"""
_ERRORS = ("ValueError", "KeyError", "ZeroDivisionError", "TypeError", "LookupError", "Exception")


_DEEPEST = 3


class Program:
    """Writes one program; ``depth`` bounds how deep statements nest."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.loops = 0
        self.counter = 0
        self.deep = 0

    def source(self, name: str) -> str:
        """The whole module."""
        return HEADER.format(name=name, body="\n".join(self.guarded() + self.block(2, 1, count=2)))

    def guarded(self) -> list[str]:
        """Statements of which none can end the run by an error."""
        lines: list[str] = []
        for _ in range(5):
            lines += ["        try:", *self.block(3, 1), "        except Exception as e:"]
            lines += ["            log.append((repr(e), repr(e.__cause__), repr(e.__context__)))"]
            lines += ["            a, b, c = 1, 2, 3"]
        return lines

    def block(self, indent: int, depth: int, *, count: int = 0) -> list[str]:
        """Some statements."""
        lines: list[str] = []
        for _ in range(count or self.random.randint(1, 3)):
            lines += self.statement(indent, depth)
        return lines

    def statement(self, indent: int, depth: int) -> list[str]:
        """One statement, as lines."""
        pad = "    " * indent
        simple: list[Callable[[], list[str]]] = [
            *(self.assign, self.augment, self.append, self.call),
            *(self.gather, self.exit, self.put, self.unpack),
        ]
        nested: list[Callable[[int, int], list[str]]] = [
            *(self.if_, self.for_, self.while_),
            *(self.try_, self.try_, self.try_),
        ]
        if depth < _DEEPEST and self.random.random() < 0.5:
            return self.random.choice(nested)(indent, depth)
        return [pad + line for line in self.random.choice(simple)()]

    # --- simple statements ----------------------------------------------------------------------

    def assign(self) -> list[str]:
        return [f"{self.name()} = {self.number()}"]

    def augment(self) -> list[str]:
        target = self.random.choice([self.name(), "xs[0]", 'd["k"]', "self.n"])
        return [f"{target} {self.random.choice(['+=', '-=', '*=', '^=', '%='])} {self.number()}"]

    def append(self) -> list[str]:
        return [f"log.append({self.value()})"]

    def call(self) -> list[str]:
        return [
            self.random.choice(
                [f"await {self.awaitable()}", f"{self.name()} = await {self.awaitable()}"]
            )
        ]

    def gather(self) -> list[str]:
        parts = ", ".join(self.awaitable() for _ in range(self.random.randint(0, 3)))
        tolerant = self.random.random() < 0.5
        spread = f"{', ' if parts else ''}*[self.slow(i, log) for i in range({self.random.randint(0, 3)})]"
        call = (
            f"await asyncio.gather({parts}{spread}{', return_exceptions=True' if tolerant else ''})"
        )
        return [f"log.append([repr(each) for each in {call}])"]

    def exit(self) -> list[str]:
        options = [
            f"return log, {self.name()}",
            f"raise {self.random.choice(_ERRORS)}({self.value()})",
            "pass",
        ]
        options += [f"assert {self.test()}, {self.value()}"]
        if self.loops:
            options += ["break", "continue", "break", "continue"]
        return [f"if {self.test()}:", f"    {self.random.choice(options)}"]

    def put(self) -> list[str]:
        return [
            self.random.choice(
                [
                    f"d[{self.value()}] = {self.value()}",
                    f"xs.insert({self.number()} % 3, {self.number()})",
                    f"xs[{self.number()} % 5] = {self.number()}",
                    "del xs[0]",
                    f"d.pop({self.value()}, None)",
                ]
            )
        ]

    def unpack(self) -> list[str]:
        return [
            self.random.choice(
                [f"a, b = {self.number()}, {self.number()}", f"c, *xs = [{self.number()}, *xs]"]
            )
        ]

    # --- nested statements ----------------------------------------------------------------------

    def if_(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        lines = [f"{pad}if {self.test()}:", *self.block(indent + 1, depth + 1)]
        if self.random.random() < 0.5:
            lines += [f"{pad}else:", *self.block(indent + 1, depth + 1)]
        return lines

    def for_(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        source = self.random.choice(
            [
                "range(3)",
                "list(xs)[:4]",
                "list(d.items())[:3]",
                "enumerate('ab')",
                "zip([1, 2], 'xy')",
            ]
        )
        self.loops += 1
        lines = [
            f"{pad}for {self.random.choice(['i', 'a'])} in {source}:",
            *self.block(indent + 1, depth + 1),
        ]
        self.loops -= 1
        if self.random.random() < 0.4:
            lines += [f"{pad}else:", *self.block(indent + 1, depth + 1)]
        return lines

    def while_(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        self.counter += 1
        turn = f"turn{self.counter}"
        self.loops += 1
        lines = [
            f"{pad}{turn} = 0",
            f"{pad}while {turn} < 3 and {self.test()}:",
            f"{pad}    {turn} += 1",
        ]
        lines += self.block(indent + 1, depth + 1)
        self.loops -= 1
        if self.random.random() < 0.4:
            lines += [f"{pad}else:", *self.block(indent + 1, depth + 1)]
        return lines

    def try_(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        lines = [f"{pad}try:", *self.block(indent + 1, depth + 1)]
        handlers = self.random.randint(0, 2)
        for _ in range(handlers):
            kind = self.random.choice([*_ERRORS, "(ValueError, LookupError)"])
            lines += [
                f"{pad}except {kind} as e:",
                f"{pad}    log.append((type(e).__name__, str(e), repr(e.__context__)))",
            ]
            lines += self.block(indent + 1, depth + 1)
            if self.random.random() < 0.3:
                lines += [
                    f"{pad}    {self.random.choice(['raise', 'raise RuntimeError(1) from e', 'raise KeyError(2)'])}"
                ]
        if handlers and self.random.random() < 0.3:
            lines += [f"{pad}else:", *self.block(indent + 1, depth + 1)]
        if not handlers or self.random.random() < 0.6:
            lines += [f"{pad}finally:", *self.block(indent + 1, depth + 1)]
        return lines

    # --- expressions ----------------------------------------------------------------------------

    def name(self) -> str:
        return self.random.choice("abc")

    def number(self) -> str:
        self.deep += 1
        made = self.number_of(self.random.randint(0, 9 if self.deep < 4 else 5))
        self.deep -= 1
        return made

    def number_of(self, choice: int) -> str:
        if choice < 3:
            return str(self.random.randint(-2, 5))
        if choice < 6:
            return self.name()
        if choice == 6:
            return f"({self.number()} {self.random.choice(['+', '-', '*', '//', '%'])} {self.number()})"
        if choice == 7:
            return f"self.helper({self.number()}, *xs[:2], y={self.number()})"
        if choice == 8:
            return f"(await {self.awaitable()})"
        return (
            f"sum([v for v in xs if {self.test()}])"
            if self.random.random() < 0.7
            else "any(v == a for v in xs)"
        )

    def value(self) -> str:
        choice = self.random.randint(0, 7)
        if choice < 3:
            return self.number()
        return [
            f"f'{{{self.name()}}}-{{{self.number()}!r:>4}}'",
            f"({self.number()}, {self.number()})",
            "tuple(xs)",
            f"({self.number()} if {self.test()} else {self.number()})",
            f"str([v * 2 for v in xs if v != {self.number()}])",
        ][choice - 3]

    def test(self) -> str:
        choice = self.random.randint(0, 5)
        if choice < 3:
            return f"{self.number()} {self.random.choice(['<', '==', '!=', '>='])} {self.number()}"
        return [
            f"{self.number()} in xs",
            f"({self.number()} and not {self.number()})",
            f"({self.number()} or {self.number()})",
        ][choice - 3]

    def awaitable(self) -> str:
        return self.random.choice(
            [
                f"double({self.name()})",
                f"add({self.name()}, b={self.random.randint(0, 4)})",
                f"echo({self.name()})",
                f"self.slow({self.random.randint(0, 5)}, log)",
                f"boom('{self.random.choice(_ERRORS[:3])}', {self.random.randint(0, 3)})",
                f"asyncio.sleep({self.random.randint(0, 2)}, {self.random.randint(0, 3)})",
            ]
        )
