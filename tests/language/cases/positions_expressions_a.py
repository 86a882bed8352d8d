"""One kind of expression after the other, in every position."""

import contextlib

from tests.language.steps import Point, echo, note
from waymark import Workflow, workflow


@workflow
class AttributeEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(point.x))
        for n in (1, 2):
            seen.append(await echo(point.x))
        try:
            seen.append(await echo(point.x))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(point.x))
        finally:
            seen.append(await echo(point.x))
        with contextlib.suppress(ValueError):
            seen.append(await echo(point.x))

        def inner():
            return point.x

        held = [inner()]
        seen.append(held)
        held = [point.x for _ in others]
        seen.append(len(held))
        held = (point.x,)
        seen.append(len(held))
        if point.x:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (point.x))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (point.x)

    async def part(self, others, n, m, point, seen):
        return (point.x).missing

    async def operand(self, others, n, m, point, seen):
        return (point.x) == n, (point.x) in (n, None), (point.x) + 1


@workflow
class BinOpEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(n + 2))
        for n in (1, 2):
            seen.append(await echo(n + 2))
        try:
            seen.append(await echo(n + 2))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(n + 2))
        finally:
            seen.append(await echo(n + 2))
        with contextlib.suppress(ValueError):
            seen.append(await echo(n + 2))

        def inner():
            return n + 2

        held = [inner()]
        seen.append(held)
        held = [n + 2 for _ in others]
        seen.append(len(held))
        held = (n + 2,)
        seen.append(len(held))
        if n + 2:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (n + 2))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (n + 2)

    async def part(self, others, n, m, point, seen):
        return (n + 2).missing

    async def operand(self, others, n, m, point, seen):
        return (n + 2) == n, (n + 2) in (n, None), (n + 2) + 1


@workflow
class BoolOpEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(n and others))
        for n in (1, 2):
            seen.append(await echo(n and others))
        try:
            seen.append(await echo(n and others))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(n and others))
        finally:
            seen.append(await echo(n and others))
        with contextlib.suppress(ValueError):
            seen.append(await echo(n and others))

        def inner():
            return n and others

        held = [inner()]
        seen.append(held)
        held = [n and others for _ in others]
        seen.append(len(held))
        held = (n and others,)
        seen.append(len(held))
        if n and others:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (n and others))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (n and others)

    async def part(self, others, n, m, point, seen):
        return (n and others).missing

    async def operand(self, others, n, m, point, seen):
        return (n and others) == n, (n and others) in (n, None), (n and others) + 1


@workflow
class CompareEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(0 < n < 3))
        for n in (1, 2):
            seen.append(await echo(0 < n < 3))
        try:
            seen.append(await echo(0 < n < 3))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(0 < n < 3))
        finally:
            seen.append(await echo(0 < n < 3))
        with contextlib.suppress(ValueError):
            seen.append(await echo(0 < n < 3))

        def inner():
            return 0 < n < 3

        held = [inner()]
        seen.append(held)
        held = [0 < n < 3 for _ in others]
        seen.append(len(held))
        held = (0 < n < 3,)
        seen.append(len(held))
        if 0 < n < 3:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (0 < n < 3))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (0 < n < 3)

    async def part(self, others, n, m, point, seen):
        return (0 < n < 3).missing

    async def operand(self, others, n, m, point, seen):
        return (0 < n < 3) == n, (0 < n < 3) in (n, None), (0 < n < 3) + 1


@workflow
class ConstantEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo("text"))
        for n in (1, 2):
            seen.append(await echo("text"))
        try:
            seen.append(await echo("text"))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo("text"))
        finally:
            seen.append(await echo("text"))
        with contextlib.suppress(ValueError):
            seen.append(await echo("text"))

        def inner():
            return "text"

        held = [inner()]
        seen.append(held)
        held = ["text" for _ in others]
        seen.append(len(held))
        held = ("text",)
        seen.append(len(held))
        if "text":
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ("text"))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ("text")

    async def part(self, others, n, m, point, seen):
        return ("text").missing

    async def operand(self, others, n, m, point, seen):
        return ("text") == n, ("text") in (n, None), ("text") + 1


@workflow
class DictEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo({"k": n}))
        for n in (1, 2):
            seen.append(await echo({"k": n}))
        try:
            seen.append(await echo({"k": n}))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo({"k": n}))
        finally:
            seen.append(await echo({"k": n}))
        with contextlib.suppress(ValueError):
            seen.append(await echo({"k": n}))

        def inner():
            return {"k": n}

        held = [inner()]
        seen.append(held)
        held = [{"k": n} for _ in others]
        seen.append(len(held))
        held = ({"k": n},)
        seen.append(len(held))
        if {"k": n}:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ({"k": n}))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ({"k": n})

    async def part(self, others, n, m, point, seen):
        return ({"k": n}).missing

    async def operand(self, others, n, m, point, seen):
        return ({"k": n}) == n, ({"k": n}) in (n, None), ({"k": n}) + 1


@workflow
class DictCompEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo({k: n for k in "ab"}))
        for n in (1, 2):
            seen.append(await echo({k: n for k in "ab"}))
        try:
            seen.append(await echo({k: n for k in "ab"}))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo({k: n for k in "ab"}))
        finally:
            seen.append(await echo({k: n for k in "ab"}))
        with contextlib.suppress(ValueError):
            seen.append(await echo({k: n for k in "ab"}))

        def inner():
            return {k: n for k in "ab"}

        held = [inner()]
        seen.append(held)
        held = [{k: n for k in "ab"} for _ in others]
        seen.append(len(held))
        held = ({k: n for k in "ab"},)
        seen.append(len(held))
        if {k: n for k in "ab"}:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ({k: n for k in "ab"}))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ({k: n for k in "ab"})

    async def part(self, others, n, m, point, seen):
        return ({k: n for k in "ab"}).missing

    async def operand(self, others, n, m, point, seen):
        return ({k: n for k in "ab"}) == n, ({k: n for k in "ab"}) in (n, None), ({k: n for k in "ab"}) + 1
