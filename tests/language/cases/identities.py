"""What is the same object stays the same object across a recovery: constants of the program, and every NaN."""

from dataclasses import dataclass
from typing import ClassVar

from tests.language.steps import echo, note
from waymark import Workflow, workflow

MISSING = "nothing was given"
PAIR = ("a", 1000, 2.5)
NAN = float("nan")
HALF = 0.5


def given(value=MISSING):
    return value


@dataclass
class Box:
    what: str = MISSING
    LABEL: ClassVar[str] = MISSING


@workflow
class ConstantsStayTheSame(Workflow):
    mark = MISSING

    async def run(self, value=MISSING):
        self.own = MISSING
        pair, half, box, of_default, held = PAIR, HALF, Box(), given(), {MISSING: [MISSING, PAIR]}

        def inner(value=MISSING):
            return value

        other = await note("something else")
        log = [value is MISSING, self.own is MISSING, self.mark is MISSING, pair is PAIR, half is HALF]
        log += [box.what is MISSING, box.LABEL is MISSING, of_default is MISSING, given() is MISSING, inner() is MISSING]
        log += [held[MISSING][0] is MISSING, held[MISSING][1] is PAIR, next(iter(held)) is MISSING, other is not MISSING]
        await note(MISSING)
        return log


@workflow
class MarkersOfOnesOwn(Workflow):
    """A text as the mark of what is missing, as one writes it instead of ``object()``."""

    async def run(self):
        log = []
        for each in ({"a": None}, {}):
            found = each.get("a", MISSING)
            await echo(found)
            log.append("missing" if found is MISSING else found)
        return log


@workflow
class NansStayTheSame(Workflow):
    async def run(self):
        own = float("nan")
        xs, places, kinds = [own, NAN, own * 2], {own: 1, NAN: 2}, {own, NAN}
        await note("x")
        log = [own in xs, NAN in xs, xs[0] is own, xs[1] is NAN, xs[2] in xs[:2], xs == [own, NAN, xs[2]]]
        log += [places[own], places[NAN], own in kinds, float("nan") in xs, xs.index(own), xs.count(NAN)]
        xs.append(await echo(1.5))
        return log, xs.index(xs[2]), len(kinds)
