"""Tuples of classes that a module binds: in `except`, in `isinstance`, put together of others."""

import asyncio
import json

from tests.language.steps import Colour, OutOfStock, Point, boom, echo, sell
from waymark import Workflow, workflow


class Mine(Exception):
    pass


class Under(Mine):
    def __init__(self, n):
        super().__init__(n)
        self.n = n


RETRY = (ConnectionError, asyncio.TimeoutError)
ALL = (*RETRY, Mine, json.JSONDecodeError)
NESTED = (RETRY, (OutOfStock,))
SUM = RETRY + (Mine,)
SHAPES = (Point, Colour, int)
ONLY: tuple[type[Exception], ...] = (Under,)


@workflow
class ExceptATupleOfTheModule(Workflow):
    async def run(self):
        log = []
        for kind in ("ConnectionError", "ConnectionResetError", "TimeoutError", "ValueError"):
            try:
                await boom(kind, kind)
            except RETRY as e:
                log.append((kind, str(e)))
            except ValueError:
                log.append("other")
        return log


@workflow
class ExceptTuplesMadeOfOthers(Workflow):
    async def run(self):
        log = []
        for raiser in (lambda: json.loads("{"), self.mine, self.under, self.refused):
            try:
                log.append(raiser())
            except ONLY as e:
                log.append(("only", e.n))
            except (*SUM, KeyError) as e:
                log.append(("sum", type(e).__name__))
            except ALL as e:
                log.append(("all", type(e).__name__))
        try:
            await sell("x")
        except NESTED as e:
            log.append(str(e))
        return log

    def mine(self):
        raise Mine(1)

    def under(self):
        raise Under(2)

    def refused(self):
        raise ConnectionRefusedError(3)


@workflow
class ExceptGroupsOfATuple(Workflow):
    async def run(self):
        try:
            raise ExceptionGroup("g", [ConnectionError(1), Under(2), KeyError(3)])
        except* ALL as group:
            log = [[repr(e) for e in group.exceptions]]
        except* KeyError as group:
            log.append(repr(group.exceptions[0]))
        return log


@workflow
class AskedWithATupleOfTheModule(Workflow):
    async def run(self):
        p = await echo(Point(1, 2))
        found = [x.__name__ for x in SHAPES]
        return isinstance(p, SHAPES), isinstance("", SHAPES), issubclass(bool, SHAPES), found, len(ALL), ALL[2](5).args
