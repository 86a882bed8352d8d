"""A seed comes in; the text of a workflow that nests statements and expressions at random goes out."""

import random

HEAD = """\
from tests.language.steps import add, double, note
from waymark import Workflow, workflow


@workflow
class {name}(Workflow):
    async def run(self):
        out = []
        a, b, c = 1, 2, 3
        xs = [5, 6, 7]
        d = {{"k": 1}}
        try:
            out.append(("result", await self.body(out, a, b, c, xs, d)))
        except Exception as error:
            out.append((type(error).__name__, str(error), repr(error.__context__), repr(error.__cause__)))
        return out, xs, d

    def mark(self, out, value):
        out.append(("mark", value))
        if value == 13:
            raise LookupError(value)
        return value

    async def body(self, out, a, b, c, xs, d):
"""
NAMES = ("a", "b", "c")
ERRORS = (
    "ValueError",
    "KeyError",
    "ZeroDivisionError",
    "LookupError",
    "(ValueError, KeyError)",
    "Exception",
)


class Writer:
    """Writes one random function body; loops are short and numbers small."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.handlers = 0
        self.fresh = 0
        self.quoted = False

    def emit(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    # --- expressions -------------------------------------------------------------------------

    def expression(self, depth: int) -> str:
        pick = self.random.random()
        if depth <= 0 or pick < 0.2:
            return self.random.choice((*NAMES, *NAMES, str(self.random.randint(-3, 14)), 'd["k"]'))
        if self.quoted:  # up to 3.11, what stands in an f-string may hold none of its quotes
            return self.random.choice((self._binary, self._compare, self._ternary, self._await))(
                depth - 1
            )
        make = self.random.choice(
            (
                self._binary, self._binary, self._compare, self._logic, self._ternary, self._walrus,
                self._await, self._mark, self._item, self._comprehension, self._lambda, self._display,
                self._text, self._builtin,
            )
        )  # fmt: skip
        return make(depth - 1)

    def number(self, depth: int) -> str:
        return f"(({self.expression(depth)}) % 97)"

    def _binary(self, depth: int) -> str:
        op = self.random.choice(("+", "-", "*", "//", "%", "&", "|"))
        return f"({self.number(depth)} {op} {self.number(depth)})"

    def _compare(self, depth: int) -> str:
        parts = [self.number(depth) for _ in range(self.random.choice((2, 2, 3, 4)))]
        text = parts[0]
        for part in parts[1:]:
            text += f" {self.random.choice(('<', '>', '<=', '==', '!='))} {part}"
        return f"({text})"

    def _logic(self, depth: int) -> str:
        op = self.random.choice((" and ", " or "))
        text = op.join(self.expression(depth) for _ in range(self.random.choice((2, 3))))
        return f"(not ({text}))" if self.random.random() < 0.2 else f"({text})"

    def _ternary(self, depth: int) -> str:
        return (
            f"({self.expression(depth)} if {self.expression(depth)} else {self.expression(depth)})"
        )

    def _walrus(self, depth: int) -> str:
        return f"({self.random.choice(NAMES)} := {self.number(depth)})"

    def _await(self, depth: int) -> str:
        if self.random.random() < 0.3:
            return f"(await add({self.number(depth)}, b={self.number(depth)}))"
        return f"(await double({self.number(depth)}))"

    def _mark(self, depth: int) -> str:
        return f"self.mark(out, {self.number(depth)})"

    def _item(self, depth: int) -> str:
        return f"xs[{self.number(depth)} % 4]"

    def _comprehension(self, depth: int) -> str:
        name = self.random.choice((*NAMES, "v"))
        test = f" if {name} != {self.number(0)}" if self.random.random() < 0.5 else ""
        element = f"({name} + {self.random.choice(NAMES)})"
        if self.random.random() < 0.3:
            element = f"(await double({name}))"
        return f"sum([{element} for {name} in [{self.number(0)}, {self.number(0)}]{test}])"

    def _lambda(self, depth: int) -> str:
        name = self.random.choice((*NAMES, "v"))
        default = f"={self.number(0)}" if self.random.random() < 0.3 else ""
        return (
            f"(lambda {name}{default}: {name} - {self.random.choice(NAMES)})({self.number(depth)})"
        )

    def _display(self, depth: int) -> str:
        first, second, third = (self.expression(depth) for _ in range(3))
        return self.random.choice(
            (
                f"[{first}, {second}, {third}][1]",
                f"({first}, *[{second}], {third})[2]",
                f"{{'p': {first}, 'q': {second}}}['p']",
                f"len([*xs, {first}])",
            )
        )

    def _text(self, depth: int) -> str:
        self.quoted = True
        left, width, right = self.number(depth), self.number(0), self.number(depth)
        self.quoted = False
        return f"len(f'{{{left}!r:>{{{width} % 5}}}} {{{right}}}')"

    def _builtin(self, depth: int) -> str:
        return self.random.choice(
            (
                f"max({self.number(depth)}, {self.number(depth)})",
                f"int(str({self.number(depth)}))",
                f"sum(w * 2 for w in xs if w > {self.random.choice(NAMES)})",
                f"sorted(xs, key=lambda w: (w - {self.number(0)}) % 5)[0]",
                f"abs({self.number(depth)})",
            )
        )

    # --- statements --------------------------------------------------------------------------

    def block(self, indent: int, depth: int, *, loop: bool) -> None:
        for _ in range(self.random.choice((1, 2, 2, 3))):
            self.statement(indent, depth, loop=loop)

    def statement(self, indent: int, depth: int, *, loop: bool) -> None:
        pick = self.random.random()
        if depth <= 0 or pick < 0.4:
            self.simple(indent)
        elif pick < 0.5:
            self.jump(indent, loop=loop)
        elif pick < 0.65:
            self._if(indent, depth - 1, loop=loop)
        elif pick < 0.75:
            self._for(indent, depth - 1)
        elif pick < 0.8:
            self._while(indent, depth - 1)
        else:
            self._try(indent, depth - 1, loop=loop)

    def simple(self, indent: int) -> None:
        name, other = self.random.choice(NAMES), self.random.choice(NAMES)
        value = self.number(2)
        self.emit(
            indent,
            self.random.choice(
                (
                    f"out.append({self.expression(3)})",
                    f"{name} = {value}",
                    f"{name} = {other} = {value}",
                    f"{name} += {value}",
                    f"{name} -= {value}",
                    f"{name}, {other} = {other}, {value}",
                    f"xs[{self.number(1)} % 4] = {value}",
                    f"xs[{self.number(1)} % 3] += {value}",
                    f"d['k'] += {value}",
                    f"{name}, xs[0], *_ = {value}, {other}, 1, 2",
                    f"assert {self.expression(2)}, {value}",
                    f"del {name}",
                    f"{value}",
                )
            ),
        )

    def jump(self, indent: int, *, loop: bool) -> None:
        choices = [
            f"return {self.expression(2)}",
            f"raise ValueError({self.number(1)})",
            "raise KeyError",
        ]
        if self.handlers:
            choices += ["raise", f"raise KeyError({self.number(1)}) from None"]
        if loop:
            choices += ["break", "continue", "break", "continue"]
        self.emit(indent, f"if {self.expression(2)}:")
        self.emit(indent + 1, self.random.choice(choices))

    def _if(self, indent: int, depth: int, *, loop: bool) -> None:
        self.emit(indent, f"if {self.expression(3)}:")
        self.block(indent + 1, depth, loop=loop)
        if self.random.random() < 0.5:
            self.emit(indent, f"elif {self.expression(2)}:")
            self.block(indent + 1, depth, loop=loop)
        if self.random.random() < 0.5:
            self.emit(indent, "else:")
            self.block(indent + 1, depth, loop=loop)

    def _for(self, indent: int, depth: int) -> None:
        target = self.random.choice((*NAMES, "i", "a, b" if self.random.random() < 0.5 else "c"))
        items = "[(1, 2), (3, 4)]" if "," in target else f"range({self.number(1)} % 4)"
        self.emit(indent, f"for {target} in {items}:")
        self.block(indent + 1, depth, loop=True)
        self._otherwise(indent, depth)

    def _while(self, indent: int, depth: int) -> None:
        self.fresh += 1
        counter = f"n{self.fresh}"
        self.emit(indent, f"{counter} = 0")
        self.emit(indent, f"while ({counter} := {counter} + 1) < 4 and {self.expression(1)}:")
        self.block(indent + 1, depth, loop=True)
        self._otherwise(indent, depth)

    def _otherwise(self, indent: int, depth: int) -> None:
        if self.random.random() < 0.4:
            self.emit(indent, "else:")
            self.block(indent + 1, depth, loop=False)

    def _try(self, indent: int, depth: int, *, loop: bool) -> None:
        self.emit(indent, "try:")
        self.block(indent + 1, depth, loop=loop)
        handlers = self.random.choice((0, 1, 1, 2))
        for number in range(handlers):
            self.fresh += 1
            named = self.random.random() < 0.6
            error = self.random.choice(ERRORS)
            self.emit(indent, f"except {error} as e{self.fresh}:" if named else f"except {error}:")
            if named:
                self.emit(
                    indent + 1,
                    f"out.append(('caught', {number}, repr(e{self.fresh}), repr(e{self.fresh}.__context__)))",
                )
            before, self.handlers = self.handlers, self.handlers + 1
            self.block(indent + 1, depth, loop=loop)
            self.handlers = before
        if handlers and self.random.random() < 0.4:
            self.emit(indent, "else:")
            self.block(indent + 1, depth, loop=loop)
        if not handlers or self.random.random() < 0.5:
            self.emit(indent, "finally:")
            before, self.handlers = self.handlers, 0
            self.block(indent + 1, depth, loop=loop)
            self.handlers = before


def random_workflow(seed: int, *, name: str) -> str:
    """The text of a module with one workflow, the same for the same seed."""
    writer = Writer(seed)
    for _ in range(writer.random.randint(2, 5)):
        writer.statement(2, 3, loop=False)
    writer.emit(2, "return a, b, c")
    return HEAD.format(name=name) + "\n".join(writer.lines) + "\n"
