"""Calls of what fields and attributes hold: functions of the program, classes, actions, builtins that call back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from tests.language.steps import Point, User, double, echo
from waymark import Workflow, workflow


@dataclass
class Hooks:
    fn: Any
    get: Any = None
    update: Any = None

    def twice(self, value):
        return self.fn(self.fn(value))

    def passed(self, *args, **named):
        return self.update(*args, **named)


class Settings(BaseModel):
    fn: Any = None


class Rule(NamedTuple):
    name: str
    fn: Callable[[int], bool]


@dataclass
class Adder:
    by: int

    def __call__(self, value):
        return self.by + value


@dataclass
class Even:
    number: int

    def __post_init__(self):
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")


class Told(Exception):
    def __init__(self, what="nothing"):
        super().__init__(f"told {what}")


def plus(x, y=1):
    return x + y


@workflow
class LambdaInAField(Workflow):
    async def run(self):
        return Hooks(lambda x: x + 1).fn(2), Settings(fn=plus).fn(2), Rule("small", lambda n: n < 5).fn(7)


@workflow
class FieldsNamedLikeMethods(Workflow):
    async def run(self):
        h = Hooks(plus, lambda key, default=None: [key, default], lambda *a, **k: (a, k))
        return h.get("a"), h.get("b", 2), h.update(1, x=2), h.update(*[3, 4], **{"y": 5}), h.twice(6), h.passed(7, z=8)


@workflow
class CallsWithinCalls(Workflow):
    async def run(self):
        h = Hooks(lambda x: x * 2, lambda x: [x])
        await echo(h.fn(1))
        text = f"{h.fn(h.fn(2))} and {h.fn(3) + h.fn(4) * h.fn(5)}"
        return text, [h.fn(i) for i in range(4) if h.fn(i) != 2], {h.fn(i): h.get(i) for i in (5, 6)}


@workflow
class AttributesSetLater(Workflow):
    async def run(self):
        error, point = Told(), Point(1)
        error.fn = plus
        point.x = lambda: [point.y, error.fn(2, y=3)]
        await double(2)
        return point.x()


@workflow
class AwaitablesAndGeneratorsInFields(Workflow):
    async def run(self):
        async def late(x):
            return [await echo(x)]

        def counted(n):
            yield from range(n)

        h = Hooks(double, late, counted)
        return await h.fn(3), await h.get("a"), list(h.update(3))


@workflow
class ClassesAndObjectsInFields(Workflow):
    async def run(self):
        log = [Hooks(Adder(4)).fn(3), Hooks(Even).fn(2), str(Hooks(Told).fn("all")), Hooks(User).fn(id=1, name="ann")]
        for wrong in (Hooks(Even), Hooks(3), Hooks(plus)):
            try:
                log.append(wrong.fn(5, *([6, 7] if wrong.fn is plus else [])))
            except (ValueError, TypeError) as e:
                log.append(str(e))
        return log


@workflow
class BuiltinsThatCallBackInFields(Workflow):
    async def run(self):
        h = Hooks(sorted, max, map)
        key = lambda x: -x
        return h.fn([3, 1, 2], key=key), h.get([3, 1, 2], key=key), list(h.update(key, [1])), Hooks(h.twice).fn([2, 1])


@workflow
class ErrorsOfFunctionsInFields(Workflow):
    async def run(self):
        def bad(x):
            raise KeyError(x)

        log, h = [], Hooks(bad)
        for early in (True, False):
            try:
                try:
                    if early:
                        log.append(h.fn(1) or h.fn(2))
                    raise IndexError(3)
                except LookupError as e:
                    log.append(repr(e))
                    log += [h.fn(4), "never"]
                finally:
                    log.append("finally")
            except KeyError as e:
                log.append((repr(e), repr(e.__context__)))
        return log


@workflow
class DepthOfFunctionsInFields(Workflow):
    async def run(self):
        def down(n):
            return 0 if n == 0 else 1 + Hooks(down).fn(n - 1)

        try:
            return down(30), down(100_000)
        except RecursionError:
            return down(31)


@workflow
class FieldsCalledByGenerators(Workflow):
    async def run(self):
        h = Hooks(lambda x: x + 100)

        async def slow():
            for i in range(2):
                yield h.fn(i)
                h.fn = lambda x: await_not(x)
                await echo(h.fn(i))

        def await_not(x):
            return [x, h.get]

        def quick():
            try:
                while True:
                    yield h.fn(5)
            finally:
                log.append(h.fn(6))

        log = [x async for x in slow()]
        g = quick()
        log += [next(g), sorted([3, 1], key=lambda x: h.fn(-x))]
        g.close()
        return log
