"""Special methods that return NotImplemented: the other operand is asked, then CPython's own error is raised."""

from dataclasses import dataclass

from pydantic import BaseModel

from tests.language.steps import echo
from waymark import Workflow, workflow


@dataclass
class Money:
    cents: int

    def __add__(self, other):
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.cents + other.cents)

    def __mul__(self, by):
        return Money(self.cents * by) if isinstance(by, int) else NotImplemented

    __rmul__ = __mul__

    def __eq__(self, other):
        if isinstance(other, Money):
            return self.cents == other.cents
        return NotImplemented

    def __lt__(self, other):
        return self.cents < other.cents if isinstance(other, Money) else NotImplemented

    def __iadd__(self, other):
        if isinstance(other, int):
            self.cents += other
            return self
        return NotImplemented


@dataclass
class Tax:
    rate: int

    def __radd__(self, other):
        if isinstance(other, Money):
            return Money(other.cents + other.cents * self.rate // 100)
        return NotImplemented

    def __gt__(self, other):
        return "greater" if isinstance(other, Money) else NotImplemented


class Point(BaseModel):
    x: int

    def __sub__(self, other):
        return Point(x=self.x - other.x) if isinstance(other, Point) else NotImplemented

    def __eq__(self, other):
        return NotImplemented


@workflow
class OperandsThatFit(Workflow):
    async def run(self):
        m = await echo(Money(3))
        m += 4
        m += Money(1)
        return m, m + Tax(50), m * 2, 3 * m, m < Tax(1), m == Money(8), m != 8, m == 8, sorted([Money(2), Money(1)])


@workflow
class OperandsThatDoNotFit(Workflow):
    async def run(self):
        log = []
        wrong = (
            lambda: Money(1) + 1,
            lambda: 1 + Money(1),
            lambda: Money(1) * "x",
            lambda: "x" * Money(1),
            lambda: Money(1) < 3,
            lambda: 3 > Money(1),
            lambda: Tax(1) + Money(1),
            lambda: Point(x=1) - 1,
            lambda: sum([Money(1), Money(2)]),
            lambda: max(Money(1), 2),
        )
        for each in wrong:
            try:
                log.append(each())
            except TypeError as e:
                log.append(str(e))
        p = Point(x=1)
        return log, p == p, p == Point(x=1), p != Point(x=1), [p].index(p), Money(1) in [1, Money(1)]


@workflow
class NotImplementedAsAValue(Workflow):
    async def run(self):
        answer = NotImplemented
        await echo(1)
        log = [answer is NotImplemented, answer == 1, repr(answer), type(answer).__name__]
        for wrong in (lambda: answer(), lambda: NotImplemented("x"), self.raising, lambda: answer + 1):
            try:
                log.append(wrong())
            except TypeError as e:
                log.append(str(e))
        return log

    def raising(self):
        raise NotImplemented
