"""What random programs found: each showed something else than CPython once."""

import asyncio
from collections import deque
from copy import copy
from datetime import date, timedelta
from decimal import Decimal

from tests.language.steps import User, boom, echo, note
from waymark import Workflow, workflow

# wait_for of CPython 3.11 makes a task, whose errors do not know what is handled outside of it.
SINCE = {"ContextOfWhatLimitsRaise": (3, 12), "ContextOfWhatIsRaisedByAThrow": (3, 12)}


@workflow
class ContextOfWhatAwaitingsRaise(Workflow):
    async def run(self):
        log = []
        for how in (self.completed, self.result, self.awaited, self.gathered, self.shielded):
            try:
                try:
                    raise KeyError(5)
                finally:
                    await how()
            except ValueError as e:
                log.append((how.__name__, repr(e), repr(e.__context__), repr(e.__context__.__context__)))
        return log

    async def bad(self):
        await echo(1)
        try:
            1 / 0
        except ArithmeticError:
            raise ValueError("v")

    async def completed(self):
        for each in asyncio.as_completed([self.bad()]):
            await each

    async def result(self):
        task = asyncio.create_task(self.bad())
        await asyncio.wait([task])
        task.result()

    async def awaited(self):
        await asyncio.create_task(self.bad())

    async def gathered(self):
        await asyncio.gather(self.bad(), echo(1))

    async def shielded(self):
        await asyncio.shield(self.bad())


@workflow
class ContextOfWhatLimitsRaise(Workflow):
    async def run(self):
        log = []
        for how in (self.waited, self.timed, self.stored):
            try:
                try:
                    await boom("KeyError", 5)
                finally:
                    await how()
            except ValueError as e:
                log.append((repr(e.__context__), repr(e.__context__.__context__)))
        return log

    async def bad(self):
        try:
            await boom("IndexError", 1)
        except LookupError:
            raise ValueError("v")

    async def waited(self):
        await asyncio.wait_for(self.bad(), 5)

    async def timed(self):
        async with asyncio.timeout(4):
            await self.bad()

    async def stored(self):
        task = asyncio.create_task(self.bad())
        await asyncio.wait([task])
        raise task.exception()


@workflow
class ContextOfAnActionInAHelper(Workflow):
    async def run(self):
        try:
            raise KeyError(5)
        except KeyError:
            return await self.helper()

    async def helper(self):
        try:
            await boom("IndexError", 1)
        except IndexError as error:
            return repr(error.__context__)


@workflow
class ContextOfAWaitWithoutTime(Workflow):
    async def run(self):
        log = []
        for late in (self.slow(), self.failing(), self.deaf()):
            try:
                try:
                    raise KeyError(5)
                finally:
                    await asyncio.wait_for(asyncio.create_task(late), 0)
            except (TimeoutError, ValueError) as e:
                while e is not None:
                    log.append(repr(e))
                    e = e.__context__
        return log

    async def slow(self):
        await echo(1)

    async def failing(self):
        try:
            raise IndexError(1)
        except IndexError:
            raise ValueError("v")

    async def deaf(self):
        try:
            await echo(1)
        except asyncio.CancelledError:
            raise ValueError("w")


@workflow
class ContextOfAWaitThatIsCancelled(Workflow):
    async def run(self):
        try:
            try:
                raise KeyError(5)
            finally:
                task = asyncio.create_task(self.deaf())
                await echo(2)
                await asyncio.wait_for(task, 0)
        except ValueError as e:
            return [repr(e), repr(e.__context__), repr(e.__context__.__context__)]

    async def deaf(self):
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            raise ValueError("w")


@workflow
class ContextOfWhatIsRaisedByAThrow(Workflow):
    """A cancelled stack raises something else: each coroutine that it passes at once adds what it handles."""

    async def run(self):
        log = []
        for how in (self.timed, self.replaced, self.passed, self.back, self.late, self.waited, self.nested):
            try:
                try:
                    raise KeyError(5)
                finally:
                    await asyncio.wait_for(how(), 9)
            except Exception as e:
                log.append(how.__name__)
                while e is not None:
                    log.append((repr(e), repr(e.__cause__)))
                    e = e.__context__
        return log

    async def timed(self):
        async with asyncio.timeout(2):
            await asyncio.sleep(5)

    async def replaced(self):
        async with asyncio.timeout(2):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                raise ValueError("r")

    async def passed(self):
        try:
            raise IndexError(1)
        except IndexError:
            await self.timed()

    async def back(self):
        try:
            raise IndexError(2)
        except IndexError:
            try:
                await self.timed()
            except TimeoutError:
                pass
            raise OSError(3)

    async def late(self):
        try:
            raise IndexError(2)
        except IndexError:
            try:
                await self.timed()
            except TimeoutError:
                await echo(1)
                raise OSError(3)

    async def waited(self):
        try:
            raise IndexError(2)
        except IndexError:
            await asyncio.wait_for(asyncio.sleep(5), 1)

    async def nested(self):
        try:
            raise IndexError(2)
        except IndexError:
            try:
                raise LookupError(4)
            except LookupError:
                try:
                    await self.passed()
                finally:
                    self.quiet()

    def quiet(self):
        try:
            1 / 0
        except ZeroDivisionError:
            pass


@workflow
class ContextOfACancelledTask(Workflow):
    async def run(self):
        task = asyncio.create_task(self.outer())
        await asyncio.sleep(1)
        task.cancel("enough")
        try:
            await task
        except KeyError as e:
            return [repr(e), repr(e.__context__), repr(e.__context__.__context__)]

    async def outer(self):
        try:
            raise EOFError(1)
        except EOFError:
            await self.inner()

    async def inner(self):
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            raise KeyError("k")


@workflow
class NamesOfTypesWrittenInC(Workflow):
    async def run(self):
        task = asyncio.create_task(echo(1))
        things = [task, date(2024, 1, 1), deque([1]), Decimal(1), iter(deque()), timedelta(1)]
        log = []
        for each in things:
            for doing in (self.measured, self.added, self.taken, self.put, self.spread, self.merged):
                try:
                    doing(each)
                except TypeError as e:
                    log.append(str(e))
        await task
        return log

    def measured(self, each):
        len(each)

    def added(self, each):
        each + 1

    def taken(self, each):
        each["a"]

    def put(self, each):
        each["a"] = 1

    def spread(self, each):
        range(each)

    def merged(self, each):
        return {**each}


@workflow
class SortsThatFail(Workflow):
    """A list is empty while its keys are made; after an error of a key it is as it was before."""

    async def run(self):
        log = []
        for key in (self.grows, self.looks, self.mixed):
            self.xs = xs = [3, 1, 2, 5, 4, 0]
            for backwards in (False, True):
                try:
                    xs.sort(key=key, reverse=backwards)
                except (ArithmeticError, IndexError, TypeError, ValueError) as e:
                    log.append((repr(e), self.xs is xs, xs[:]))
                else:
                    log.append(xs[:])
        await echo(1)
        return log

    def grows(self, x):
        self.xs.append(x)
        return 1 / (x - 2)

    def looks(self, x):
        return self.xs[x]

    def mixed(self, x):
        return "a" if x == 5 else -x


@workflow
class SortsThatSeeTheirList(Workflow):
    async def run(self):
        log = []
        xs = [3, 1, 2]
        try:
            xs.sort(key=xs.index)
        except ValueError:
            log.append(xs[:])
        xs.sort(key=xs.count)
        log.append(xs[:])
        try:
            xs.sort(key=xs.append)
        except (TypeError, ValueError) as e:
            log.append(str(e))
        log.append(xs[:])
        mixed = [5, 4, "a", 3, 2]
        for backwards in (False, True):
            try:
                mixed.sort(key=copy, reverse=backwards)
            except TypeError as e:
                log.append(str(e))
            log.append(mixed[:])
        await echo(1)
        return log


@workflow
class MethodsOfModelsAcrossAwaits(Workflow):
    async def run(self):
        part = User(id=1, name="a")
        other = part.model_copy(update={"name": await note("b")})
        dump = part.model_dump
        await echo(1)
        return other, dump(), other.model_copy(update={"id": await echo(3)}).model_dump(mode=await note("json"))
