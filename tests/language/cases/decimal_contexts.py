"""Decimal contexts: local ones, those of tasks, and arithmetic, formatting and rounding that obey them."""

import asyncio
import decimal
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal, getcontext, localcontext, setcontext

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow


def third():
    return Decimal(1) / Decimal(3)


@workflow
class LocalPrecision(Workflow):
    async def run(self):
        out = [third()]
        with localcontext() as context:
            context.prec = 5
            out.append(third())
            await note("inside")
            out.append(third())
            with localcontext() as inner:
                inner.prec += await double(1)
                out.append(await echo(third()))
            out.append(third())
        out.append(third())
        return [str(each) for each in out]


@workflow
class LocalByKeywords(Workflow):
    async def run(self):
        value = Decimal("2.345678")
        with decimal.localcontext(prec=3, rounding=ROUND_DOWN):
            down = +value, f"{value:.1f}", round(value, 2), value.quantize(Decimal("0.01"))
            await note("still down")
            again = +value
        with decimal.localcontext(rounding=ROUND_UP):
            up = f"{value:.1f}", value.quantize(Decimal("0.01")), value.to_integral_value()
        return [str(each) for each in (*down, again, *up, +value)]


@workflow
class LeavesOnErrors(Workflow):
    async def run(self):
        out = []
        for how in ("raise", "return"):
            out.append(await self.one(how))
            out.append(str(third()))
        return out

    async def one(self, how):
        try:
            with localcontext(prec=4):
                if how == "return":
                    return str(third())
                await boom("ValueError", "x")
        except ValueError:
            return str(third())


@workflow
class GivenContexts(Workflow):
    async def run(self):
        mine = Context(prec=6, rounding=ROUND_UP)
        with localcontext(mine) as local:
            local.prec = 2
            two = str(third())
        with localcontext(mine):
            six = str(third())
        copied = mine.copy()
        copied.prec = 9
        await note("later")
        return two, six, mine.prec, copied.prec, copied.rounding, mine.Emax, mine.Emin, mine.capitals, mine.clamp


@workflow
class SharedByTheRun(Workflow):
    async def run(self):
        getcontext().prec = 7
        first = str(third())
        await note("later")
        context = getcontext()
        context.rounding = ROUND_UP
        before = await self.helper()
        setcontext(Context(prec=3))
        return first, before, str(third()), context is getcontext(), getcontext().prec

    async def helper(self):
        await note("helper")
        return str(third())


@workflow
class EachTaskHasItsOwn(Workflow):
    async def one(self, digits):
        with localcontext() as context:
            context.prec = digits
            await note(str(digits))
            inside = str(third())
            await asyncio.sleep(digits)
            return inside, str(third())

    async def run(self):
        with localcontext(prec=12):
            found = await asyncio.gather(*[self.one(digits) for digits in (3, 8, 5)])
            return found, str(third())


@workflow
class ChildrenStartWithTheParents(Workflow):
    async def child(self, digits):
        before = str(third())
        await note("child")
        setcontext(Context(prec=digits))
        await note("child again")
        return before, str(third())

    async def run(self):
        getcontext().prec = 6
        found = await asyncio.gather(self.child(2), self.child(4))
        return found, str(third())


@workflow
class ParentsChangesAreSeen(Workflow):
    async def child(self):
        first = str(third())
        await asyncio.sleep(5)
        return first, str(third())

    async def run(self):
        getcontext().prec = 6
        task = asyncio.create_task(self.child())
        await asyncio.sleep(1)
        getcontext().prec = 3
        return await task, str(third())


@workflow
class ManagerMadeEarly(Workflow):
    async def run(self):
        getcontext().prec = 9
        manager = localcontext()
        getcontext().prec = 4
        with manager as local:
            inside = str(third()), local.prec
            await note("in")
        return inside, str(third()), getcontext().prec


@workflow
class ErrorsOfContexts(Workflow):
    async def run(self):
        out = []
        for make in (lambda: localcontext("x"), lambda: localcontext(prec=0), lambda: localcontext(precision=3), lambda: Context(rounding="UP"), lambda: setcontext(5), lambda: Context(clamp=2)):
            try:
                make()
                out.append("made")
            except (TypeError, ValueError, AttributeError) as error:
                out.append(type(error).__name__)
        with localcontext() as context:
            for name, value in (("prec", -1), ("prec", "5"), ("rounding", 5)):
                try:
                    if name == "prec":
                        context.prec = value
                    else:
                        context.rounding = value
                except (TypeError, ValueError) as error:
                    out.append((type(error).__name__, context.prec, context.rounding == ROUND_HALF_EVEN))
        return await echo(out)


@workflow
class TrapsAreObeyed(Workflow):
    async def run(self):
        out = []
        try:
            Decimal(1) / Decimal(0)
        except ZeroDivisionError as error:
            out.append(type(error).__name__)
        with localcontext(traps=[]):
            await note("no traps")
            out.append(str(Decimal(1) / Decimal(0)))
        with localcontext(Context(traps=[decimal.InvalidOperation], Emax=9, prec=3)):
            await note("small")
            out.append(str(Decimal("9e9") * 10))
        return out


@workflow
class NarrowExponents(Workflow):
    async def run(self):
        with localcontext(Emax=3, Emin=-3):
            try:
                return str(Decimal("9999") * Decimal("10"))
            except ArithmeticError as error:
                small = str(Decimal("0.001") / 1000)
                return type(error).__name__, small, await note("narrow")


@workflow
class ContextInAGenerator(Workflow):
    def digits(self, *precisions):
        for precision in precisions:
            with localcontext(prec=precision):
                yield str(third())

    async def run(self):
        out = []
        for text in self.digits(2, 4, 6):
            out.append((text, str(third())))
            await note(text)
        return out, str(third())


@workflow
class SumsAndSorts(Workflow):
    async def run(self):
        values = [Decimal("1.25"), Decimal("2.375"), Decimal("0.0625")]
        with localcontext(prec=2):
            total = sum(values)
            await note("summed")
            scaled = [value * 3 for value in sorted(values, key=lambda value: value * 3)]
            power = Decimal(7) ** 5
        return str(total), [str(each) for each in scaled], str(power), str(sum(values))
