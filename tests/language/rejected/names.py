"""Names that mean something else each time, do I/O, or belong to somebody else."""

import json
import os
import random
import secrets
import time
import uuid
from contextvars import ContextVar, copy_context
from datetime import datetime
from functools import lru_cache, singledispatch, wraps
from typing import NewType

from tests.language.steps import double, echo
from waymark import Workflow, workflow



def chosen_by(mode):
    return echo if mode else double


counter = 0
counter = counter + 1
settings = {"url": os.environ.get("URL", "x")}
loaded = json.loads("{}")
started = datetime.now()
lucky = random.random()
salt = uuid.uuid4()
handle = object()
twice = lambda x: 2 * x  # noqa: E731 - that is the point
TABLE = {"double": chosen_by(os.environ.get("MODE")), "echo": echo}
KINDS = sorted([ValueError, KeyError], key=lambda kind: kind.__name__)
RING = [1]
RING.append(RING)
CALLS = {"double": double}
CALLS["own"] = CALLS
TENANT = ContextVar("tenant", default="nobody")
if os.environ.get("URL"):
    region = "elsewhere"
else:
    region = "here"
UserId = NewType("UserId", int)


class Service:
    def call(self):
        return 1


service = Service()


@lru_cache
def remembered(x):
    return 2 * x


async def not_an_action(x):
    return os.getcwd()


@workflow
class UndefinedName(Workflow):
    async def run(self):
        return nothing_like_this


@workflow
class ReboundName(Workflow):
    async def run(self):
        return counter


@workflow
class EnvironmentName(Workflow):
    async def run(self):
        return settings


@workflow
class ComputedName(Workflow):
    async def run(self):
        return loaded, started, handle


@workflow
class ServiceObject(Workflow):
    async def run(self):
        return service.call()


@workflow
class ForeignClass(Workflow):
    async def run(self):
        return Service()


@workflow
class OpensFile(Workflow):
    async def run(self):
        return open("x").read()


@workflow
class HashAndId(Workflow):
    async def run(self):
        return hash("a"), id("a")


@workflow
class EvalExec(Workflow):
    async def run(self):
        exec("x = 1")
        return eval("1 + 1"), globals(), locals(), vars(), dir()


@workflow
class InputAndImport(Workflow):
    async def run(self):
        input()
        __import__("os")
        setattr(self, "x", 1)


@workflow
class Clocks(Workflow):
    async def run(self):
        random.seed(1)
        return time.monotonic(), time.perf_counter(), time.localtime(), uuid.uuid1()


@workflow
class Secrets(Workflow):
    async def run(self):
        return secrets.token_hex(), os.urandom(8), random.SystemRandom(), secrets.choice("abc")


@workflow
class CapturedChance(Workflow):
    async def run(self):
        return lucky, salt


@workflow
class ModuleCalls(Workflow):
    async def run(self):
        os.getenv("HOME")
        json.JSONEncoder()
        time.sleep(1)


@workflow
class HelperThatReadsTheWorld(Workflow):
    async def run(self):
        return await not_an_action(1)


@workflow
class DunderAttribute(Workflow):
    async def run(self):
        return "abc".__class__.__mro__


@workflow
class SelfEscapes(Workflow):
    async def run(self):
        return await echo(self)


@workflow
class LambdaOfTheModule(Workflow):
    async def run(self):
        return twice(2)


@workflow
class TableOfActions(Workflow):
    async def run(self):
        chosen = TABLE["double"]
        return await chosen(1)


@workflow
class ListOfClasses(Workflow):
    async def run(self):
        return issubclass(IndexError, tuple(KINDS))


@workflow
class NewTypeAsAValue(Workflow):
    async def run(self):
        return list(map(UserId, [1, 2])), UserId(1, 2)


@workflow
class FunctionThatRemembers(Workflow):
    async def run(self):
        return remembered(await double(1))


@workflow
class BranchOfTheEnvironment(Workflow):
    async def run(self):
        return await echo(region)


@workflow
class ValuesThatHoldThemselves(Workflow):
    async def run(self):
        return len(RING), await CALLS["double"](1)


@workflow
class ReadsAContextVariable(Workflow):
    async def run(self):
        TENANT.set("somebody")
        own = ContextVar("own")
        return tenant_of(TENANT), copy_context().run(own.get)


def tenant_of(variable):
    return variable.get()


def again(function):
    @wraps(function)
    async def tried(*args):
        try:
            return await function(*args)
        except ConnectionError:
            return await function(*args)

    return tried


@again
async def fetched(n):
    return await double(n)


@singledispatch
def described(value):
    return repr(value)


@described.register
def _(value: int):
    return f"the number {value}"


@workflow
class DecoratedHelpers(Workflow):
    async def run(self):
        return described(await fetched(1))


def made_by(kind=Service):
    return kind().call()


@workflow
class StrangeClassAsADefault(Workflow):
    async def run(self):
        return made_by()


@workflow
class ClassesAsDefaultsOfARun(Workflow):
    async def run(self, on=(KeyError, ValueError), call=double):
        try:
            return await call(1)
        except on:
            return 0
