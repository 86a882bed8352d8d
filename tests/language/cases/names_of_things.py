"""What stands for something else: classes and functions in tuples of the module, classes in workflows, casts, units."""

import enum
from http import HTTPMethod, HTTPStatus
from typing import NewType, Optional, assert_never, cast

from tests.language.steps import Colour, double, echo
from waymark import Workflow, workflow


class Own(Exception):
    pass


async def doubled(x):
    return await double(x)


def triple(x):
    return 3 * x


RETRIED = (ConnectionError, TimeoutError, Own)
CAUGHT = (*RETRIED, KeyError)
NESTED = (int, (str, bytes), Colour, "word", (doubled, triple))
SUMMED = RETRIED + (IndexError,)
UNITS = {"i": 1j, "one": 1 + 0j}
ROOT = 2 - 1j
LEAST, MOST = 1, [10]
(NAME, PRICES), [SOME, OTHERS] = ("n", {"a": LEAST}), (RETRIED, (KeyError, IndexError))
UserId = NewType("UserId", int)
Rows = NewType("Rows", list)
ADMIN = UserId(1)
STAFF = {"first": ADMIN, "next": [UserId(2), UserId(3)]}


def after(user: UserId) -> UserId:
    return UserId(user + 1)


@workflow
class TuplesOfNames(Workflow):
    async def run(self):
        seen = []
        for error in (Own("a"), ConnectionResetError("b"), KeyError("c"), IndexError("d"), OSError("e")):
            try:
                raise error
            except RETRIED as caught:
                seen.append(("retried", repr(caught)))
            except CAUGHT as caught:
                seen.append(("caught", repr(caught)))
            except SUMMED + (OSError,) as caught:
                seen.append(("summed", repr(caught)))
        kinds = [isinstance(x, (NESTED[0], NESTED[1])) for x in (1, "a", b"b", 1.5)]
        again, helper = NESTED[-1]
        return seen, kinds, NESTED[3], isinstance(Colour.RED, NESTED[2]), await again(4), helper(5)


@workflow
class ClassesInWorkflows(Workflow):
    class Mode(enum.Enum):
        FAST = 1
        SLOW = 2

    Shade = Colour

    async def run(self):
        fast = ClassesInWorkflows.Mode.FAST
        again = await echo(ClassesInWorkflows.Mode(2).name)
        return fast, again, fast is ClassesInWorkflows.Mode["FAST"], ClassesInWorkflows.Shade.RED


@workflow
class Casts(Workflow):
    async def run(self):
        text = cast("list[Unknown] | None", await echo("text"))
        number = cast(Optional[dict[str, int]], 1) + cast(int, val=2)
        seen = [text, number, list(map(cast, [int], [3]))]
        for value in ("x" * 200, Colour.RED):
            try:
                assert_never(value)
            except AssertionError as error:
                seen.append(str(error))
        return seen


@workflow
class StandardEnumsByValue(Workflow):
    async def run(self):
        seen = [HTTPStatus(404), HTTPStatus(await double(100)).name, HTTPMethod("GET")]
        try:
            HTTPStatus(1)
        except ValueError as error:
            seen.append(str(error))
        return seen


@workflow
class ImaginaryNumbers(Workflow):
    async def run(self):
        return 1j, -2j, 1 + 2j, (await double(3)) * 1j, 1j == UNITS["i"], UNITS["one"] + ROOT


@workflow
class NewTypes(Workflow):
    async def run(self):
        kept = [await double(1)]
        rows = Rows(kept)
        users = [UserId(row) for row in rows] + [after(UserId(await echo(4)))]
        return rows is kept, users, list(map(lambda user: UserId(user), users)), ADMIN, STAFF["next"]


@workflow
class NamesThatOneAssignmentBinds(Workflow):
    async def run(self):
        MOST.append(await double(LEAST))
        seen = [LEAST, MOST, NAME, PRICES]
        for error in (KeyError(1), Own(2)):
            try:
                raise error
            except SOME as caught:
                seen.append(("some", repr(caught)))
            except OTHERS as caught:
                seen.append(("others", repr(caught)))
        return seen
