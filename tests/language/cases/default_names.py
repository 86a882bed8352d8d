"""Classes, functions and actions as defaults of parameters, alone and in tuples."""

import asyncio
from dataclasses import dataclass

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


class Late(Exception):
    """Raised when too much is asked for."""


def one_more(n):
    return n + 1


async def asked(n):
    return await double(n)


async def attempt(n=0, *, call=asked, on=(Late, ValueError), kind: type = Late, each=one_more, act=echo, wait=asyncio.sleep, size=len):
    try:
        await wait(1)
        if n > 3:
            raise kind("too much")
        return await call(n), each(n), await act(n), size([n])
    except on as error:
        return repr(error)


def numbers(n=2, change=one_more):
    def inner():
        return change(n)

    yield inner()
    yield [change(each) for each in range(n)]
    change = str
    yield inner()


@dataclass
class Counter:
    n: int

    def grown(self, change=one_more, kinds=(int, str)):
        return change(self.n), isinstance(self.n, kinds)


@workflow
class NamesAsDefaults(Workflow):
    async def run(self):
        later = asyncio.create_task(attempt(n=9))
        await note("between")
        got = [await attempt(), await attempt(n=5), await attempt(n=5, kind=ValueError), await later]
        got.append(await attempt(each=str, call=echo, on=KeyError))
        return got, list(numbers()), Counter(4).grown(), Counter(4).grown(change=str), await self.own(), await self.own(echo)

    async def own(self, call=asked, *rest, kind=KeyError):
        return await call(2), kind("k").args
