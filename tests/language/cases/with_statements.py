"""``with`` and ``async with`` over contextlib's plain managers: every way in, out and through them."""

import asyncio
import contextlib
from contextlib import nullcontext, suppress

from tests.language.steps import boom, double, echo, note, numbers
from waymark import Workflow, workflow


@workflow
class SuppressSwallows(Workflow):
    async def run(self):
        with suppress(ValueError):
            await note("in")
            await boom("ValueError", "gone")
            await note("never")
        return await note("after")


@workflow
class SuppressLetsOthersThrough(Workflow):
    async def run(self):
        with suppress(ValueError, LookupError):
            await boom("TypeError", "other")


@workflow
class SuppressOfSubclasses(Workflow):
    async def run(self):
        seen = []
        for kind in ("KeyError", "IndexError", "ZeroDivisionError"):
            with contextlib.suppress(LookupError, ArithmeticError):
                await boom(kind, kind)
                seen.append("unreached")
            seen.append(kind)
        return seen


@workflow
class SuppressNothing(Workflow):
    async def run(self):
        with suppress():
            raise KeyError("k")


@workflow
class SuppressOfNoClass(Workflow):
    async def run(self):
        try:
            with suppress("ValueError"):
                await boom("ValueError", "x")
        except TypeError as error:
            return str(error), type(error.__context__).__name__, str(error.__context__)


@workflow
class SuppressKeywordRefused(Workflow):
    async def run(self):
        try:
            with suppress(error=ValueError):
                pass
        except TypeError as error:
            return "keyword" in str(error)


@workflow
class ManagerIsAValue(Workflow):
    async def run(self):
        quiet = suppress(ZeroDivisionError)
        total = 0
        for n in [2, 0, 5, 0]:
            with quiet:
                total += await double(10 // n)
        return total


@workflow
class NullContextGivesItsValue(Workflow):
    async def run(self):
        with (
            nullcontext() as nothing,
            nullcontext([await double(2)]) as box,
            nullcontext(enter_result="x") as x,
        ):
            box.append(await echo(x))
        return nothing, box


@workflow
class AsyncNullContext(Workflow):
    async def run(self):
        async with nullcontext(await double(4)) as value:
            value += await double(1)
        async with contextlib.nullcontext():
            return value


@workflow
class TargetsOfEveryKind(Workflow):
    async def run(self):
        d, items = {}, [0, 0]
        with nullcontext((1, [2, 3])) as (a, [b, c]):
            pass
        with (
            nullcontext("xyz") as (first, *rest),
            nullcontext(5) as d["k"],
            nullcontext(6) as items[a - 1],
        ):
            self.kept = await note(first)
        with nullcontext(7) as self.number:
            pass
        return a, b, c, first, rest, d, items, self.number, self.kept


@workflow
class TargetThatFailsIsInside(Workflow):
    async def run(self):
        with suppress(ValueError), nullcontext([1, 2, 3]) as (a, b):
            await note("unreached")
        return "swallowed"


@workflow
class SubscriptTargetThatFails(Workflow):
    async def run(self):
        try:
            with suppress(ValueError), nullcontext(1) as [][3]:
                pass
        except IndexError as error:
            return str(error)


@workflow
class ItemSeesEarlierTarget(Workflow):
    async def run(self):
        with (
            nullcontext(await double(3)) as a,
            nullcontext(await double(a)) as b,
            nullcontext(a + b) as c,
        ):
            return a, b, c


@workflow
class LaterItemFailsInsideEarlier(Workflow):
    async def run(self):
        with suppress(KeyError), nullcontext({}["missing"]):
            await note("never")
        return await note("out")


@workflow
class ParenthesisedItems(Workflow):
    async def run(self):
        with (
            suppress(ValueError),
            nullcontext(2) as two,
        ):
            raise ValueError(two)
        return two


@workflow
class ReturnFromBody(Workflow):
    async def run(self):
        with suppress(ValueError):
            with nullcontext(3) as n:
                return await double(n)
        return "unreached"


@workflow
class ReturnRunsFinallyOutside(Workflow):
    async def run(self):
        log = []
        try:
            with nullcontext(log) as inner:
                try:
                    return inner
                finally:
                    inner.append(await note("inner finally"))
        finally:
            log.append(await note("outer finally"))


@workflow
class BreakAndContinueLeave(Workflow):
    async def run(self):
        seen = []
        for n in range(6):
            with nullcontext(n) as m, suppress(ValueError):
                if m == 1:
                    continue
                if m == 2:
                    raise ValueError
                if m == 4:
                    break
                seen.append(await double(m))
            seen.append("tail")
        else:
            seen.append("else")
        return seen


@workflow
class WhileElseWithBreakInside(Workflow):
    async def run(self):
        n = 0
        while n < 3:
            with nullcontext():
                n += 1
                if await echo(n) == 5:
                    break
        else:
            return "exhausted", n


@workflow
class RaiseNewInsideSuppressed(Workflow):
    async def run(self):
        try:
            with suppress(ValueError):
                try:
                    await boom("ValueError", "first")
                except ValueError as error:
                    raise KeyError("second") from error
        except KeyError as error:
            return repr(error.__cause__), repr(error.__context__)


@workflow
class ContextInsideHandler(Workflow):
    async def run(self):
        try:
            raise LookupError("outer")
        except LookupError:
            with suppress(TypeError):
                raise TypeError("swallowed")
            try:
                with nullcontext():
                    raise ValueError("inner")
            except ValueError as error:
                return repr(error.__context__)


@workflow
class BareRaiseInsideWith(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "again")
        except ValueError:
            with suppress(KeyError):
                await note("handling")
                raise


@workflow
class FinallyAfterSuppressed(Workflow):
    async def run(self):
        seen = []
        with suppress(ValueError):
            try:
                await boom("ValueError", "x")
            finally:
                seen.append(await note("finally"))
        return seen


@workflow
class ExceptElseAroundWith(Workflow):
    async def run(self):
        seen = []
        for kind in ("ValueError", "TypeError"):
            try:
                with suppress(ValueError):
                    await boom(kind, "x")
            except TypeError as error:
                seen.append(("except", str(error)))
            else:
                seen.append(("else", kind))
        return seen


@workflow
class DeepNesting(Workflow):
    async def run(self):
        out = []
        with nullcontext(1) as a:
            with nullcontext(2) as b, nullcontext(3) as c:
                async with nullcontext(4) as d:
                    with suppress(IndexError):
                        out.append(await double(a + b + c + d))
                        out[9]
                    out.append("d")
                out.append("bc")
            out.append("a")
        return out


@workflow
class SuppressInGather(Workflow):
    async def quiet(self, kind):
        with suppress(ValueError, KeyError):
            await boom(kind, kind)
        return f"quiet {kind}"

    async def run(self):
        return await asyncio.gather(
            self.quiet("ValueError"),
            self.quiet("KeyError"),
            self.quiet("OSError"),
            return_exceptions=True,
        )


@workflow
class GatherInsideWith(Workflow):
    async def run(self):
        results = None
        with suppress(ZeroDivisionError):
            results = await asyncio.gather(double(1), double(2))
            await asyncio.gather(double(3), boom("ZeroDivisionError", "z"))
            results = "unreached"
        return results


@workflow
class WithInComprehensionHelper(Workflow):
    def safe(self, values):
        with suppress(ValueError):
            return [int(v) for v in values]

    async def run(self):
        return self.safe(["1", "2"]), self.safe(["1", "x"]), await echo("end")


@workflow
class VariableOfManagerRebound(Workflow):
    async def run(self):
        cm = suppress(ValueError)
        with cm:
            cm = await note("rebound")
            raise ValueError(cm)
        return cm


@workflow
class TargetKeepsItsNameAfterwards(Workflow):
    async def run(self):
        with nullcontext(await numbers(2)) as kept:
            kept.append("in")
        kept.append("out")
        del kept
        try:
            return kept
        except UnboundLocalError as error:
            return str(error)


@workflow
class TargetUnboundWhenEnterFails(Workflow):
    async def run(self):
        try:
            with nullcontext(await boom("OSError", 5, "enter")) as never:
                pass
        except OSError as error:
            try:
                never
            except UnboundLocalError as unbound:
                return error.errno, str(unbound)


@workflow
class NotAManager(Workflow):
    async def run(self):
        seen = []
        for value in (1, "x", [1], None, {}):
            try:
                with value:
                    pass
            except TypeError as error:
                seen.append(str(error).partition(" (")[0])
            try:
                async with value:
                    pass
            except TypeError as error:
                seen.append(str(error).partition(" (")[0])
        return seen


@workflow
class SuppressIsNotAsynchronous(Workflow):
    async def run(self):
        try:
            async with suppress(ValueError):
                await note("never")
        except TypeError as error:
            return str(error).partition(" (")[0]


@workflow
class SleepInsideWith(Workflow):
    async def run(self):
        with nullcontext("v") as v:
            await asyncio.sleep(60)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1)
                raise asyncio.CancelledError("mine")
        return v


@workflow
class CapturedByLambda(Workflow):
    async def run(self):
        makers = []
        for n in range(3):
            with nullcontext(n) as value:
                makers.append(lambda: value)
        await note("later")
        return [make() for make in makers]


@workflow
class CallBeforeManager(Workflow):
    async def run(self):
        order = []

        with nullcontext(order.append("first")), nullcontext(order.append("second")):
            order.append(await note("body"))
        return order
