"""One kind of expression after the other, in every position."""

import contextlib

from tests.language.steps import Point, echo, note
from waymark import Workflow, workflow


@workflow
class SetEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo({n, 2}))
        for n in (1, 2):
            seen.append(await echo({n, 2}))
        try:
            seen.append(await echo({n, 2}))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo({n, 2}))
        finally:
            seen.append(await echo({n, 2}))
        with contextlib.suppress(ValueError):
            seen.append(await echo({n, 2}))

        def inner():
            return {n, 2}

        held = [inner()]
        seen.append(held)
        held = [{n, 2} for _ in others]
        seen.append(len(held))
        held = ({n, 2},)
        seen.append(len(held))
        if {n, 2}:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ({n, 2}))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ({n, 2})

    async def part(self, others, n, m, point, seen):
        return ({n, 2}).missing

    async def operand(self, others, n, m, point, seen):
        return ({n, 2}) == n, ({n, 2}) in (n, None), ({n, 2}) + 1


@workflow
class SetCompEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo({k % 2 for k in others}))
        for n in (1, 2):
            seen.append(await echo({k % 2 for k in others}))
        try:
            seen.append(await echo({k % 2 for k in others}))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo({k % 2 for k in others}))
        finally:
            seen.append(await echo({k % 2 for k in others}))
        with contextlib.suppress(ValueError):
            seen.append(await echo({k % 2 for k in others}))

        def inner():
            return {k % 2 for k in others}

        held = [inner()]
        seen.append(held)
        held = [{k % 2 for k in others} for _ in others]
        seen.append(len(held))
        held = ({k % 2 for k in others},)
        seen.append(len(held))
        if {k % 2 for k in others}:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ({k % 2 for k in others}))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ({k % 2 for k in others})

    async def part(self, others, n, m, point, seen):
        return ({k % 2 for k in others}).missing

    async def operand(self, others, n, m, point, seen):
        return ({k % 2 for k in others}) == n, ({k % 2 for k in others}) in (n, None), ({k % 2 for k in others}) + 1


@workflow
class SubscriptEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(others[n]))
        for n in (1, 2):
            seen.append(await echo(others[n]))
        try:
            seen.append(await echo(others[n]))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(others[n]))
        finally:
            seen.append(await echo(others[n]))
        with contextlib.suppress(ValueError):
            seen.append(await echo(others[n]))

        def inner():
            return others[n]

        held = [inner()]
        seen.append(held)
        held = [others[n] for _ in others]
        seen.append(len(held))
        held = (others[n],)
        seen.append(len(held))
        if others[n]:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (others[n]))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (others[n])

    async def part(self, others, n, m, point, seen):
        return (others[n]).missing

    async def operand(self, others, n, m, point, seen):
        return (others[n]) == n, (others[n]) in (n, None), (others[n]) + 1


@workflow
class TupleEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo((n, "t")))
        for n in (1, 2):
            seen.append(await echo((n, "t")))
        try:
            seen.append(await echo((n, "t")))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo((n, "t")))
        finally:
            seen.append(await echo((n, "t")))
        with contextlib.suppress(ValueError):
            seen.append(await echo((n, "t")))

        def inner():
            return (n, "t")

        held = [inner()]
        seen.append(held)
        held = [(n, "t") for _ in others]
        seen.append(len(held))
        held = ((n, "t"),)
        seen.append(len(held))
        if (n, "t"):
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ((n, "t")))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ((n, "t"))

    async def part(self, others, n, m, point, seen):
        return ((n, "t")).missing

    async def operand(self, others, n, m, point, seen):
        return ((n, "t")) == n, ((n, "t")) in (n, None), ((n, "t")) + 1


@workflow
class UnaryOpEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(-n))
        for n in (1, 2):
            seen.append(await echo(-n))
        try:
            seen.append(await echo(-n))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(-n))
        finally:
            seen.append(await echo(-n))
        with contextlib.suppress(ValueError):
            seen.append(await echo(-n))

        def inner():
            return -n

        held = [inner()]
        seen.append(held)
        held = [-n for _ in others]
        seen.append(len(held))
        held = (-n,)
        seen.append(len(held))
        if -n:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (-n))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (-n)

    async def part(self, others, n, m, point, seen):
        return (-n).missing

    async def operand(self, others, n, m, point, seen):
        return (-n) == n, (-n) in (n, None), (-n) + 1


@workflow
class AwaitEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(await echo(n)))
        for n in (1, 2):
            seen.append(await echo(await echo(n)))
        try:
            seen.append(await echo(await echo(n)))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(await echo(n)))
        finally:
            seen.append(await echo(await echo(n)))
        with contextlib.suppress(ValueError):
            seen.append(await echo(await echo(n)))

        async def inner():
            return await echo(n)

        held = [await inner()]
        seen.append(held)
        held = [await echo(n) for _ in others]
        seen.append(len(held))
        held = (await echo(n),)
        seen.append(len(held))
        if await echo(n):
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (await echo(n)))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (await echo(n))

    async def part(self, others, n, m, point, seen):
        return (await echo(n)).missing

    async def operand(self, others, n, m, point, seen):
        return (await echo(n)) == n, (await echo(n)) in (n, None), (await echo(n)) + 1


@workflow
class FormattedValueEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(f"{n + 1:>{n + 3}}"))
        for n in (1, 2):
            seen.append(await echo(f"{n + 1:>{n + 3}}"))
        try:
            seen.append(await echo(f"{n + 1:>{n + 3}}"))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(f"{n + 1:>{n + 3}}"))
        finally:
            seen.append(await echo(f"{n + 1:>{n + 3}}"))
        with contextlib.suppress(ValueError):
            seen.append(await echo(f"{n + 1:>{n + 3}}"))

        def inner():
            return f"{n + 1:>{n + 3}}"

        held = [inner()]
        seen.append(held)
        held = [f"{n + 1:>{n + 3}}" for _ in others]
        seen.append(len(held))
        held = (f"{n + 1:>{n + 3}}",)
        seen.append(len(held))
        if f"{n + 1:>{n + 3}}":
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (f"{n + 1:>{n + 3}}"))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (f"{n + 1:>{n + 3}}")

    async def part(self, others, n, m, point, seen):
        return (f"{n + 1:>{n + 3}}").missing

    async def operand(self, others, n, m, point, seen):
        return (f"{n + 1:>{n + 3}}") == n, (f"{n + 1:>{n + 3}}") in (n, None), (f"{n + 1:>{n + 3}}") + 1
