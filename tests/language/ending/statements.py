"""Statements that CPython could run and the machine refuses, whatever the workflow's code tries to catch."""

import asyncio
import decimal
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, getcontext, localcontext

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@contextmanager
def scope():
    yield 1


@dataclass
class Shown:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        return traceback.tb_lineno > 0


@workflow
class ReadsATraceback(Workflow):
    async def run(self):
        try:
            with Shown():
                raise ValueError(await echo(1))
        except BaseException:
            await note("caught")


@workflow
class ManagerAsADecorator(Workflow):
    async def run(self):
        try:
            return scope()(echo)
        except BaseException:
            return await note("caught")


@workflow
class DelegatingManagerFunction(Workflow):
    async def run(self):
        @contextmanager
        def listed():
            return [1]

        try:
            with listed() as one:
                return one
        finally:
            await note("finally")


@workflow
class TooPrecise(Workflow):
    async def run(self):
        try:
            with localcontext(prec=10**6):
                return decimal.Decimal(1) / 3
        finally:
            await note("finally")


@workflow
class TooPreciseLater(Workflow):
    async def run(self):
        context = Context()
        context.prec = await double(10**9)
        await note("never")


@workflow
class SharedContextOfAChild(Workflow):
    async def child(self):
        getcontext().prec = 5

    async def run(self):
        try:
            await asyncio.gather(self.child(), self.child())
        except BaseException:
            await note("caught")


@workflow
class EndlessAsyncGenerator(Workflow):
    async def items(self):
        while True:
            yield 1

    async def run(self):
        total = 0
        async for each in self.items():
            total += each
        return await note(str(total))


@workflow
class ManagersWithoutEnd(Workflow):
    async def run(self):
        while True:
            with scope():
                pass


@workflow
class AsyncGeneratorLeftEarly(Workflow):
    async def items(self):
        try:
            yield 1
            yield 2
        finally:
            await note("closed")

    async def run(self):
        async for each in self.items():
            if each == 1:
                break
        return each


@workflow
class AsyncGeneratorForgotten(Workflow):
    async def items(self):
        with scope():
            yield 1
            await note("never")

    async def first(self):
        return await anext(self.items())

    async def run(self):
        try:
            return await self.first()
        except BaseException:
            await note("caught")


@workflow
class HugeSequenceInAPattern(Workflow):
    async def run(self):
        match range(10**12):
            case [first, *_, last] if last < 0:
                return await note("never")
            case [first, *rest]:
                return await note(str(first))


@workflow
class EndlessMatching(Workflow):
    async def run(self):
        value = [1, {"a": (2, 3)}]
        while True:
            match value:
                case [1, {"a": (3, _)}] | [2, *_]:
                    break
                case [int(), {"a": (x, 3), **rest}] if rest:
                    break


@workflow
class GroupThatGrows(Workflow):
    async def run(self):
        error = ValueError("leaf")
        while True:
            error = ExceptionGroup("deeper", [error, error])
            error.split(KeyError)
