"""In place of names that mean something else each time, do I/O, or belong to somebody else."""

import dataclasses
import random
import time
import uuid
from datetime import UTC, datetime
from typing import NewType

from tests.language.steps import Point, double, echo, note
from waymark import Workflow, action, workflow

COUNTER = 1
UserId = NewType("UserId", int)
INPUTS = {
    "EnvironmentNameRewritten": [{"url": "https://example.com"}],
    "BranchOfTheEnvironmentRewritten": [{"region": "here"}],
    "InputAndImportRewritten": [{"given": "x"}],
}


def remembered(x):
    return 2 * x


@action
async def loaded() -> dict[str, int]:
    return {"a": 1}


@action
async def called(x: int) -> int:
    return x + 1


@action
async def made_secret() -> str:
    return "reference-1"


@action
async def environment(name: str) -> str:
    return f"value of {name}"


@workflow
class UndefinedNameRewritten(Workflow):
    async def run(self):
        return COUNTER


@workflow
class ReboundNameRewritten(Workflow):
    async def run(self):
        counter = COUNTER
        counter += await double(1)
        return counter


@workflow
class EnvironmentNameRewritten(Workflow):
    async def run(self, url):
        return await echo(url)


@workflow
class ComputedNameRewritten(Workflow):
    async def run(self):
        return await loaded()


@workflow
class ServiceObjectRewritten(Workflow):
    async def run(self):
        return await called(1)


@workflow
class ForeignClassRewritten(Workflow):
    async def run(self):
        return Point(1, await double(1))


@workflow
class OpensFileRewritten(Workflow):
    async def run(self):
        return await environment("x")


@workflow
class HashAndIdRewritten(Workflow):
    async def run(self):
        a, b = [1], [1]
        await note("x")
        return {"a": 1}["a"], a is b, a is a


@workflow
class EvalExecRewritten(Workflow):
    async def run(self):
        point = Point(1, 2)
        return 1 + 1, dataclasses.asdict(point)


@workflow
class InputAndImportRewritten(Workflow):
    async def run(self, given):
        self.x = 1
        return given, self.x


@workflow
class ClocksRewritten(Workflow):
    async def run(self):
        started = time.time()
        await note("x")
        passed = time.time() - started
        now = datetime.now(UTC)
        return passed >= 0, now.tzinfo == UTC, len(str(uuid.uuid4()))


@workflow
class SecretsRewritten(Workflow):
    async def run(self):
        return await made_secret()


@workflow
class CapturedChanceRewritten(Workflow):
    async def run(self):
        return 0 <= random.random() < 1, uuid.uuid4() != uuid.uuid4()


@workflow
class ModuleCallsRewritten(Workflow):
    async def run(self):
        return await environment("HOME")


@workflow
class HelperThatReadsTheWorldRewritten(Workflow):
    async def run(self):
        return await self.helper(1)

    async def helper(self, x):
        return x, await environment("cwd")


@workflow
class DunderAttributeRewritten(Workflow):
    async def run(self):
        return isinstance("abc", str), str.__name__


@workflow
class SelfEscapesRewritten(Workflow):
    async def run(self):
        self.x = await double(1)
        return await echo(self.x)


def twice(x):
    return 2 * x


@workflow
class LambdaOfTheModuleRewritten(Workflow):
    async def run(self):
        thrice = lambda x: 3 * x  # noqa: E731 - that is the point
        return twice(2), thrice(2)


@workflow
class TableOfActionsRewritten(Workflow):
    async def run(self):
        mode = await note("")
        table = {"double": echo if mode else double, "echo": echo}
        return await table["double"](1)


@workflow
class ListOfClassesRewritten(Workflow):
    async def run(self):
        kinds = sorted([ValueError, LookupError], key=lambda kind: kind.__name__)
        return issubclass(IndexError, tuple(kinds))


@workflow
class NewTypeAsAValueRewritten(Workflow):
    async def run(self):
        return list(map(lambda value: UserId(value), [1, 2])), UserId(1)


@workflow
class FunctionThatRemembersRewritten(Workflow):
    async def run(self):
        return remembered(await double(1))


@workflow
class BranchOfTheEnvironmentRewritten(Workflow):
    async def run(self, region):
        return await echo(region)


@workflow
class ValuesThatHoldThemselvesRewritten(Workflow):
    async def run(self):
        ring = [1]
        ring.append(ring)
        calls = {"double": double}
        calls["own"] = calls
        return len(ring), ring[1] is ring, await calls["own"]["double"](1)


@workflow
class ReadsAContextVariableRewritten(Workflow):
    async def run(self):
        self.tenant = "somebody"
        own = await note("mine")
        return tenant_of(self.tenant), own


def tenant_of(tenant):
    return tenant


async def again(function, *args):
    try:
        return await function(*args)
    except ConnectionError:
        return await function(*args)


async def fetched(n):
    return await double(n)


def described(value):
    match value:
        case int():
            return f"the number {value}"
        case _:
            return repr(value)


@workflow
class DecoratedHelpersRewritten(Workflow):
    async def run(self):
        return described(await again(fetched, 1))


@dataclasses.dataclass
class Service:
    n: int = 1

    def call(self):
        return self.n


def made_by(kind=Service):
    return kind().call()


@workflow
class StrangeClassAsADefaultRewritten(Workflow):
    async def run(self):
        return made_by()


async def called(on=(KeyError, ValueError), call=double):
    try:
        return await call(1)
    except on:
        return 0


@workflow
class ClassesAsDefaultsOfARunRewritten(Workflow):
    async def run(self):
        return await called()
