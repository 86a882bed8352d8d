"""One kind of statement after the other, in every block."""

import contextlib

from tests.language.steps import echo, note
from waymark import Workflow, workflow


@workflow
class TryStarInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")
        for n in (1, 2):
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")
        try:
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")
            raise LookupError(n)
        except LookupError:
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")
        finally:
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")
        with contextlib.suppress(ValueError):
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")

        async def nested(n):
            try:
                raise ExceptionGroup("g", [KeyError(await echo(n)), ValueError("v")])
            except* KeyError as group:
                seen.append(repr(group.exceptions))
            except* ValueError:
                seen.append("v")
            return n

        return seen, await nested(1), n


@workflow
class WhileInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")
        for n in (1, 2):
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")
        try:
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")
            raise LookupError(n)
        except LookupError:
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")
        finally:
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")
        with contextlib.suppress(ValueError):
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")

        async def nested(n):
            left = 2
            while left := left - 1:
                seen.append(await echo(left))
            else:
                seen.append("done")
            return n

        return seen, await nested(1), n


@workflow
class WithInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)
        for n in (1, 2):
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)
        try:
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)
            raise LookupError(n)
        except LookupError:
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)
        finally:
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)
        with contextlib.suppress(ValueError):
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)

        async def nested(n):
            with contextlib.nullcontext(await echo(n)) as held, contextlib.suppress(KeyError):
                seen.append(held)
                raise KeyError(held)
            return n

        return seen, await nested(1), n


@workflow
class TryInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))
        for n in (1, 2):
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))
        try:
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))
            raise LookupError(n)
        except LookupError:
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))
        finally:
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))
        with contextlib.suppress(ValueError):
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))

        async def nested(n):
            try:
                seen.append(await echo(1 // (n - n)))
            except ZeroDivisionError as error:
                seen.append(str(error))
            else:
                seen.append("no")
            finally:
                seen.append(await note("last"))
            return n

        return seen, await nested(1), n


@workflow
class AugAssignInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            n += await echo(1)
            seen[:1] += [n]
            n -= 1
        for n in (1, 2):
            n += await echo(1)
            seen[:1] += [n]
            n -= 1
        try:
            n += await echo(1)
            seen[:1] += [n]
            n -= 1
            raise LookupError(n)
        except LookupError:
            n += await echo(1)
            seen[:1] += [n]
            n -= 1
        finally:
            n += await echo(1)
            seen[:1] += [n]
            n -= 1
        with contextlib.suppress(ValueError):
            n += await echo(1)
            seen[:1] += [n]
            n -= 1

        async def nested(n):
            n += await echo(1)
            seen[:1] += [n]
            n -= 1
            return n

        return seen, await nested(1), n


@workflow
class Jumps(Workflow):
    async def run(self):
        seen = []
        for n in (1, 2, 3, 4, 5, 6, 7):
            with contextlib.suppress(KeyError):
                if n == 1:
                    continue
                seen.append(await self.jumps(n))
                if n == 6:
                    break
        return seen

    async def jumps(self, stop):
        seen = []

        async def inner():
            for n in range(9):
                try:
                    if n == await echo(0):
                        pass
                    elif n < stop:
                        continue
                    else:
                        break
                finally:
                    seen.append(n)
            for n in range(3):
                with contextlib.nullcontext(n):
                    break
            for n in range(3):
                with contextlib.nullcontext(n):
                    continue
            for n in range(3):
                try:
                    continue
                finally:
                    pass
            for n in range(3):
                try:
                    raise KeyError(n)
                except KeyError:
                    continue
                finally:
                    if n == 1:
                        break
                    continue
            for n in range(3):
                continue
            try:
                pass
            finally:
                pass
            return n

        seen.append(await inner())
        for n in range(2):
            try:
                break
            finally:
                seen.append("left")
        return seen
