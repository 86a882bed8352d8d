"""Names of a module that are bound in a branch of it, or together with others."""

# ruff: noqa: F401, FURB162, SIM108
# mypy: ignore-errors

import typing
from typing import TYPE_CHECKING

from tests.language.steps import double, echo
from waymark import Workflow, workflow

if TYPE_CHECKING:
    MODE = "checked"
else:
    MODE = "run"
if not typing.TYPE_CHECKING:
    KINDS = (KeyError, ValueError)
DEBUG = False
if DEBUG:
    LEVEL = 10
    STEPS = [0]
elif MODE == "run":
    LEVEL = 20
    if LEVEL > 5:
        STEPS = [1, 2]
else:
    LEVEL = 30

try:
    import no_module_of_that_name as numbers
except ImportError:
    import math as numbers
try:
    from math import tau
except ImportError as error:
    raise RuntimeError("there is no tau") from error

LOW = LEAST = 1
ONE, TWO = BOTH = (1, 2)
SEEN = ALSO_SEEN = {"a": 1}


@workflow
class BoundInBranches(Workflow):
    async def run(self):
        STEPS.append(await double(LEVEL))
        caught = []
        for error in (KeyError(1), ValueError(2)):
            try:
                raise error
            except KINDS as e:
                caught.append(repr(e))
        return MODE, LEVEL, STEPS, caught


@workflow
class BoundByWhatCanBeImported(Workflow):
    async def run(self):
        return await echo([numbers.floor(2.5), tau])


@workflow
class BoundTogether(Workflow):
    async def run(self):
        SEEN["b"] = await double(LOW)
        ALSO_SEEN["c"] = await double(LEAST)
        return SEEN, SEEN is ALSO_SEEN, await echo(ALSO_SEEN), ONE, TWO, BOTH
