"""Objects as keys by a hash of their own, and special methods that break their protocol."""

from dataclasses import dataclass

from tests.language.steps import echo, note
from waymark import Workflow, workflow


@dataclass
class ById:
    number: int
    text: str = ""

    def __eq__(self, other):
        return isinstance(other, ById) and self.number == other.number

    def __hash__(self):
        return self.number


@dataclass
class Misbehaved:
    how: str

    def __len__(self):
        return -1 if self.how == "negative" else self.how

    def __bool__(self):
        return 5

    def __str__(self):
        return 7

    def __iter__(self):
        return [1]

    def __eq__(self, other):
        raise KeyError("eq")


@workflow
class KeysByTheirOwnHash(Workflow):
    async def run(self):
        table = {ById(1, "a"): "x", ById(2, "b"): "y"}
        seen = {ById(1, "first"), ById(1, "second"), ById(3)}
        await note("recovered")
        table[ById(1, "later")] = await echo("z")
        return table[ById(1)], len(table), [k.text for k in table], [k.text for k in seen], ById(3) in seen, ById(4) in seen


@workflow
class MisbehavedSpecialMethods(Workflow):
    async def run(self):
        out = []
        b = Misbehaved("negative")
        asked = [lambda: len(b), lambda: len(Misbehaved("x")), lambda: bool(b), lambda: str(b), lambda: list(b)]
        asked += [lambda: b == 1, lambda: [b] == [1], lambda: 1 in [b], lambda: f"{b}", lambda: {b}, lambda: b < b]
        asked += [lambda: next(b), lambda: sum([b]), lambda: max([b, b]), lambda: {**b}, lambda: [*b], lambda: not b]
        for f in asked:
            try:
                out.append(f())
            except Exception as e:
                out.append((type(e).__name__, str(e), repr(e.__context__)))
        return out


class Coded(Exception):
    def __init__(self, text, code=0):
        super().__init__(text)
        self.code = code

    def __str__(self):
        return f"{super().__str__()} ({self.code})"


class Missing(KeyError):
    def __str__(self):
        return "missing " + super().__str__()


class Several(ValueError):
    def __str__(self):
        return f"<{super().__str__()}>"


class Further(Coded):
    def __str__(self):
        return "further: " + super().__str__()


@workflow
class TextOfExceptionsByTheirBase(Workflow):
    async def run(self):
        out = []
        for error in (Coded("x", 4), Missing("key"), Missing(), Several(), Several(1), Several(1, "b"), Further("y", 2)):
            try:
                raise error
            except Exception as e:
                out.append((str(e), f"{e}", e.args))
        await note(out[0][0])
        raise Further(await echo("end"), 9)
