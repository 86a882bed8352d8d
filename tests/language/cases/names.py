"""Names of modules and classes: what is bound once to a pure expression is captured, each instance with its own copy."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

from tests.language import steps
from tests.language.steps import Colour, Point, double, echo, note
from waymark import Workflow, workflow

RATE = Decimal("0.19")
RETENTION = timedelta(days=30)
DOUBLED = RETENTION * 2
CUTOFF = datetime(2024, 2, 29, tzinfo=timezone.utc) + RETENTION
CODES = "de at ch".split()
LOUD = [code.upper() for code in CODES]
BY_LENGTH = {len(name): name for name in ("a", "bb", "ccc") if name != "bb"}
PAIRS = tuple(zip(CODES, range(3)))
TOTAL = sum(n for _, n in PAIRS)
JOINED = "-".join(sorted(CODES, reverse=True))
WEEK = date(2024, 1, 1).isoformat()
COUNTS = Counter("hello")
PARSED = date.fromisoformat("2024-05-06")
FIRST, *_ = CODES
FLAG = RATE > 0 and not CODES == []
LABEL = f"rate {RATE:.1%} of {len(CODES)}"
NESTED = {"a": [1, {"b": (2, 3)}], **{"c": {4}}}


@dataclass(frozen=True)
class Limits:
    low: int = 1
    high: int = 10

    def inside(self, x):
        return self.low <= x <= self.high


class Tariff(BaseModel):
    name: str
    steps: list[int] = []


class Pin(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Registry:
    items: dict = field(default_factory=dict)


class Level(Enum):
    LOW = 1
    HIGH = 10


LIMITS = Limits(high=5)
DEFAULT = Tariff(name="basic", steps=[1, 2])
PINS = [Pin(1, 2), Pin(3)]
CEILING = LIMITS.high * 2
SHARED = Registry()
LEVELS = {Level.LOW: "low", Level.HIGH: "high"}
NAMES_OF = {level: level.name.lower() for level in Level}
THRESHOLD = Level.HIGH.value + 1
MARK = Point(1, 2)


def shifted(x, by=CEILING, *, level=Level.LOW, pause=RETENTION):
    return x + by, level, pause


class WithDefaults(Workflow):
    STEP = 3
    WINDOW = timedelta(hours=2)

    def moved(self, x, by=STEP):
        return x + by


@workflow
class PureNames(Workflow):
    async def run(self):
        out = [RATE, RETENTION, DOUBLED, CUTOFF, CODES, LOUD, BY_LENGTH, PAIRS, TOTAL, JOINED, WEEK, COUNTS, PARSED]
        await note("recovered")
        return out, FLAG, LABEL, NESTED, CEILING, THRESHOLD, NAMES_OF


@workflow
class ObjectsAtModuleLevel(Workflow):
    async def run(self):
        out = [LIMITS, LIMITS.inside(await double(2)), LIMITS.inside(9), DEFAULT.steps, PINS, MARK, MARK.x]
        PINS.append(Pin(5))
        return out, DEFAULT, PINS, SHARED, LIMITS is LIMITS, await echo(DEFAULT) == DEFAULT, DEFAULT.steps is DEFAULT.steps


@workflow
class ObjectsAreFresh(Workflow):
    async def run(self):
        return DEFAULT, PINS, SHARED, NESTED["a"], steps.Colour.RED, LEVELS


@workflow
class NamesAlias(Workflow):
    async def run(self):
        mine = CODES
        mine.append("it")
        await note("x")
        NESTED["a"].append(CODES)
        return CODES, CODES is mine, NESTED["a"][-1] is CODES, LOUD


@workflow
class DefaultsFromNames(WithDefaults):
    async def run(self, a=CEILING, *, b=Colour.RED, c=("x", RATE)):
        return a, b, c, shifted(1), shifted(1, 2, level=Level.HIGH), self.moved(1), self.STEP, self.WINDOW


@workflow
class ShadowedNames(Workflow):
    async def run(self):
        RATE = await double(1)

        def inner(CODES):
            return CODES, RATE, TOTAL

        return inner(5), [TOTAL for TOTAL in range(2)], TOTAL, len(CODES)
