"""What nested functions, generators and captured names cannot do."""

import asyncio
import functools
import os
from dataclasses import dataclass

from tests.language.steps import double
from waymark import Workflow, workflow

TOKEN = os.environ.get("TOKEN", "")


@dataclass
class Options:
    token: str = TOKEN


def with_secret(x, token=TOKEN):
    return x, token


def shared(x, into=[]):
    into.append(x)
    return into


@workflow
class DecoratedByTheLibrary(Workflow):
    async def run(self):
        @functools.lru_cache
        def cached(x):
            return x

        @staticmethod
        def fixed():
            return 1

        return cached(1), fixed()


@workflow
class YieldInLambda(Workflow):
    async def run(self):
        f = lambda: (yield 1)
        return list(f())


@workflow
class SuperInNestedFunction(Workflow):
    async def run(self):
        def inner():
            return super().run()

        return await inner()


@workflow
class AnnotationThatRuns(Workflow):
    async def run(self):
        def inner(a: print("x"), b: "missing" = 1, c: not_there = 2):
            return a

        return inner(1)


@workflow
class RunActionOfAHelper(Workflow):
    async def run(self):
        first = await self.run_action(self.helper(), timeout=5)
        return first, await self.run_action(asyncio.sleep(1)), await self.run_action([double(1)])

    async def helper(self):
        return await double(1)


@workflow
class SecretsOfTheEnvironment(Workflow):
    token = TOKEN

    async def run(self):
        return with_secret(1), Options("x"), self.token, f"Bearer {TOKEN}"


@workflow
class SharedDefault(Workflow):
    async def run(self):
        return shared(1)


@workflow
class SelfAssignedInside(Workflow):
    async def run(self):
        def inner():
            nonlocal self
            self = None

        inner()


@workflow
class SeveralInOneStatement(Workflow):
    async def run(self, x):
        if missing(x) or id(x) in {hash(x): [eval("1"), x.__dict__]} and not os.getcwd():
            return nothing
        for item in undefined(absent, key=lambda: gone):
            if item == lacking:
                break
        return [vars(x), *dir(x), {**locals()}]
