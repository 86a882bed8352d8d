"""Values of modules in which functions, classes and patterns stand, and values that share objects."""

import operator
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

from tests.language.steps import Point, User, add, double, echo, note
from waymark import RetryPolicy, Workflow, workflow


def plus_one(n: int) -> int:
    return n + 1


def times_ten(n: int) -> int:
    return n * 10


async def asked(n: int) -> int:
    return await double(n)


class Refused(Exception):
    """Raised by one of the checks."""


def is_small(order: dict[str, int]) -> str:
    return "" if order["n"] < 10 else "too large"


def is_even(order: dict[str, int]) -> str:
    return "" if order["n"] % 2 == 0 else "odd"


@dataclass(frozen=True)
class Rule:
    name: str
    check: Callable[[dict[str, int]], str]


class Check(NamedTuple):
    why: str
    passes: Callable[[dict[str, int]], bool]


@dataclass(frozen=True)
class Plan:
    name: str
    price: Decimal = Decimal(0)


@dataclass
class Basket:
    plans: list[Plan] = field(default_factory=list)


CHANGES = {"one": plus_one, "ten": times_ten}
WAYS: dict[str, Callable[..., Any]] = {"double": double, "add": add, "asked": asked}
PIPELINE = [plus_one, times_ten, plus_one]
OPERATORS = {"+": operator.add, "-": operator.sub, "max": max, "text": str, "upper": str.upper}
FAMILIES = {"value": (ValueError, KeyError), "own": Refused}
PATTERNS = {"id": re.compile(r"[A-Z]-(\d+)"), "word": re.compile(r"[a-z]+")}
RULES = [Rule("small", is_small), Rule("even", is_even)]
NESTED = {"all": {"a": CHANGES, "b": PIPELINE}, "policy": RetryPolicy(attempts=2)}
BY_KIND = {"point": Point, "user": User, "whole": int}
BY_NUMBER = {number * 2: function for number, function in enumerate(PIPELINE)}

LIMIT = 10
SHORT: dict[str, Callable[..., int]] = {"sum": lambda a, b=1: a + b, "less": lambda a, b, *, by=LIMIT: min(a - b, by)}
CHECKS = [
    Check("too large", passes=lambda order: order["n"] < LIMIT),
    Check("odd", lambda order: order["n"] % 2 == 0),
]
TWO = (plus_one, lambda n: plus_one(n) * 2)

GOLD, BASIC = Plan("gold", Decimal(9)), Plan("basic")
PLANS = {"gold": GOLD, "basic": BASIC, "default": BASIC}
BEST = PLANS["gold"]
ALSO_BEST = BEST
ORDERED = list(reversed(PLANS.values()))[:2]
GRID = [[0] * 3] * 2
COUNTS: list[int] = [1]
HOLDER = [COUNTS, [2]]
OUTER = {"holder": HOLDER, "counts": COUNTS}
BEFORE = [*COUNTS, 5]
FIRST = HOLDER[1]
LATER = OUTER.get("holder")
EITHER = COUNTS if COUNTS else []
BASKETS = (Basket([GOLD]), Basket([GOLD, BASIC]))
GROUPS = defaultdict(list, {"a": COUNTS})
ORIGIN = Point(0)
LINE = [ORIGIN, Point(1)]
ADMIN = User(id=1, name="root")
STAFF = [ADMIN]


@workflow
class FunctionsInATable(Workflow):
    async def run(self, kind="ten"):
        changed = CHANGES[kind](await double(2))
        got = [await WAYS["double"](4), await WAYS["add"](a=1), await WAYS["asked"](n=5)]
        n = 1
        for step in PIPELINE:
            n = step(n)
        missing = CHANGES.get("none", plus_one)(7)
        by_number = [(number, each(1)) for number, each in BY_NUMBER.items()]
        return changed, got, n, missing, by_number, "one" in CHANGES, len(PIPELINE), PIPELINE[0] is plus_one


@workflow
class BuiltinsInATable(Workflow):
    async def run(self):
        done = {name: each(7, await echo(3)) for name, each in OPERATORS.items() if name not in {"text", "upper"}}
        return done, OPERATORS["text"](5), OPERATORS["upper"]("a"), [BY_KIND["point"](1, 2), BY_KIND["whole"]("7"), BY_KIND["user"](id=1, name="n")]


@workflow
class ClassesOfErrorsInATable(Workflow):
    async def run(self):
        seen = []
        for error in (KeyError("k"), Refused("r"), ZeroDivisionError()):
            try:
                raise error
            except FAMILIES["value"] as caught:
                seen.append(("value", repr(caught)))
            except FAMILIES["own"] as caught:
                seen.append((await note("own"), repr(caught)))
            except ZeroDivisionError:
                seen.append("neither")
        return seen


@workflow
class PatternsInATable(Workflow):
    async def run(self):
        text = await note("A-12 and B-7")
        return {name: pattern.findall(text) for name, pattern in PATTERNS.items()}


@workflow
class FunctionsInObjects(Workflow):
    async def run(self):
        order = {"n": await double(7)}
        return [(rule.name, why) for rule in RULES if (why := rule.check(order))]


@workflow
class TablesInTables(Workflow):
    async def run(self):
        both = NESTED["all"]
        await note("one")
        both["a"]["new"] = times_ten
        both["b"].append(plus_one)
        got = await self.run_action(double(1), retry=NESTED["policy"])
        return both["a"] is CHANGES, CHANGES["new"](got), len(PIPELINE), both["b"] is PIPELINE


@workflow
class TablesAreTheRunsOwn(Workflow):
    async def run(self):
        CHANGES["mine"] = plus_one
        PIPELINE.clear()
        await note("changed")
        return sorted(CHANGES), PIPELINE, CHANGES["mine"](1)


@workflow
class ConstantsInConstants(Workflow):
    async def run(self, name="gold"):
        plan = PLANS[name]
        first = plan is GOLD, BEST is GOLD, ALSO_BEST is BEST, PLANS["default"] is PLANS["basic"]
        await note("kept")
        second = ORDERED[0] is BASIC, [each is GOLD for each in ORDERED], BASKETS[0].plans[0] is BASKETS[1].plans[0]
        back = await echo(PLANS["gold"])
        return first, second, back == GOLD, GOLD in ORDERED, PLANS["default"] is BASIC


@workflow
class ListsInLists(Workflow):
    async def run(self):
        COUNTS.append(await double(4))
        HOLDER[0].append(3)
        OUTER["counts"].append(4)
        FIRST.append(await double(1))
        GROUPS["a"].append(6)
        return COUNTS, HOLDER, OUTER["holder"] is HOLDER, OUTER["holder"][0] is COUNTS, BEFORE, HOLDER[1] is FIRST, LATER is HOLDER, EITHER is COUNTS


@workflow
class OneRowManyTimes(Workflow):
    async def run(self):
        GRID[0][1] = await double(2)
        return GRID, GRID[0] is GRID[1]


@workflow
class ModelsInLists(Workflow):
    async def run(self):
        ADMIN.tags.append(await note("new"))
        LINE[0].x = await double(3)
        return STAFF[0].tags, STAFF[0] is ADMIN, ORIGIN, LINE[0] is ORIGIN, [point == ORIGIN for point in LINE]


@workflow
class LambdasInATable(Workflow):
    async def run(self):
        pairs = {name: each(await double(2), 3) for name, each in SHORT.items()}
        return pairs, [check.why for check in CHECKS if not check.passes({"n": 11})], TWO[1](5)


@workflow
class TablesOfTheClass(Workflow):
    MAIL = re.compile(r"(?P<user>[\w.]+)@(?P<host>[\w.]+)", re.IGNORECASE)
    CAUGHT = (ValueError, KeyError)
    STEPS = [plus_one, times_ten, lambda n: n - 1]
    ACTIONS = {"double": double, "echo": echo}

    async def run(self):
        text = await self.ACTIONS["echo"]("Mail ann@example.org, bob.b@test.com")
        seen = [found.groupdict() for found in self.MAIL.finditer(text)]
        for kind in (KeyError, ValueError, TypeError):
            try:
                raise kind("k")
            except self.CAUGHT as error:
                seen.append((await note("caught"), repr(error)))
            except TypeError:
                seen.append("other")
        self.STEPS.append(plus_one)
        self.ACTIONS = {}
        return seen, self.applied(5), self.STEPS[0] is self.STEPS[-1], len(self.ACTIONS)

    def applied(self, n):
        for step in self.STEPS:
            n = step(n)
        return n


EITHER_KIND = tuple(kind for kind in (ValueError, KeyError))
TWICE = RetryPolicy(attempts=max(n for n in (1, 2)))
WORDS = re.compile("|".join(re.escape(word) for word in ("a.b", "c")))
Level = Literal["low", "high"]
LEVELS: tuple[Level, ...] = get_args(Level)


@workflow
class MadeWithComprehensions(Workflow):
    async def run(self):
        try:
            raise KeyError(await self.run_action(double(1), retry=TWICE))
        except EITHER_KIND as error:
            return repr(error), WORDS.findall(await note("a.b axb c")), LEVELS


def grown(n):
    return CALLED["less"](n) * 2


def less(n):
    return n - 1 if n > 5 else CALLED["grown"](n)


CALLED = {"grown": grown, "less": less}


@workflow
class FunctionsThatUseTheirTable(Workflow):
    async def run(self):
        return CALLED["grown"](await double(4)), CALLED["less"](9), grown(6)


def times(n, by):
    return n * by


TWICE_AS_MUCH = partial(times, 2)
BY_PLACE = operator.itemgetter(1)
BY_PRICE = operator.attrgetter("price")
ORDERS = {"place": BY_PLACE, "price": BY_PRICE, "thrice": partial(times, by=3), "plain": operator.methodcaller("strip", "x")}


@workflow
class AppliedFunctions(Workflow):
    async def run(self):
        rows = [("a", await double(1)), ("b", 1)]
        plans = sorted([GOLD, BASIC], key=ORDERS["price"])
        found = sorted(rows, key=BY_PLACE), [plan.name for plan in plans], ORDERS["place"] is BY_PLACE
        return found, TWICE_AS_MUCH(4), list(map(TWICE_AS_MUCH, [1, 2])), ORDERS["thrice"](2), ORDERS["plain"]("xax"), max([GOLD, BASIC], key=BY_PRICE).name


STEPS = {"down": lambda n: STEPS["down"](n - 1) if n else ALL_STEPS[0] is STEPS, "up": lambda n: ALL_STEPS[0]["down"](n + 1)}
ALL_STEPS = [STEPS, COUNTS]


@workflow
class LambdasThatUseTheirTable(Workflow):
    async def run(self):
        return STEPS["down"](await double(2)), STEPS["up"](1), ALL_STEPS[0] is STEPS, ALL_STEPS[1] is COUNTS
