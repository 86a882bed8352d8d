"""Too much work or too big a value: the instance fails, whatever its code tries to catch."""

import asyncio
from datetime import datetime

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@workflow
class EndlessLoop(Workflow):
    async def run(self):
        try:
            while True:
                pass
        except BaseException:
            return "caught"
        finally:
            await note("finally")


@workflow
class EndlessHelper(Workflow):
    async def run(self):
        return self.spin()

    def spin(self):
        n = 0
        while n >= 0:
            n += 1
        return n


@workflow
class EndlessGenerator(Workflow):
    async def run(self):
        return sum(x * y for x in range(10**6) for y in range(10**6))


@workflow
class EndlessSync(Workflow):
    async def run(self):
        while True:
            await asyncio.sleep(0)


@workflow
class BigText(Workflow):
    async def run(self):
        try:
            return "a" * 10**9
        except Exception:
            return "caught"


@workflow
class BigPower(Workflow):
    async def run(self):
        return 10 ** 10**8


@workflow
class BigList(Workflow):
    async def run(self):
        return list(range(10**12))


@workflow
class BigFormat(Workflow):
    async def run(self):
        n = await double(5 * 10**8)
        return f"{1:>{n}}"


@workflow
class DoublingText(Workflow):
    async def run(self):
        s = "x"
        while True:
            s += s


@workflow
class DoublingList(Workflow):
    async def run(self):
        xs = [0]
        while True:
            xs.extend(xs)


@workflow
class SquaringInteger(Workflow):
    async def run(self):
        n = 7
        while True:
            n *= n


@workflow
class DoubledStructure(Workflow):
    async def run(self):
        xs = []
        for _ in range(64):
            xs = [xs, xs]
        return repr(xs)


@workflow
class LongEqual(Workflow):
    async def run(self):
        a, b = [], []
        for _ in range(64):
            a, b = [a, a], [b, b]
        return a == b


@workflow
class FormatAddress(Workflow):
    async def run(self):
        return f"{note}"


@workflow
class FormatTemplate(Workflow):
    async def run(self):
        template = await echo("{0.__class__.__init__.__globals__}")
        return template.format(5)


@workflow
class PercentTemplate(Workflow):
    async def run(self):
        template = await echo("%*d")
        return template % (10**9, 1)


@workflow
class OddEncoding(Workflow):
    async def run(self):
        name = await echo("punycode")
        return "x".encode(name)


@workflow
class MachineTimeZone(Workflow):
    async def run(self):
        when = await echo(datetime(2024, 1, 1))
        return when.timestamp()
