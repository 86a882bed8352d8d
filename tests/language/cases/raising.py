"""Bare ``raise`` wherever it may stand, and what it finds there."""

import asyncio

from tests.language.steps import boom, echo, note
from waymark import Workflow, workflow


def again():
    raise


def again_unless(value):
    if not value:
        raise
    return value


async def again_later(text):
    await note(text)
    raise


def items():
    yield 1
    raise


@workflow
class NothingToRaise(Workflow):
    async def run(self):
        raise


@workflow
class NothingInAHelper(Workflow):
    async def run(self):
        out = []
        for call in (again, lambda: again_unless(0)):
            try:
                call()
            except RuntimeError as error:
                out.append((str(error), repr(error.__context__)))
        return await echo(out), again_unless(5)


@workflow
class HelperRaisesWhatIsHandled(Workflow):
    async def run(self):
        try:
            try:
                await boom("ValueError", "v")
            except ValueError as error:
                kept = error
                again()
        except ValueError as error:
            return error is kept, repr(error.__context__)


@workflow
class CoroutineRaisesWhatIsHandled(Workflow):
    async def run(self):
        try:
            try:
                raise KeyError("k")
            except KeyError:
                await again_later("in between")
        except KeyError as error:
            return repr(error)


@workflow
class TaskHasItsOwn(Workflow):
    async def run(self):
        try:
            raise KeyError("k")
        except KeyError:
            results = await asyncio.gather(again_later("a"), again_later("b"), return_exceptions=True)
        return [str(each) for each in results]


@workflow
class InsideAFinally(Workflow):
    async def run(self):
        out = []
        for fails in (True, False):
            try:
                try:
                    if fails:
                        await boom("OSError", 3, "disk")
                finally:
                    await note("finally")
                    raise
            except (OSError, RuntimeError) as error:
                out.append((repr(error), repr(error.__context__)))
        return out


@workflow
class AfterTheHandler(Workflow):
    async def run(self):
        try:
            try:
                raise ValueError("handled")
            except ValueError:
                pass
            raise
        except RuntimeError as error:
            return str(error), repr(error.__context__)


@workflow
class InTheElse(Workflow):
    async def run(self):
        try:
            raise ValueError("outer")
        except ValueError:
            try:
                try:
                    await echo(1)
                except KeyError:
                    pass
                else:
                    raise
            except ValueError as error:
                return str(error)


@workflow
class FinallyInsideAHandler(Workflow):
    async def run(self):
        try:
            try:
                raise ValueError("outer")
            except ValueError:
                try:
                    await note("inner")
                finally:
                    raise
        except ValueError as error:
            return str(error), repr(error.__context__)


@workflow
class InAGenerator(Workflow):
    async def run(self):
        seen = []
        try:
            raise LookupError("l")
        except LookupError:
            try:
                for each in items():
                    seen.append(await echo(each))
            except LookupError as error:
                seen.append(str(error))
        try:
            for each in items():
                seen.append(each)
        except RuntimeError as error:
            return seen, str(error)


@workflow
class InANestedFunction(Workflow):
    async def run(self):
        def once_more():
            raise

        try:
            try:
                await boom("TypeError", "t")
            except TypeError:
                once_more()
        except TypeError as error:
            return str(error)


@workflow
class NestedHandlersReturnToTheOuter(Workflow):
    async def run(self):
        try:
            try:
                raise ValueError("outer")
            except ValueError:
                try:
                    raise KeyError("inner")
                except KeyError:
                    await note("inner")
                raise
        except ValueError as error:
            return repr(error), repr(error.__context__)
