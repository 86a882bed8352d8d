"""Functions of ``math``, ``statistics`` and ``operator``: CPython's results and complaints."""

import math
import operator
import statistics
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, isclose, pi, sqrt

from tests.language.steps import add, double, echo, numbers
from waymark import Workflow, workflow


@workflow
class RoundsAndRoots(Workflow):
    async def run(self, x):
        y = await echo(x)
        return (
            floor(y),
            ceil(y),
            math.trunc(y),
            sqrt(abs(y)),
            math.cbrt(8.0),
            math.isqrt(17),
            math.fabs(y),
        )


@workflow
class Angles(Workflow):
    async def run(self):
        turns = [
            math.sin(pi / 6),
            math.cos(0),
            math.tan(1),
            math.atan2(1, -1),
            math.hypot(3, 4, 12),
        ]
        await echo(turns)
        turns += [math.asin(1), math.acos(0), math.atan(1), math.degrees(pi), math.radians(180)]
        return turns, math.tau, math.e, math.dist((1, 2), [4, 6])


@workflow
class Hyperbolic(Workflow):
    async def run(self):
        pairs = [(math.sinh, math.asinh), (math.tanh, math.atanh)]
        out = [inverse(function(0.5)) for function, inverse in pairs]
        return (
            out,
            math.acosh(math.cosh(2)),
            math.erf(0.3),
            math.erfc(0.3),
            math.gamma(5),
            math.lgamma(0.5),
        )


@workflow
class Logarithms(Workflow):
    async def run(self):
        base = await double(1)
        return (
            math.log(8, base),
            math.log2(10**40),
            math.log10(1000),
            math.log1p(1e-10),
            math.exp(1),
            math.expm1(1e-9),
        )


@workflow
class Combinatorics(Workflow):
    async def run(self, n):
        ways = math.comb(n, await add(1, 2))
        return (
            ways,
            math.perm(n, 2),
            math.perm(n),
            math.factorial(n),
            math.gcd(n, 12, 18),
            math.lcm(4, n),
        )


@workflow
class ProductsAndSums(Workflow):
    async def run(self):
        values = await numbers(6)
        return [
            math.prod(values[1:]),
            math.prod([], start=7),
            math.prod([Fraction(1, 2), Decimal(4) > 3, 8]),
            math.fsum([0.1] * 10),
            math.fsum(x / 7 for x in values),
            sum(values, start=0.5),
        ]


@workflow
class PartsOfFloats(Workflow):
    async def run(self, x):
        mantissa, exponent = math.frexp(await echo(x))
        back = math.ldexp(mantissa, exponent)
        return (
            back == x,
            math.modf(x),
            math.copysign(1, -x),
            math.fmod(-7, 3),
            math.remainder(7, 4),
            math.ulp(1.0),
        )


@workflow
class SpecialValues(Workflow):
    async def run(self):
        values = [math.inf, -math.inf, math.nan, 0.0, 1]
        return [(math.isinf(x), math.isnan(x), math.isfinite(x)) for x in values], math.nextafter(
            1.0, 2.0
        )


@workflow
class CloseInAGuard(Workflow):
    async def run(self):
        guess, rounds = 1.0, 0
        while not isclose(guess * guess, await add(1, 1), rel_tol=1e-12):
            guess = (guess + 2 / guess) / 2
            rounds += 1
        return guess, rounds, isclose(1, 1.1, abs_tol=0.2)


@workflow
class MathFailures(Workflow):
    async def run(self, which):
        try:
            match_free = [
                lambda: math.sqrt(-1),
                lambda: math.log(0),
                lambda: math.factorial(-1),
                lambda: math.factorial(2.5),
                lambda: math.exp(1000),
                lambda: math.comb(3, -1),
                lambda: floor("x"),
                lambda: math.gcd(1.5, 2),
                lambda: math.fsum(["a"]),
                lambda: math.dist([1], [1, 2]),
                lambda: math.isqrt(-4),
                lambda: math.ceil(math.inf),
                lambda: math.prod(3),
                lambda: math.perm(2, -3),
            ]
            return match_free[which]()
        except (ValueError, TypeError, OverflowError) as error:
            return type(error).__name__, str(error)


@workflow
class Averages(Workflow):
    async def run(self):
        values = await numbers(7)
        return [
            statistics.mean(values),
            statistics.fmean(values),
            statistics.median(values),
            statistics.median_low([1, 3, 5, 7]),
            statistics.median_high([1, 3, 5, 7]),
            statistics.mode(["a", "b", "a"]),
            statistics.multimode("aabb"),
            statistics.geometric_mean([1, 10, 100]),
            statistics.harmonic_mean([40, 60]),
        ]


@workflow
class Spreads(Workflow):
    async def run(self):
        prices = [Decimal("1.5"), Decimal("2.5"), Decimal(await double(2))]
        parts = [Fraction(1, 3), Fraction(2, 3)]
        return [
            statistics.mean(prices),
            statistics.stdev([1, 2, 3, 4]),
            statistics.pstdev([1, 2, 3, 4]),
            statistics.variance(prices),
            statistics.pvariance(parts),
            statistics.quantiles(range(1, 11), n=4),
            statistics.correlation([1, 2, 3], [3, 2, 1]),
            statistics.covariance([1, 2, 3], [1, 5, 7]),
        ]


@workflow
class NothingToAverage(Workflow):
    async def run(self):
        caught = []
        for values in ([], [1]):
            try:
                statistics.mean(values)
                caught.append(statistics.variance(values))
            except statistics.StatisticsError as error:
                caught.append((str(error), isinstance(error, ValueError)))
                await echo(caught)
        return caught


@workflow
class OperatorsAsValues(Workflow):
    async def run(self):
        table = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
        table |= {"//": operator.floordiv, "%": operator.mod, "**": operator.pow, "<": operator.lt}
        results = {sign: function(await echo(7), 2) for sign, function in table.items()}
        return (
            results,
            operator.neg(3),
            operator.not_([]),
            operator.xor(5, 3),
            operator.inv(0),
            operator.abs(-2),
        )


@workflow
class OperatorsOnContainers(Workflow):
    async def run(self):
        box = {"a": [1]}
        operator.setitem(box, "b", await numbers(3))
        same = operator.iadd(box["a"], [2])
        operator.delitem(box, "b")
        return [
            box,
            same is box["a"],
            operator.getitem(box, "a"),
            operator.contains(box, "a"),
            operator.countOf([1, 2, 1], 1),
            operator.indexOf("abc", "c"),
            operator.concat("a", "b"),
            operator.is_(None, None),
            operator.truth(box),
        ]


@workflow
class OperatorFailures(Workflow):
    async def run(self, which):
        try:
            if which == 0:
                return operator.add(1, "a")
            if which == 1:
                return operator.add(1)
            if which == 2:
                return operator.getitem([], 3)
            if which == 3:
                return operator.concat(1, 2)
            if which == 4:
                return operator.indexOf([1], 2)
            return operator.lt(1, "a")
        except (TypeError, IndexError, ValueError) as error:
            return type(error).__name__, str(error)


@workflow
class FunctionsOfMathAsKeys(Workflow):
    async def run(self):
        values = [-3.5, 2.5, -1.0, 0.5]
        await echo(1)
        return sorted(values, key=math.fabs), max(values, key=abs), list(map(math.floor, values))


INPUTS = {
    "RoundsAndRoots": [{"x": 2.5}, {"x": -3.5}, {"x": 10**30}],
    "Combinatorics": [{"n": 10}, {"n": 3}],
    "PartsOfFloats": [{"x": 6.25}, {"x": -0.1}],
    "MathFailures": [{"which": which} for which in range(14)],
    "OperatorFailures": [{"which": which} for which in range(6)],
}
