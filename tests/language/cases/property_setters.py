"""Properties with setters and deleters: of dataclasses, models, exceptions, named tuples and of the workflow itself."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@dataclass
class Gauge:
    level: int = 1
    seen: list = field(default_factory=list)

    @property
    def percent(self):
        return self.level * 10

    @percent.setter
    def percent(self, value):
        if value < 0:
            raise ValueError(f"{value} is below 0")
        self.seen.append(value)
        self.level = value // 10

    @percent.deleter
    def percent(self):
        self.seen.append("gone")
        self.level = 0

    @property
    def fixed(self):
        return "fixed"

    def raised(self, by):
        self.percent += by
        return self


@dataclass
class Loud(Gauge):
    @Gauge.percent.setter
    def percent(self, value):
        self.seen.append(f"loud {value}")
        self.level = value


@dataclass
class Louder(Loud):
    extra: int = 0


@dataclass
class Silent(Gauge):
    @property
    def percent(self):
        return -1


@dataclass
class Shown(Gauge):
    fixed: str = "a field"


class Account(BaseModel):
    cents: int = 0
    log: list = []

    @property
    def euros(self):
        return self.cents / 100

    @euros.setter
    def euros(self, value):
        self.log.append(value)
        self.cents = round(value * 100)

    @euros.deleter
    def euros(self):
        if not self.cents:
            raise AttributeError("nothing to delete")
        self.cents = 0

    @property
    def _raw(self):
        return self.cents

    @_raw.setter
    def _raw(self, value):
        self.cents = value

    @property
    def shown(self):
        return f"{self.cents} cents"


class Checked(Account):
    model_config = ConfigDict(validate_assignment=True, extra="allow")


class Closed(Account, frozen=True):
    pass


@dataclass(frozen=True)
class Sealed:
    n: int = 1

    @property
    def twice(self):
        return self.n * 2

    @twice.setter
    def twice(self, value):
        raise RuntimeError("never called")


@dataclass(slots=True)
class Small:
    n: int = 1

    @property
    def percent(self):
        return self.n

    @percent.setter
    def percent(self, value):
        self.n = value + 1


@dataclass(init=False)
class Made:
    n: int

    def __init__(self, percent):
        self.percent = percent
        self.percent *= 2

    @property
    def percent(self):
        return self.n

    @percent.setter
    def percent(self, value):
        self.n = value


@dataclass
class Started:
    start: int
    n: int = 0

    def __post_init__(self):
        self.percent = self.start

    def _get(self):
        return self.n

    def _set(self, value):
        self.n = value * 3

    percent = property(_get, _set)


class Line(NamedTuple):
    parts: list

    @property
    def last(self):
        return self.parts[-1]

    @last.setter
    def last(self, value):
        self.parts.append(value)


class Refusal(Exception):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason

    @property
    def percent(self):
        return self.reason.upper()

    @percent.setter
    def percent(self, value):
        self.reason = value

    @percent.deleter
    def percent(self):
        del self.reason


@dataclass
class Bare:
    percent: Any = None


def tried(change, log):
    try:
        log.append(change())
    except Exception as e:
        log.append((type(e).__name__, str(e).partition("\n")[0], repr(e.__context__)))


def put(thing, value):
    thing.percent = value
    return thing.percent


def added(thing, value):
    thing.percent += value
    return thing.percent


def removed(thing):
    del thing.percent
    return "removed"


@workflow
class SettersOfEveryKind(Workflow):
    async def run(self):
        log = []
        for thing in (Gauge(), Loud(), Louder(), Silent(), Shown(), Small(), Made(4), Started(5), Refusal("no"), Bare(2), {}, 3):
            log.append(type(thing).__name__)
            tried(lambda: put(thing, 70), log)
            tried(lambda: added(thing, 30), log)
            tried(lambda: put(thing, -5), log)
            await note("between")
            tried(lambda: removed(thing), log)
            tried(lambda: put(thing, 20), log)
            log.append(repr(thing) if not isinstance(thing, Made | Refusal) else 0)
        return log


@workflow
class SettersOfModels(Workflow):
    async def run(self):
        log = []
        for account in (Account(), Checked(more=1), Closed(cents=5)):
            def change(value):
                account.euros = value
                return account.euros

            def more(value):
                account.euros += value
                return account.cents

            def remove():
                del account.euros
                return "removed"

            def overwrite():
                account.shown = "x"

            def forget():
                del account.shown

            def private(value):
                account._raw = value
                return account._raw

            tried(lambda: change(2.5), log)
            tried(lambda: more(await_free), log)
            tried(remove, log)
            tried(remove, log)
            tried(overwrite, log)
            tried(forget, log)
            tried(lambda: private(7), log)
            log.append(await echo(account))
        return log


await_free = 1.25


@workflow
class ReadOnlyProperties(Workflow):
    async def run(self):
        log = []
        gauge, shown, sealed = Gauge(), Shown(), Sealed()

        def overwrite(thing):
            thing.fixed = "other"
            return thing.fixed

        def remove(thing):
            del thing.fixed

        def seal():
            sealed.twice = 4

        def unseal():
            del sealed.twice

        for thing in (gauge, shown, Loud()):
            tried(lambda: overwrite(thing), log)
            tried(lambda: remove(thing), log)
            await note("tried")
        tried(seal, log)
        tried(unseal, log)
        return log, sealed.twice, gauge.fixed, Shown().fixed


@workflow
class TargetsThatAreProperties(Workflow):
    async def run(self):
        gauge, other = Gauge(), Account()
        gauge.percent = other.euros = await double(10)
        (gauge.percent, [other.euros, *rest]) = 50, (3, 4, await echo(5))
        for gauge.percent in (10, await double(20)):
            rest.append(gauge.level)
        held = {"all": [gauge]}
        held["all"][0].percent += await double(15)
        held["all"][0].percent //= 2
        rest.append([gauge.level for gauge.percent in (60, 80)])
        gauge.raised(10).raised(await double(5))
        line = Line([1])
        line.last = await echo("two")
        try:
            gauge.percent = -1
        except ValueError as e:
            rest.append(str(e))
        finally:
            gauge.percent = 990
        del gauge.percent, other.euros
        return gauge, other, rest, held["all"][0] is gauge, line


@workflow
class SetterOfTheWorkflow(Workflow):
    total = 1

    @property
    def budget(self):
        return self.total

    @budget.setter
    def budget(self, value):
        if value > 100:
            raise ValueError(f"{value} is too much")
        self.total = value

    @budget.deleter
    def budget(self):
        self.total = 0

    async def run(self):
        self.budget = await double(4)
        self.budget += await double(1)
        self.budget *= 2
        log = [self.budget, self.total]
        try:
            self.budget = 101
        except ValueError as e:
            log.append(str(e))
        await note("kept")
        self.spend(5)
        log.append(self.budget)
        del self.budget
        return log, self.budget, self.total

    def spend(self, amount):
        self.budget -= amount


@dataclass
class Chain:
    items: list = field(default_factory=list)

    @property
    def inner(self):
        return self.items

    @inner.setter
    def inner(self, values):
        try:
            for value in values:
                made = Account()
                made.euros = value
                self.items.append(made)
        finally:
            self.items.append("end")

    @property
    def deep(self):
        return 0

    @deep.setter
    def deep(self, value):
        self.deep = value


@workflow
class SettersThatCallOthers(Workflow):
    async def run(self):
        chain = Chain()
        chain.inner = [1, await echo(2.5)]
        try:
            chain.deep = 1
        except RecursionError as e:
            chain.items.append(type(e).__name__)
        try:
            chain.inner = None
        except TypeError as e:
            chain.items.append(str(e))
        try:
            Checked().cents = "many"
        except ValidationError as e:
            chain.items.append(e.error_count())
        return chain
