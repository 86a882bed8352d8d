"""Every compound and simple statement directly in every kind of block: branches, loops, ``try`` and its parts, ``with``."""

from contextlib import nullcontext, suppress

from tests.language.steps import double, echo, note, numbers
from waymark import Workflow, workflow


async def countdown(n):
    while n:
        yield await double(n)
        n -= 1


@workflow
class EveryStatementInABranch(Workflow):
    async def run(self):
        log = []
        if await echo(log == []):
            marker: int = await double(1)
            assert marker, await note("never")
            log += [marker]
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=1):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(1)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("branch", [ValueError(await echo(1)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
        else:
            log.append('no')
        return log, await echo(len(log))


@workflow
class EveryStatementInALoop(Workflow):
    async def run(self):
        log = []
        for turn in range(2):
            log.append(turn)
            marker: int = await double(2)
            assert marker, await note("never")
            log += [marker]
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=2):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(2)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("loop", [ValueError(await echo(2)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
        else:
            log.append('else')
        return log, await echo(len(log))


@workflow
class EveryStatementInATry(Workflow):
    async def run(self):
        log = []
        try:
            marker: int = await double(3)
            assert marker, await note("never")
            log += [marker]
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=3):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(3)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("try", [ValueError(await echo(3)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
        finally:
            log.append('after')
        return log, await echo(len(log))


@workflow
class EveryStatementInAHandler(Workflow):
    async def run(self):
        log = []
        try:
            raise LookupError(await note('first'))
        except LookupError as reason:
            log.append(str(reason))
            marker: int = await double(4)
            assert marker, await note("never")
            log += [marker]
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=4):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(4)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("handler", [ValueError(await echo(4)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
        return log, await echo(len(log))


@workflow
class EveryStatementInAFinally(Workflow):
    async def run(self):
        log = []
        try:
            log.append(await note('body'))
        finally:
            marker: int = await double(5)
            assert marker, await note("never")
            log += [marker]
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=5):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(5)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("finally", [ValueError(await echo(5)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
        return log, await echo(len(log))


@workflow
class EveryStatementInAWith(Workflow):
    async def run(self):
        log = []
        with suppress(ValueError):
            marker: int = await double(6)
            assert marker, await note("never")
            log += [marker]
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=6):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(6)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("with", [ValueError(await echo(6)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
            raise ValueError(marker)
        return log, await echo(len(log))


@workflow
class EveryStatementInANested(Workflow):
    async def run(self):
        log = []
        async def inside():
            marker: int = await double(7)
            assert marker, await note("never")
            log.append(marker)
            async for each in countdown(2):
                log.append(("async for", each))
            async with nullcontext(marker) as held:
                log.append(held)

            async def later(by=7):
                return await double(by)

            def now():
                return len(log)

            log.append((await later(), now()))
            del held
            for each in (await numbers(2)):
                log.append(("for", each))
            if log and marker > 100:
                log.append("never")
            match log[-1]:
                case ("for", int() as found):
                    log.append(("match", found))
            try:
                raise KeyError(7)
            except KeyError as error:
                log.append(repr(error))
            try:
                raise ExceptionGroup("nested", [ValueError(await echo(7)), OSError()])
            except* ValueError as group:
                log.append(group.message)
            except* OSError:
                pass
            while len(log) % 5:
                log.append(await note("while"))
            with suppress(LookupError):
                {}[await echo("missing")]
            pass
            return marker

        log.append(await inside())
        return log, await echo(len(log))
