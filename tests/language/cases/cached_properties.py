"""``functools.cached_property``: asked once, kept with the object, until it is set anew or deleted."""

import copy
import dataclasses
import functools
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import BaseModel

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@dataclass
class Report:
    rows: list
    asked: list = field(default_factory=list)

    @cached_property
    def total(self):
        self.asked.append("total")
        return [sum(self.rows)]

    @cached_property
    def twice(self):
        return self.total + self.total

    @cached_property
    def broken(self):
        self.asked.append("broken")
        return {}["nothing"]

    @cached_property
    def absent(self):
        raise AttributeError("not here")


@dataclass
class Summary(Report):
    @cached_property
    def total(self):
        return ["summary", len(self.rows)]


@dataclass
class Live(Report):
    @property
    def total(self):
        return [max(self.rows)]


@dataclass
class Given(Report):
    total: int = 5


@dataclass(frozen=True)
class Hard:
    rows: tuple

    @functools.cached_property
    def total(self):
        return [*self.rows]


class Basket(BaseModel):
    rows: list

    @cached_property
    def total(self):
        return [sum(self.rows)]

    @property
    def first(self):
        return self.total[0]


class Kept(Basket, frozen=True):
    pass


class Broke(Exception):
    def __init__(self, rows):
        super().__init__("broke")
        self.rows = rows

    @cached_property
    def total(self):
        return [len(self.rows)]


def things():
    return [Report([1, 2]), Summary([1]), Live([3, 4]), Given([1]), Hard((1, 2)), Basket(rows=[5]), Kept(rows=[6]), Broke([7])]


def tried(ask):
    try:
        return ask()
    except Exception as e:
        return type(e).__name__, str(e)


@workflow
class AskedOnceAndKept(Workflow):
    async def run(self):
        log = []
        for thing in things():
            first = thing.total
            if isinstance(first, list):
                first.append(await double(4))
            log.append((type(thing).__name__, thing.total, thing.total is first, hasattr(thing, "total"), getattr(thing, "total", 0)))
        report = Report([3])
        log.append((report.twice, report.asked, report, report == Report([3], ["total"])))
        await note("kept")
        report.rows.append(9)
        log.append((report.total, f"{report.twice}", tried(lambda: report.broken), tried(lambda: report.broken), report.asked))
        log.append((hasattr(report, "absent"), getattr(report, "absent", "default"), tried(lambda: report.absent)))
        return log


@workflow
class SetAnewAndDeleted(Workflow):
    async def run(self):
        log = []
        for thing in things():
            def change(value):
                thing.total = value
                return thing.total

            def add(value):
                thing.total += value
                return thing.total

            def remove():
                del thing.total
                return "removed"

            for ask in (lambda: thing.total, lambda: change([1]), lambda: add([2]), remove, remove, lambda: thing.total, lambda: add([3])):
                log.append(tried(ask))
            await note("changed")
        return log


@workflow
class CopiesOfWhatIsKept(Workflow):
    async def run(self):
        report, basket, hard = Report([1]), Basket(rows=[2]), Hard((3,))
        log = [report.total, basket.total, hard.total, basket.first]
        back = [await echo(thing) for thing in (report, basket, hard)]
        for thing in back[:2]:
            thing.rows.append(100)
        log.append([thing.total for thing in back])
        log.append((copy.copy(report).total is report.total, copy.deepcopy(report).total, dataclasses.replace(report, rows=[8]).total))
        log.append((basket.model_copy().total is basket.total, basket.model_dump(), basket == Basket(rows=[2]), repr(basket)))
        log.append((dataclasses.asdict(report), hard == Hard((3,)), {hard: 1}[Hard((3,))]))
        match report:
            case Report(total=[one], asked=[*names]):
                log.append((one, names))
        try:
            raise Broke([1, 2])
        except Broke as e:
            e.total.append(await double(2))
            log.append((e.total, str(e)))
        return log
