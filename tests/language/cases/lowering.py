"""Corners where a careless translation of statements into slots and blocks would show."""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@workflow
class LoweringWalrusRebindsOperand(Workflow):
    async def run(self):
        x = 1
        a = x + (x := 10) + x
        b = [x, (x := 20), x]
        c = {x: (x := 30), "k": x}
        d = x < (x := 40) < x + 1
        e = "abc"[: (x := 2)] + str(x)
        f = f"{x}{(x := 5)}{x}"
        g = (x, *[(x := 6)], x)
        h = max(x, (x := 1), x)
        x += (x := 100)
        return a, b, c, d, e, f, g, h, x


@workflow
class LoweringTargetsShareAName(Workflow):
    async def run(self):
        v = [1, 2]
        (v, u) = w = v
        i, xs = 0, [9, 9, 9]
        i, xs[i] = 2, 7
        a = (a, b) = [1, 2]
        c = d, *e = "xyz"
        p = q = [0]
        q.append(1)
        return v, u, w, i, xs, a, b, c, d, e, p


@workflow
class LoweringPartialUnpacking(Workflow):
    async def run(self):
        a = b = c = "old"
        out = []
        try:
            a, (b, c) = 1, 5
        except TypeError as e:
            out.append(str(e))
        try:
            a, b = 1, 2, 3
        except ValueError as e:
            out.append(str(e))
        try:
            a, xs, c = 7, [], 8
            a, xs[0], c = 70, 0, 80
        except IndexError as e:
            out.append(str(e))
        return out, a, b, c


@workflow
class LoweringFinallyOverrides(Workflow):
    async def run(self):
        out = []

        for i in range(4):
            try:
                if i == 0:
                    continue
                if i == 1:
                    raise ValueError(i)
                if i == 2:
                    break
            except ValueError as e:
                out.append(("caught", e.args))
                continue
            finally:
                out.append(("finally", i, await double(i)))
        else:
            out.append("not here")
        while True:
            try:
                try:
                    raise KeyError("lost")
                finally:
                    break
            finally:
                out.append("outer")
        return out, self.nested(), self.swallowed(), self.last_wins()

    def nested(self):
        log = []
        try:
            try:
                return log
            finally:
                log.append("inner")
        finally:
            log.append("outer")

    def swallowed(self):
        try:
            raise ValueError("gone")
        finally:
            return "swallowed"

    def last_wins(self):
        x = 1
        try:
            return x
        finally:
            x = 2


@workflow
class LoweringJumpsThroughFinallies(Workflow):
    async def run(self):
        out = []
        for a in range(3):
            try:
                for b in range(3):
                    try:
                        try:
                            if b == 0:
                                continue
                            if a == 1 and b == 1:
                                break
                            if a == 2 and b == 2:
                                return out
                            out.append((a, b))
                        finally:
                            out.append("x")
                    finally:
                        out.append(await note("y"))
            finally:
                out.append("z")
        return "never"


@workflow
class LoweringContextOfExceptions(Workflow):
    async def run(self):
        return [self.show(f) for f in (self.plain, self.suppressed, self.cause, self.in_finally, self.after)]

    def show(self, f):
        try:
            f()
        except Exception as e:
            return repr(e), repr(e.__cause__), repr(e.__context__), e.__suppress_context__

    def plain(self):
        try:
            raise ValueError(1)
        except ValueError:
            raise KeyError(2)

    def suppressed(self):
        try:
            raise ValueError(1)
        except ValueError:
            raise KeyError(2) from None

    def cause(self):
        try:
            raise ValueError(1)
        except ValueError as e:
            raise KeyError(2) from e

    def in_finally(self):
        try:
            raise ValueError(1)
        finally:
            raise KeyError(3)

    def after(self):
        try:
            raise ValueError(1)
        except ValueError:
            pass
        try:
            x = 1
        finally:
            raise KeyError(4)


@workflow
class LoweringReraiseInNestedHandlers(Workflow):
    async def run(self):
        out = []
        try:
            try:
                raise ValueError("outer")
            except ValueError:
                try:
                    raise KeyError("inner")
                except KeyError:
                    out.append("inner handled")
                raise
        except ValueError as e:
            out.append((str(e), repr(e.__context__)))
        try:
            try:
                raise ValueError("a")
            except ValueError:
                try:
                    raise
                finally:
                    out.append("between")
        except ValueError as e:
            out.append(str(e))
        return out


@workflow
class LoweringNameOfExceptIsUnbound(Workflow):
    async def run(self):
        out = []
        e = "before"
        try:
            raise ValueError("x")
        except ValueError as e:
            out.append(str(e))
        try:
            e
        except UnboundLocalError as err:
            out.append(str(err))
        for i in range(2):
            try:
                try:
                    raise ValueError(i)
                except ValueError as e:
                    if i == 0:
                        continue
                    raise KeyError(i)
            except KeyError:
                try:
                    out.append(e)
                except UnboundLocalError as err:
                    out.append(str(err))
            finally:
                try:
                    out.append(e)
                except UnboundLocalError as err:
                    out.append(str(err))
        return out


@workflow
class LoweringUnboundLocals(Workflow):
    async def run(self, flag: bool = False):
        out = []
        if flag:
            y = 1
        for attempt in range(2):
            try:
                out.append(y)
            except UnboundLocalError as e:
                out.append(str(e))
                y = attempt
        del y
        try:
            y += 1
        except UnboundLocalError as e:
            out.append(str(e))
        try:
            del y
        except UnboundLocalError as e:
            out.append(str(e))
        for unused in []:
            pass
        try:
            out.append(unused)
        except UnboundLocalError as e:
            out.append(str(e))
        f = lambda: later
        try:
            f()
        except NameError as e:
            out.append((type(e).__name__, str(e)))
        later = 5
        out.append(f())
        return out


@workflow
class LoweringLambdasShareCells(Workflow):
    async def run(self):
        fs = [lambda: i for i in range(3)]
        gs = [lambda i=i: i for i in range(3)]
        n = 1
        add = lambda x: x + n
        n = await double(5)
        hs = []
        for k in range(2):
            hs.append(lambda: k)
        k = "changed"
        nested = lambda x: lambda y: lambda z: (x, y, z, n)
        table = {j: (lambda: j * 2) for j in range(2)}
        return (
            [f() for f in fs],
            [g() for g in gs],
            add(1),
            [h() for h in hs],
            nested(1)(2)(3),
            [t() for t in table.values()],
            list(map(lambda v, w: v + w + n, [1, 2], [3, 4])),
        )


@workflow
class LoweringComprehensionScopes(Workflow):
    async def run(self):
        x = "outer"
        a = [x for x in range(3)]
        b = [[x * y for x in range(y)] for y in range(4) if y]
        c = {x: [x for x in x] for x in ["ab", "cd"]}
        d = [y for x in [[1, 2], [3]] for y in x if y != 2]
        e = {await double(v) for v in [1, 2, 3] if await double(v) > 2}
        f = [(p, q) for p, q in [(1, 2), (3, 4)]]
        g = [total := v + (total if v else 0) for v in range(3)]
        h = [z for z in (await echo([1, 2]))]
        return x, a, b, c, d, sorted(e), f, g, total, h


@workflow
class LoweringLookupBeforeArguments(Workflow):
    async def run(self):
        out = []
        try:
            (1).nothing(out.append("evaluated"))
        except AttributeError as e:
            out.append(str(e))
        xs = [3]
        xs.append((xs := [5])[0])
        out.append(xs)
        ys = zs = [1]
        ys.extend((ys := [2], len(zs)))
        d = {"k": [1]}
        d["k"] += await echo([2])
        i = 0
        ks = [10, 20]
        ks[i] += (i := 1) + await double(1)
        return out, ys, zs, d, ks, i


class Point(NamedTuple):
    x: int
    y: int = 0

    def moved(self, dx):
        return self._replace(x=self.x + dx)


class Shape(Enum):
    SQUARE = "square"
    ROUND = "round"

    def sides(self):
        return 4 if self is Shape.SQUARE else 0

    @property
    def label(self):
        return self.value.title()


@dataclass
class Box:
    size: int
    tags: list

    @property
    def double(self):
        return self.size * 2

    def grow(self, by=1):
        self.size += by
        return self

    @staticmethod
    def unit():
        return 1

    @classmethod
    def small(cls):
        return cls(cls.unit(), [])


class Order(BaseModel):
    total: int = 0
    lines: list[int] = []

    def add(self, n):
        self.lines.append(n)
        self.total += n
        return self

    @property
    def mean(self):
        return self.total / len(self.lines)


class Refused(Exception):
    def __init__(self, code, *, hint="none"):
        super().__init__(f"refused with {code}")
        self.code = code
        self.hint = hint

    def describe(self):
        return f"{self.code}: {self.hint}"


class Worse(Refused):
    pass


@workflow
class LoweringOwnClasses(Workflow):
    async def run(self):
        p = Point(1).moved(4)
        b = Box(2, [])
        b.grow().grow(by=3)
        b.size += b.double
        o = Order().add(2).add(3)
        out = [p, b, o, o.mean, Shape("round").sides(), Shape.SQUARE.label, Box.small(), Box.unit(), b.unit()]
        try:
            raise Worse(7, hint="try later")
        except Refused as e:
            out.append((str(e), e.code, e.describe(), e.args, repr(e), type(e).__name__))
        try:
            Refused()
        except TypeError as e:
            out.append(str(e))
        boxes = sorted([Box(3, []), Box(1, [])], key=lambda box: box.double)
        return out, boxes, [box.double for box in boxes], sum(box.size for box in boxes)


@workflow
class LoweringBoundMethods(Workflow):
    factor = 3

    async def run(self):
        scaled = list(map(self.scale, [1, 2]))
        best = max([3, -7, 5], key=self.distance)
        f = self.scale
        pending = [self.later(n) for n in (1, 2)]
        return scaled, best, f(10), f(value=2), await asyncio.gather(*pending), sorted(["B", "a"], key=str.lower)

    def scale(self, value):
        return value * self.factor

    def distance(self, value):
        return abs(value)

    async def later(self, n):
        return await double(n) + self.factor


@workflow
class LoweringChainsAndShortCircuits(Workflow):
    async def run(self):
        out = []
        a = self.seen(out, 1) < self.seen(out, 5) < self.seen(out, 3) < self.seen(out, 9)
        b = self.seen(out, 0) and self.seen(out, 2) or self.seen(out, "") or self.seen(out, "end")
        c = 1 if self.seen(out, False) else 2 if self.seen(out, True) else 3
        d = not (self.seen(out, []) or 0)
        e = await double(1) < await double(2) and await double(3) or await double(4)
        x = None
        x = x or [x] or 5
        y = 4
        y = 1 if y == 4 else y
        return out, a, b, c, d, e, x, y

    def seen(self, out, value):
        out.append(value)
        return value


@workflow
class LoweringWhileElse(Workflow):
    async def run(self):
        out = []
        n = 3
        while n:
            n -= 1
            if n == 1:
                continue
            out.append(n)
        else:
            out.append("else")
        while (n := n + 1) < 5:
            if n == 3:
                break
        else:
            out.append("never")
        for a in range(2):
            for b in range(3):
                if b == 1:
                    break
            else:
                out.append("no")
            out.append((a, b))
        return out, n


@workflow
class LoweringAssertsAndRaises(Workflow):
    async def run(self):
        out = []
        for message in ("text", 5, None):
            try:
                assert not message, message
                assert message
            except AssertionError as e:
                out.append(e.args)
        for bad in (5, int, "x", None):
            try:
                raise bad
            except TypeError as e:
                out.append(str(e))
        for cause in (ValueError, ValueError("v"), None):
            try:
                raise KeyError("k") from cause
            except KeyError as e:
                out.append((repr(e.__cause__), e.__suppress_context__))
        try:
            try:
                raise KeyError from 3
            except KeyError:
                out.append("no")
        except TypeError as e:
            out.append(str(e))
        try:
            try:
                raise ValueError
            except 3:
                out.append("no")
        except TypeError as e:
            out.append((str(e), repr(e.__context__)))
        return out
