"""Members and values: class methods, properties, lambdas and generators as values, attributes by name."""

from dataclasses import dataclass

from pydantic import BaseModel, field_validator

from tests.language.steps import double, echo, flaky, note
from waymark import RetryPolicy, Workflow, workflow

INPUTS = {"MutableDefault": [{}, {"xs": [5]}]}


@dataclass
class Thing:
    n: int
    m: int = 1

    def label(self):
        return f"thing {self.n}"

    @property
    def half(self):
        return self.n / 2

    @staticmethod
    def plus(a, b):
        return a + b

    @classmethod
    def made(cls, n):
        return cls(n * 10)


@dataclass
class Checked:
    n: int
    twice: int = 0

    def __post_init__(self):
        if self.n < 0:
            raise ValueError(f"negative {self.n}")
        self.twice = self.n * 2


class Validated(BaseModel):
    name: str
    size: int = 1

    @field_validator("name")
    @classmethod
    def not_empty(cls, value):
        if not value:
            raise ValueError("empty name")
        return value.title()


class Coded(Exception):
    def __init__(self, code, *, hint=None):
        super().__init__(f"code {code}", hint)
        self.code = code
        self.hint = hint

    def describe(self):
        return f"{self.code}/{self.hint}"


class SubCoded(Coded):
    def __init__(self, code):
        super().__init__(code, hint="sub")
        self.extra = [code]


@workflow
class MutableDefault(Workflow):
    async def run(self, xs: list = []):
        xs.append(1)
        return xs


@workflow
class DefaultBehindMutableDefault(Workflow):
    async def run(self, n: int = 2, xs: list = [], m: int = 3, *, k: int = 4, d: dict = {}):
        xs.append(n)
        return xs, m, k, d


@workflow
class ClassMethod(Workflow):
    async def run(self):
        return self.make()

    @classmethod
    def make(cls):
        return 1


@workflow
class Property(Workflow):
    @property
    def half(self):
        return 0.5

    async def run(self):
        return self.half


@workflow
class GeneratorAsValue(Workflow):
    async def run(self):
        found = (x for x in [1, 2])
        return list(found)


@workflow
class LambdaAsValue(Workflow):
    async def run(self):
        twice = lambda x: x * 2
        return twice(2)


@workflow
class AttributeByName(Workflow):
    async def run(self):
        t = Thing(4)
        return t.label(), hasattr(t, "label"), hasattr(t, "zz"), getattr(t, "label")(), getattr(t, "n"), getattr(t, "zz", 5)


@workflow
class ClassMembers(Workflow):
    async def run(self):
        t = Thing.made(2)
        return t, Thing.plus(1, 2), t.plus(3, 4), t.made(5).label(), t.half


@workflow
class BoundMethodAsValue(Workflow):
    async def run(self):
        t = Thing(3)
        f = t.label
        g = "abc".upper
        h = [1, 2].append
        t.n = await double(4)
        h(3)
        return f(), g(), list(map(str.upper, ["a"])), sorted([Thing(2), Thing(1)], key=lambda x: x.n)


@workflow
class PostInit(Workflow):
    async def run(self):
        c = Checked(3)
        out = [c, c.twice]
        try:
            Checked(-1)
        except ValueError as e:
            out.append(str(e))
        out.append(await echo(c))
        return out


@workflow
class Validators(Workflow):
    async def run(self):
        v = Validated(name="ann")
        out = [v, v.name]
        try:
            Validated(name="")
        except ValueError as e:
            out.append(str(e).splitlines()[:2])
        v.size = 5
        out.append(await echo(v))
        return out


@workflow
class ExceptionMethods(Workflow):
    async def run(self):
        try:
            raise SubCoded(await double(2))
        except Coded as e:
            await note("x")
            return e.code, e.hint, e.extra, e.args, str(e), e.describe(), isinstance(e, SubCoded), type(e).__name__


@workflow
class ExceptionEscapes(Workflow):
    async def run(self):
        raise SubCoded(1) from Coded(2, hint="h")
