"""One kind of expression after the other, in every position."""

import contextlib

from tests.language.steps import Point, echo, note
from waymark import Workflow, workflow


@workflow
class JoinedStrEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(f"{n:>3}|{n!r}"))
        for n in (1, 2):
            seen.append(await echo(f"{n:>3}|{n!r}"))
        try:
            seen.append(await echo(f"{n:>3}|{n!r}"))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(f"{n:>3}|{n!r}"))
        finally:
            seen.append(await echo(f"{n:>3}|{n!r}"))
        with contextlib.suppress(ValueError):
            seen.append(await echo(f"{n:>3}|{n!r}"))

        def inner():
            return f"{n:>3}|{n!r}"

        held = [inner()]
        seen.append(held)
        held = [f"{n:>3}|{n!r}" for _ in others]
        seen.append(len(held))
        held = (f"{n:>3}|{n!r}",)
        seen.append(len(held))
        if f"{n:>3}|{n!r}":
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (f"{n:>3}|{n!r}"))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (f"{n:>3}|{n!r}")

    async def part(self, others, n, m, point, seen):
        return (f"{n:>3}|{n!r}").missing

    async def operand(self, others, n, m, point, seen):
        return (f"{n:>3}|{n!r}") == n, (f"{n:>3}|{n!r}") in (n, None), (f"{n:>3}|{n!r}") + 1


@workflow
class GeneratorExpEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(list((k for k in (n, 2)))))
        for n in (1, 2):
            seen.append(await echo(list((k for k in (n, 2)))))
        try:
            seen.append(await echo(list((k for k in (n, 2)))))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(list((k for k in (n, 2)))))
        finally:
            seen.append(await echo(list((k for k in (n, 2)))))
        with contextlib.suppress(ValueError):
            seen.append(await echo(list((k for k in (n, 2)))))

        def inner():
            return (k for k in (n, 2))

        held = [inner()]
        seen.append(len(list(held[0])))
        held = [list((k for k in (n, 2))) for _ in others]
        seen.append(len(held))
        held = ((k for k in (n, 2)),)
        seen.append(len(held))
        if (k for k in (n, 2)):
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ((k for k in (n, 2))))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ((k for k in (n, 2)))

    async def part(self, others, n, m, point, seen):
        return ((k for k in (n, 2))).close()

    async def operand(self, others, n, m, point, seen):
        return ((k for k in (n, 2))) == n, ((k for k in (n, 2))) in (n, None), ((k for k in (n, 2))) + 1


@workflow
class IfExpEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo(n if seen else -n))
        for n in (1, 2):
            seen.append(await echo(n if seen else -n))
        try:
            seen.append(await echo(n if seen else -n))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo(n if seen else -n))
        finally:
            seen.append(await echo(n if seen else -n))
        with contextlib.suppress(ValueError):
            seen.append(await echo(n if seen else -n))

        def inner():
            return n if seen else -n

        held = [inner()]
        seen.append(held)
        held = [n if seen else -n for _ in others]
        seen.append(len(held))
        held = (n if seen else -n,)
        seen.append(len(held))
        if n if seen else -n:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (n if seen else -n))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (n if seen else -n)

    async def part(self, others, n, m, point, seen):
        return (n if seen else -n).missing

    async def operand(self, others, n, m, point, seen):
        return (n if seen else -n) == n, (n if seen else -n) in (n, None), (n if seen else -n) + 1


@workflow
class LambdaEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo((lambda k=n: k)()))
        for n in (1, 2):
            seen.append(await echo((lambda k=n: k)()))
        try:
            seen.append(await echo((lambda k=n: k)()))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo((lambda k=n: k)()))
        finally:
            seen.append(await echo((lambda k=n: k)()))
        with contextlib.suppress(ValueError):
            seen.append(await echo((lambda k=n: k)()))

        def inner():
            return lambda k=n: k

        held = [inner()]
        seen.append(held[0]())
        held = [each() for each in [lambda k=n: k for _ in others]]
        seen.append(len(held))
        held = (lambda k=n: k,)
        seen.append(len(held))
        if lambda k=n: k:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not (lambda k=n: k))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await (lambda k=n: k)

    async def part(self, others, n, m, point, seen):
        return (lambda k=n: k)()

    async def operand(self, others, n, m, point, seen):
        return (lambda k=n: k) == n, (lambda k=n: k) in (n, None), (lambda k=n: k) + 1


@workflow
class ListEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo([n, *others]))
        for n in (1, 2):
            seen.append(await echo([n, *others]))
        try:
            seen.append(await echo([n, *others]))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo([n, *others]))
        finally:
            seen.append(await echo([n, *others]))
        with contextlib.suppress(ValueError):
            seen.append(await echo([n, *others]))

        def inner():
            return [n, *others]

        held = [inner()]
        seen.append(held)
        held = [[n, *others] for _ in others]
        seen.append(len(held))
        held = ([n, *others],)
        seen.append(len(held))
        if [n, *others]:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ([n, *others]))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ([n, *others])

    async def part(self, others, n, m, point, seen):
        return ([n, *others]).missing

    async def operand(self, others, n, m, point, seen):
        return ([n, *others]) == n, ([n, *others]) in (n, None), ([n, *others]) + 1


@workflow
class ListCompEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo([k * n for k in others]))
        for n in (1, 2):
            seen.append(await echo([k * n for k in others]))
        try:
            seen.append(await echo([k * n for k in others]))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo([k * n for k in others]))
        finally:
            seen.append(await echo([k * n for k in others]))
        with contextlib.suppress(ValueError):
            seen.append(await echo([k * n for k in others]))

        def inner():
            return [k * n for k in others]

        held = [inner()]
        seen.append(held)
        held = [[k * n for k in others] for _ in others]
        seen.append(len(held))
        held = ([k * n for k in others],)
        seen.append(len(held))
        if [k * n for k in others]:
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ([k * n for k in others]))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ([k * n for k in others])

    async def part(self, others, n, m, point, seen):
        return ([k * n for k in others]).missing

    async def operand(self, others, n, m, point, seen):
        return ([k * n for k in others]) == n, ([k * n for k in others]) in (n, None), ([k * n for k in others]) + 1


@workflow
class NamedExprEverywhere(Workflow):
    async def run(self):
        seen, others, n, m, point = [], [1, 2, 3], 1, 0, Point(1)
        if n:
            seen.append(await echo((m := n + 1)))
        for n in (1, 2):
            seen.append(await echo((m := n + 1)))
        try:
            seen.append(await echo((m := n + 1)))
            raise KeyError(n)
        except KeyError:
            seen.append(await echo((m := n + 1)))
        finally:
            seen.append(await echo((m := n + 1)))
        with contextlib.suppress(ValueError):
            seen.append(await echo((m := n + 1)))

        def inner():
            return (m := n + 1)

        held = [inner()]
        seen.append(held)
        held = [(m := n + 1) for _ in others]
        seen.append(len(held))
        held = ((m := n + 1),)
        seen.append(len(held))
        if (m := n + 1):
            seen.append("taken")
        seen.append(await note(str(n) + repr(not ((m := n + 1)))))
        for how in (self.awaited, self.part, self.operand):
            try:
                seen.append(await how(others, n, m, point, seen))
            except Exception as error:
                seen.append((type(error).__name__, str(error)))
        return seen, m

    async def awaited(self, others, n, m, point, seen):
        return await ((m := n + 1))

    async def part(self, others, n, m, point, seen):
        return ((m := n + 1)).missing

    async def operand(self, others, n, m, point, seen):
        return ((m := n + 1)) == n, ((m := n + 1)) in (n, None), ((m := n + 1)) + 1
