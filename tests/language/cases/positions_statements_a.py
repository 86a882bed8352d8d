"""One kind of statement after the other, in every block."""

import contextlib

from tests.language.steps import echo, note
from waymark import Workflow, workflow


@workflow
class AnnAssignInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            count: int = n + 1
            seen.append(count)
        for n in (1, 2):
            count: int = n + 1
            seen.append(count)
        try:
            count: int = n + 1
            seen.append(count)
            raise LookupError(n)
        except LookupError:
            count: int = n + 1
            seen.append(count)
        finally:
            count: int = n + 1
            seen.append(count)
        with contextlib.suppress(ValueError):
            count: int = n + 1
            seen.append(count)

        async def nested(n):
            count: int = n + 1
            seen.append(count)
            return n

        return seen, await nested(1), n


@workflow
class AssertInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            assert n, await note("not reached")
            assert not isinstance(n, str)
        for n in (1, 2):
            assert n, await note("not reached")
            assert not isinstance(n, str)
        try:
            assert n, await note("not reached")
            assert not isinstance(n, str)
            raise LookupError(n)
        except LookupError:
            assert n, await note("not reached")
            assert not isinstance(n, str)
        finally:
            assert n, await note("not reached")
            assert not isinstance(n, str)
        with contextlib.suppress(ValueError):
            assert n, await note("not reached")
            assert not isinstance(n, str)

        async def nested(n):
            assert n, await note("not reached")
            assert not isinstance(n, str)
            return n

        return seen, await nested(1), n


@workflow
class AsyncForInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            async for each in self.items(n):
                seen.append(each)
        for n in (1, 2):
            async for each in self.items(n):
                seen.append(each)
        try:
            async for each in self.items(n):
                seen.append(each)
            raise LookupError(n)
        except LookupError:
            async for each in self.items(n):
                seen.append(each)
        finally:
            async for each in self.items(n):
                seen.append(each)
        with contextlib.suppress(ValueError):
            async for each in self.items(n):
                seen.append(each)

        async def nested(n):
            async for each in self.items(n):
                seen.append(each)
            return n

        return seen, await nested(1), n

    async def items(self, n):
        for each in range(n + 1):
            yield await echo(each)


@workflow
class AsyncFunctionDefInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))
        for n in (1, 2):
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))
        try:
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))
            raise LookupError(n)
        except LookupError:
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))
        finally:
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))
        with contextlib.suppress(ValueError):
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))

        async def nested(n):
            async def inner(k):
                return await echo(k + n)

            seen.append(await inner(2))
            return n

        return seen, await nested(1), n


@workflow
class AsyncWithInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))
        for n in (1, 2):
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))
        try:
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))
            raise LookupError(n)
        except LookupError:
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))
        finally:
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))
        with contextlib.suppress(ValueError):
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))

        async def nested(n):
            async with contextlib.nullcontext(n) as held:
                seen.append(await echo(held))
            return n

        return seen, await nested(1), n


@workflow
class BreakInEveryBlock(Workflow):
    async def run(self):
        seen, n = [], 1
        if n:
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")
        for n in (1, 2):
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")
        try:
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")
            raise LookupError(n)
        except LookupError:
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")
        finally:
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")
        with contextlib.suppress(ValueError):
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")

        async def nested(n):
            for each in (1, 2):
                if each > n:
                    break
                seen.append(await echo(each))
            else:
                seen.append("else")
            return n

        return seen, await nested(1), n
