"""Workflows whose order of events is the point; CPython says what is right."""

from __future__ import annotations

import asyncio
from typing import Any

from waymark import Workflow, action, workflow


@action
async def act(x: Any) -> Any:
    return x


@action
async def fail(x: Any) -> Any:
    raise ValueError(x)


@workflow
class VmOneAfterTheOther(Workflow):
    async def run(self, n: int = 3) -> Any:
        out = []
        for i in range(n):
            out.append(await act(i))
        return out


@workflow
class VmGathered(Workflow):
    async def run(self) -> Any:
        return await asyncio.gather(act(1), act(2), act(3))


@workflow
class VmGatheredNested(Workflow):
    async def one(self, x: int) -> Any:
        a = await act(x)
        b = await act(x * 10)
        return [a, b]

    async def run(self) -> Any:
        return await asyncio.gather(
            self.one(1), asyncio.gather(self.one(2), act(3)), asyncio.sleep(0, "slept"), asyncio.sleep(5, "long")
        )


@workflow
class VmFirstErrorWins(Workflow):
    async def quick(self, log: list[str]) -> Any:
        await asyncio.sleep(0)
        log.append("quick raises")
        raise KeyError("quick")

    async def slow(self, log: list[str]) -> Any:
        try:
            log.append(str(await act("slow")))
            log.append(str(await act("slower")))
        finally:
            log.append("slow ends")
        return "done"

    async def run(self) -> Any:
        log: list[str] = []
        try:
            await asyncio.gather(self.quick(log), self.slow(log), fail("never seen"))
        except KeyError as e:
            log.append(repr(e))
        await act("after")
        await act("after that")
        return log


@workflow
class VmReturnExceptions(Workflow):
    async def run(self) -> Any:
        results = await asyncio.gather(act(1), fail("no"), act(2), return_exceptions=True)
        return [r if not isinstance(r, Exception) else [type(r).__name__, r.args] for r in results]


@workflow
class VmSameAwaitableTwice(Workflow):
    async def run(self) -> Any:
        c = act(7)
        return await asyncio.gather(c, c)


@workflow
class VmAwaitTwice(Workflow):
    async def run(self) -> Any:
        c = act(7)
        first = await c
        try:
            await c
        except RuntimeError as e:
            return [first, str(e)]
        return "no error"


@workflow
class VmAwaitHelperTwice(Workflow):
    async def helper(self) -> Any:
        return await act(1)

    async def run(self) -> Any:
        c = self.helper()
        await c
        await c


@workflow
class VmCancelMe(Workflow):
    async def run(self) -> Any:
        log = []
        try:
            await act(1)
            await act(2)
            await act(3)
        except asyncio.CancelledError:
            log.append("cancelled")
            await act("clean up")
            raise
        finally:
            log.append("finally")
            await act("and more")
        return log


@workflow
class VmSwallowCancel(Workflow):
    async def run(self) -> Any:
        try:
            await asyncio.gather(act(1), act(2), asyncio.sleep(100))
        except asyncio.CancelledError as e:
            return ["swallowed", e.args]
        return "not cancelled"


@workflow
class VmCancelGather(Workflow):
    async def child(self, n: int, log: list[Any]) -> Any:
        try:
            await act(n)
            await asyncio.sleep(10 + n)
        except asyncio.CancelledError:
            log.append(n)
            if n == 2:
                return "refused"
            raise
        finally:
            await act(-n)
        return n

    async def run(self) -> Any:
        log: list[Any] = []
        try:
            return await asyncio.gather(self.child(1, log), self.child(2, log), self.child(3, log))
        except asyncio.CancelledError:
            await act(log)
            raise


@workflow
class VmLeftOver(Workflow):
    async def child(self, n: int) -> Any:
        try:
            for i in range(5):
                await act([n, i])
        finally:
            await act(["clean", n])

    async def run(self) -> Any:
        g = asyncio.gather(self.child(1), self.child(2), asyncio.sleep(50))
        await act("main")
        try:
            await asyncio.gather(self.child(3), fail("x"))
        except ValueError as e:
            return str(e)
        await g


@workflow
class VmHops(Workflow):
    async def ticker(self, name: str, log: list[str]) -> None:
        for i in range(4):
            log.append(f"{name}{i}")
            await asyncio.sleep(0)

    async def nested(self, name: str, log: list[str]) -> None:
        log.append(f"{name} in")
        await asyncio.gather(self.ticker(name + "x", log), self.ticker(name + "y", log))
        log.append(f"{name} out")

    async def immediate(self, log: list[str]) -> str:
        log.append("immediate")
        return "i"

    async def run(self) -> Any:
        log: list[str] = []
        out = await asyncio.gather(
            self.ticker("a", log), self.nested("n", log), self.immediate(log), self.ticker("b", log)
        )
        log.append(repr(out))
        empty = await asyncio.gather()
        log.append(repr(empty))
        return log


@workflow
class VmContextOfThrown(Workflow):
    async def inner(self) -> Any:
        try:
            raise KeyError("inner")
        except KeyError:
            await fail("thrown")

    async def run(self) -> Any:
        try:
            raise TypeError("outer")
        except TypeError:
            await self.inner()


@workflow
class VmContextOfDirect(Workflow):
    async def inner(self) -> Any:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("direct")

    async def run(self) -> Any:
        try:
            raise TypeError("outer")
        except TypeError:
            await self.inner()


@workflow
class VmContextsOfEveryKind(Workflow):
    def helper(self, x: int) -> int:
        return 1 // x

    async def run(self) -> Any:
        try:
            try:
                raise KeyError("a")
            except KeyError as a:
                try:
                    self.helper(0)
                except ZeroDivisionError as b:
                    raise LookupError("c") from a
                finally:
                    [][0]
        except IndexError as e:
            try:
                raise e
            finally:
                try:
                    {}["inner"]
                except KeyError:
                    pass


@workflow
class VmFinallyReturns(Workflow):
    async def one(self) -> Any:
        try:
            raise ValueError("lost")
        finally:
            return await act("finally")

    async def two(self) -> Any:
        for i in range(3):
            try:
                await act(i)
                if i == 1:
                    continue
            finally:
                if i == 2:
                    break
        else:
            return "else"
        return i

    async def three(self) -> Any:
        try:
            return await act("value")
        finally:
            await act("before returning")

    async def run(self) -> Any:
        return [await self.one(), await self.two(), await self.three()]


@workflow
class VmBadAwait(Workflow):
    async def run(self) -> Any:
        out = []
        for bad in (1, None, "x", [1]):
            try:
                await bad
            except TypeError as e:
                out.append(str(e))
        try:
            await asyncio.gather(1)
        except TypeError as e:
            out.append(str(e))
        try:
            await asyncio.gather([])
        except TypeError as e:
            out.append(str(e))
        try:
            await asyncio.sleep("1")
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class VmSleepsInOrder(Workflow):
    async def nap(self, seconds: float, log: list[Any]) -> Any:
        got = await asyncio.sleep(seconds, seconds)
        log.append(got)
        await act(got)
        return got

    async def run(self) -> Any:
        log: list[Any] = []
        out = await asyncio.gather(*[self.nap(s, log) for s in (3, 1, 0, 2, -1, 0.5)])
        return [out, log]


@workflow
class VmGatherHeld(Workflow):
    async def run(self) -> Any:
        g = asyncio.gather(act(1), fail("held"), act(3), return_exceptions=True)
        first = await act("meanwhile")
        results = await g
        again = await g
        f = asyncio.gather(fail("once"), act(4))
        texts = []
        for _ in range(2):
            try:
                await f
            except ValueError as e:
                texts.append([str(e), e.__context__ is None])
            await act("between")
        return [first, len(results), again is results, str(results[1]), texts]


@workflow
class VmErrorsInFinally(Workflow):
    async def child(self, n: int) -> Any:
        try:
            await act(n)
            await asyncio.sleep(n)
        finally:
            if n % 2:
                raise KeyError(n)
            await act(["finally", n])
        return n

    async def run(self) -> Any:
        out: list[Any] = []
        for some in (True, False):
            try:
                got = await asyncio.gather(*[self.child(n) for n in range(1, 5)], return_exceptions=some)
                out.append([repr(x) for x in got])
            except KeyError as e:
                out.append(["raised", e.args, repr(e.__context__)])
            except asyncio.CancelledError as e:
                out.append(["cancelled", e.args, repr(e.__context__)])
        return out


@workflow
class VmShieldedByHand(Workflow):
    async def stubborn(self, log: list[Any]) -> Any:
        for attempt in range(3):
            try:
                await act(["stubborn", attempt])
            except asyncio.CancelledError:
                log.append(attempt)
        return "stubborn"

    async def run(self) -> Any:
        log: list[Any] = []
        try:
            done = await asyncio.gather(self.stubborn(log), act("other"), asyncio.sleep(3, "z"))
        except asyncio.CancelledError:
            done = "cancelled"
        return [done, log, await act("end")]


@workflow
class VmSharedEverywhere(Workflow):
    async def helper(self, x: Any) -> Any:
        await asyncio.sleep(0)
        return [await act(x)]

    async def run(self) -> Any:
        c, s = self.helper(1), asyncio.sleep(2, "s")
        inner = asyncio.gather(c, s)
        out = await asyncio.gather(inner, inner, act(5), asyncio.gather(inner, act(6)))
        out.append(out[0] is out[1])
        try:
            await asyncio.gather(c)
        except RuntimeError as e:
            out.append(str(e))
        try:
            await s
        except RuntimeError as e:
            out.append(str(e))
        return out


@workflow
class VmLeavesGathersBehind(Workflow):
    async def child(self, n: int, log: list[Any]) -> Any:
        try:
            await act(n)
            await act(-n)
        except asyncio.CancelledError:
            log.append(["cancelled", n])
            await asyncio.sleep(0)
            raise
        finally:
            log.append(["finally", n])
            await act([n, len(log)])

    async def run(self) -> Any:
        log: list[Any] = []
        asyncio.gather(self.child(1, log), self.child(2, log))
        g = asyncio.gather(self.child(3, log), asyncio.sleep(1))
        await act("go")
        await act("go on")
        return log


@workflow
class VmDeepAwaits(Workflow):
    async def level(self, n: int) -> Any:
        if n == 0:
            return await fail("bottom")
        try:
            return await self.level(n - 1)
        except ValueError as e:
            if n % 3 == 0:
                raise KeyError(n) from e
            if n % 3 == 1:
                raise
            await act(n)
            raise ValueError(f"again {n}")
        except KeyError:
            await act(n)
            raise ValueError(f"key {n}") from None

    async def run(self) -> Any:
        return await asyncio.gather(self.level(7), self.level(2), return_exceptions=False)


CASES = [
    VmGatherHeld, VmErrorsInFinally, VmShieldedByHand, VmSharedEverywhere, VmLeavesGathersBehind, VmDeepAwaits,
    VmOneAfterTheOther, VmGathered, VmGatheredNested, VmFirstErrorWins, VmReturnExceptions, VmSameAwaitableTwice, VmAwaitTwice,
    VmAwaitHelperTwice, VmCancelMe, VmSwallowCancel, VmCancelGather, VmLeftOver, VmHops, VmContextOfThrown, VmContextOfDirect,
    VmContextsOfEveryKind, VmFinallyReturns, VmBadAwait, VmSleepsInOrder,
]  # fmt: skip


def returned(x: Any) -> Any:
    return x


def raised(x: Any) -> Any:
    raise ValueError(x)


OUTCOMES = {"act": returned, "fail": raised}
