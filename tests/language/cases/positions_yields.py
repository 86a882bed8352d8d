"""`yield` and `yield from` in every position."""

import contextlib

from tests.language.steps import echo
from waymark import Workflow, workflow


@workflow
class YieldEverywhere(Workflow):
    async def run(self):
        sent, given = self.talk(), []
        value = next(sent)
        with contextlib.suppress(StopIteration):
            while True:
                given.append(value)
                value = sent.send(await echo(len(given)))
        return given

    def talk(self):
        seen = [max((yield "argument"), 2)]
        if (yield "condition"):
            seen.append((yield "part").real)
        try:
            seen.append((yield "operand") + 1)
            raise KeyError((yield "raised"))
        except KeyError as error:
            seen.append(((yield "display"), error.args))
        finally:
            seen.append((yield "finally"))
        yield seen


@workflow
class YieldFromEverywhere(Workflow):
    async def run(self):
        values = []
        for value in self.outer():
            values.append(await echo(value))
        generators = [(k * n for k in (n, 2)) for n in (1, 2)]
        return values, [list(each) for each in generators]

    def inner(self, n):
        yield n
        return n + 1

    def outer(self):
        seen = [(yield from self.inner(1)), (yield from self.inner(2)) * 2]
        if (yield from self.inner(9)):
            seen.append("first")
        if (yield from self.inner(3)) and (yield from self.inner(4)).real:
            seen.append("taken")
        try:
            raise KeyError((yield from self.inner(5)))
        except KeyError as error:
            seen.append((yield from self.inner(error.args[0])))
        finally:
            seen.append((yield from self.inner(7)))
        with contextlib.nullcontext((yield from self.inner(8))) as held:
            seen.append((yield from self.inner(held)))
        yield seen
