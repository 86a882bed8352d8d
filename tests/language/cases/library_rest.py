"""The less common names of the standard library, each used once and kept over an await."""

import asyncio
import base64
import binascii
import bisect
import dataclasses
import decimal
import hashlib
import math
import operator
import os.path
import random
import shlex
import statistics
import sys
import zoneinfo
from dataclasses import FrozenInstanceError, dataclass
from decimal import Decimal
from re import compile as pattern
from urllib import parse
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.language.steps import boom, double, echo, note, numbers
from waymark import Workflow, workflow


@workflow
class MoreCodings(Workflow):
    async def run(self):
        raw = bytes(await numbers(6))
        texts = [base64.b16encode(raw), base64.standard_b64encode(raw), binascii.hexlify(raw)]
        await echo(texts)
        return [
            texts,
            base64.b32decode(base64.b32encode(raw)) == raw,
            base64.standard_b64decode(texts[1]) == raw,
            base64.urlsafe_b64decode("-_8=") == b"\xfb\xff",
            binascii.unhexlify("0aff"),
        ]


@workflow
class MoreDigests(Workflow):
    async def run(self):
        body = (await note("body")).encode()
        sums = {
            name: function(body).hexdigest()[:8]
            for name, function in [
                ("sha224", hashlib.sha224), ("sha384", hashlib.sha384), ("sha512", hashlib.sha512),
                ("sha3_224", hashlib.sha3_224), ("sha3_256", hashlib.sha3_256),
                ("sha3_384", hashlib.sha3_384), ("sha3_512", hashlib.sha3_512),
            ]
        }  # fmt: skip
        return sums, hashlib.blake2s(body, digest_size=4).digest()


@workflow
class MoreLinks(Workflow):
    async def run(self):
        link = await note("https://u:p@h:1/x%20y?a=b+c&a=#f")
        parts = parse.urlsplit(link)
        return [
            parse.parse_qsl(parts.query, keep_blank_values=True),
            parse.quote_plus("a b&c"),
            parse.quote_from_bytes(b"\xff a"),
            parse.unquote_plus("a+b%21"),
            parse.unquote_to_bytes("a%ff"),
            list(parse.urldefrag(link)),
            parse.urlunparse(("http", "h", "/p", "", "q=1", "")),
            parse.urlunsplit(parts) == link,
            (parts.netloc, parts.path, parts.password),
        ]


@workflow
class MorePaths(Workflow):
    async def run(self):
        name = await note("/srv/../data/report.csv")
        return [
            os.path.basename(name),
            os.path.dirname(name),
            os.path.isabs(name),
            os.path.normpath(name),
            os.path.split(name),
            shlex.quote("it's"),
            shlex.join(["ls", "a b"]),
        ]


@workflow
class MoreOperators(Workflow):
    async def run(self):
        a, b = await double(6), 5
        compared = [
            f(a, b)
            for f in (
                operator.eq,
                operator.ne,
                operator.ge,
                operator.gt,
                operator.le,
                operator.is_not,
            )
        ]
        bits = [f(a, 2) for f in (operator.and_, operator.or_, operator.lshift, operator.rshift)]
        one = [
            operator.pos(-3),
            operator.invert(5),
            operator.index(True),
            operator.length_hint([1, 2]),
        ]
        return compared, bits, one


@workflow
class OperatorsInPlace(Workflow):
    async def run(self):
        n = await double(10)
        changed = [
            f(n, 3)
            for f in (
                operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod, operator.ipow,
                operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift,
            )
        ]  # fmt: skip
        kept = {1, 2}
        same = operator.ior(kept, {3})
        listed = [1]
        return changed, same is kept, sorted(kept), operator.iconcat(listed, [2]) is listed, listed


@workflow
class NoMatrices(Workflow):
    async def run(self, which):
        one, two = await double(1), 3
        try:
            if which == 0:
                return one @ two
            if which == 1:
                return operator.matmul(one, two)
            if which == 2:
                one @= two
                return one
            return operator.imatmul(one, two)
        except TypeError as error:
            return str(error)


@workflow
class MoreNumbers(Workflow):
    async def run(self):
        marks = [1, 2, 2, 3]
        bisect.insort_right(marks, 2.5)
        return [
            math.exp2(3),
            math.pow(await double(1), 0.5),
            statistics.median_grouped([1, 2, 2, 3, 4], 1),
            bisect.bisect_right(marks, 2),
            marks,
            (2.5).conjugate(),
            (7).bit_count(),
            (5).numerator + (5).imag,
            (2.5).real,
        ]


@workflow
class OwnGeneratorOfEverything(Workflow):
    async def run(self):
        dice = random.Random(b"seed")
        drawn = [
            dice.uniform(0, 1),
            dice.triangular(),
            dice.betavariate(1, 1),
            dice.expovariate(2),
            dice.randrange(9),
        ]
        await echo(drawn)
        drawn += [
            dice.gammavariate(1, 2),
            dice.lognormvariate(0, 1),
            dice.normalvariate(),
            dice.paretovariate(2),
        ]
        drawn += [
            dice.vonmisesvariate(0, 1),
            dice.weibullvariate(1, 1),
            dice.getrandbits(9),
            dice.randbytes(3),
        ]
        dice.seed(5)
        again = random.Random(5)
        return drawn, dice.random() == again.random()


@workflow
class SignalsOfDecimals(Workflow):
    async def run(self, which):
        try:
            if which == 0:
                return Decimal(1) / Decimal(0)
            if which == 1:
                return Decimal("9e999999") * 10
            if which == 2:
                return Decimal(-1).sqrt()
            await boom("ValueError", "no decimal")
        except decimal.DivisionByZero as error:
            return "division", isinstance(error, ZeroDivisionError)
        except decimal.Overflow as error:
            return (
                "overflow",
                isinstance(error, decimal.Inexact),
                isinstance(error, decimal.Rounded),
            )
        except decimal.DecimalException as error:
            await echo(1)
            return type(error).__name__, isinstance(error, ArithmeticError)
        except (
            decimal.Clamped,
            decimal.Subnormal,
            decimal.Underflow,
            decimal.FloatOperation,
            ValueError,
        ) as error:
            return str(error)


@workflow
class MethodsOfDecimals(Workflow):
    async def run(self):
        x, y = Decimal("-1.50"), Decimal(await note("2.75"))
        nan = Decimal("NaN")
        return [
            (x.adjusted(), x.canonical(), x.compare(y), x.compare_total(y), x.compare_total_mag(y)),
            (
                x.conjugate(),
                x.copy_abs(),
                x.copy_negate(),
                x.copy_sign(y),
                y.exp(),
                y.fma(2, 3),
                y.ln(),
                y.log10(),
            ),
            (
                y.logb(),
                x.max(y),
                x.max_mag(y),
                x.min(y),
                x.min_mag(y),
                x.next_minus(),
                x.next_plus(),
                x.next_toward(y),
            ),
            (
                x.normalize(),
                x.number_class(),
                x.radix(),
                y.remainder_near(2),
                x.same_quantum(y),
                y.scaleb(2),
                y.sqrt(),
            ),
            (
                x.to_eng_string(),
                y.to_integral(),
                y.to_integral_exact(),
                x.real,
                x.imag,
                y.compare_signal(1),
            ),
            [
                nan.is_nan(),
                nan.is_qnan(),
                nan.is_snan(),
                x.is_signed(),
                x.is_zero(),
                x.is_finite(),
                x.is_infinite(),
            ],
            [x.is_normal(), x.is_subnormal(), x.is_canonical()],
        ]


@workflow
class PartsOfIds(Workflow):
    async def run(self):
        key = UUID(await note("12345678-1234-5678-9234-567812345678"))
        return [
            (key.bytes, key.bytes_le, key.fields, key.node, key.urn, key.variant, key.version),
            (key.clock_seq, key.clock_seq_hi_variant, key.clock_seq_low),
            (key.time_low, key.time_mid, key.time_hi_version),
        ]


@workflow
class PatternsUsedTwice(Workflow):
    async def run(self):
        word = pattern(r"[a-z]+")
        first = word.fullmatch("abc"), word.fullmatch("a1")
        await asyncio.sleep(1)
        return [each and each.span() for each in first], word.subn("-", "a1b"), word.split("1a2b3")


if sys.version_info >= (3, 12):

    @workflow
    class NewOnes(Workflow):
        async def run(self):
            drawn = random.binomialvariate(10, 0.5)
            await echo(drawn)
            return (
                drawn,
                random.Random(1).binomialvariate(5),
                math.sumprod([1, 2], await numbers(2)),
            )


if sys.version_info >= (3, 13):

    @workflow
    class NewestOnes(Workflow):
        async def run(self):
            return math.fma(await echo(2.0), 3.0, 4.0), [math.fma(x, x, -x) for x in (1.5, 0.1)]


SINCE = {"NewOnes": (3, 12), "NewestOnes": (3, 13)}
INPUTS = {
    "NoMatrices": [{"which": which} for which in range(4)],
    "SignalsOfDecimals": [{"which": which} for which in range(4)],
}


@dataclass(frozen=True)
class Fixed:
    x: int = 0


@workflow
class ErrorsOfFrozenThingsAndZones(Workflow):
    async def run(self):
        log = []
        fixed = await echo(Fixed(3))
        try:
            fixed.x = 4
        except dataclasses.FrozenInstanceError as error:
            log.append((repr(error), isinstance(error, AttributeError)))
            kept = error
        try:
            del fixed.x
        except FrozenInstanceError as error:
            log.append(repr(error))
        try:
            ZoneInfo("No/Where")
        except zoneinfo.ZoneInfoNotFoundError as error:
            log.append((repr(error), isinstance(error, KeyError)))
        await note("kept")
        return log, repr(kept), type(await echo(kept)).__name__
