"""``operator.attrgetter`` and ``methodcaller`` with names that are constants."""

import operator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, methodcaller

from tests.language.steps import Point, double, note
from waymark import Workflow, workflow


@dataclass
class Line:
    start: Point
    name: str = "a,b"

    @property
    def twice(self):
        return self.start.x * 2

    def shown(self, mark, times=1):
        return self.name + mark * times


def by_place(lines):
    return sorted(lines, key=operator.attrgetter("start.x", "name"))


@workflow
class AttributesByName(Workflow):
    async def run(self):
        one, two = Line(Point(2, 1)), Line(Point(1, 5), "c")
        name = attrgetter("name")
        before = [attrgetter("start.x", "twice")(one), max([one, two], key=attrgetter("twice")), by_place([one, two])]
        await note("kept")
        groups = [(key, len(list(group))) for key, group in groupby([one, one, two], key=name)]
        seen = []
        for get in (name, attrgetter("name.nothing"), attrgetter("start", "end")):
            for value in (two, 5):
                try:
                    seen.append(get(value))
                except AttributeError as e:
                    seen.append(str(e))
        return before, groups, seen


@workflow
class MethodsByName(Workflow):
    async def run(self):
        made = []

        def mark():
            made.append("mark")
            return "!"

        show = methodcaller("shown", mark(), times=await double(1))
        lines = [Line(Point(1, 1)), Line(Point(2, 2), "c")]
        before = list(map(show, lines))
        await note("kept")
        split = [methodcaller("split", ",", maxsplit=1)(line.name) for line in lines]
        return before, [show(line) for line in lines], made, split, list(map(methodcaller("strip"), [" a "]))


@workflow
class OtherFunctionsOfTheseNames(Workflow):
    async def run(self):
        methodcaller = await double(2)

        def attrgetter(name):
            return name * methodcaller

        return attrgetter("x")


@workflow
class GettersThatAreGivenTooMuch(Workflow):
    async def run(self):
        starts = methodcaller("startswith", await double("a"))
        seen = [starts("aab")]
        try:
            starts("aab", "b")
        except TypeError as e:
            seen.append(type(e).__name__)
        match [1, 2, 3]:
            case [_, *attrgetter]:
                try:
                    attrgetter("real")
                except TypeError as e:
                    seen.append(str(e))
        return seen
