"""One kind of statement after the other, in every block."""

import contextlib

from tests.language.steps import echo, note
from waymark import Workflow, workflow


@workflow
class ContinueInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)
        for n in (1, 2):
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)
        try:
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)
            raise LookupError(n)
        except LookupError:
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)
        finally:
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)
        with contextlib.suppress(ValueError):
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)

        async def nested(n):
            for each in (1, 2, 3):
                if each == await echo(2):
                    continue
                seen.append(each)
            return n

        return seen, await nested(1), n


@workflow
class DeleteInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)
        for n in (1, 2):
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)
        try:
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)
            raise LookupError(n)
        except LookupError:
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)
        finally:
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)
        with contextlib.suppress(ValueError):
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)

        async def nested(n):
            taken = [1, 2, await echo(3)]
            del taken[n], taken[-1:]
            seen.append(taken)
            return n

        return seen, await nested(1), n


@workflow
class ForInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)
        for n in (1, 2):
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)
        try:
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)
            raise LookupError(n)
        except LookupError:
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)
        finally:
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)
        with contextlib.suppress(ValueError):
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)

        async def nested(n):
            for each, other in zip("ab", (1, await echo(2))):
                seen.append((each, other))
            else:
                seen.append(n)
            return n

        return seen, await nested(1), n


@workflow
class FunctionDefInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))
        for n in (1, 2):
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))
        try:
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))
            raise LookupError(n)
        except LookupError:
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))
        finally:
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))
        with contextlib.suppress(ValueError):
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))

        async def nested(n):
            def inner(k, *, by=n):
                return k * by

            seen.append(inner(await echo(3)))
            return n

        return seen, await nested(1), n


@workflow
class MatchInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)
        for n in (1, 2):
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)
        try:
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)
            raise LookupError(n)
        except LookupError:
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)
        finally:
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)
        with contextlib.suppress(ValueError):
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)

        async def nested(n):
            match await echo([n, 2]):
                case [1, second]:
                    seen.append(second)
                case [first, *_]:
                    seen.append(first)
            return n

        return seen, await nested(1), n


@workflow
class PassInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass
        for n in (1, 2):
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass
        try:
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass
            raise LookupError(n)
        except LookupError:
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass
        finally:
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass
        with contextlib.suppress(ValueError):
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass

        async def nested(n):
            if n:
                pass
            else:
                seen.append(await note("else"))
            pass
            return n

        return seen, await nested(1), n
