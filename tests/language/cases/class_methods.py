# ruff: noqa: FURB164 - the methods are what is tested
"""Methods called on a type itself: those that make a value of it, and those that only live there."""

from collections import OrderedDict, defaultdict
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@workflow
class TextsAndNumbersOfTheirTypes(Workflow):
    async def run(self):
        table = str.maketrans("ab", await note("xy"), "c")
        raw = bytes.maketrans(b"ab", b"xy")
        kept = await echo(table)
        out = ["abcabc".translate(table), b"abc".translate(raw), kept == table]
        grown = bytearray.fromhex(await note("00 ff"))
        grown += bytes.fromhex("0a")
        out += [grown, bytearray.maketrans(b"0", b"1")[48], float.fromhex("-0x1.8p1")]
        for make, given in [(float.fromhex, "q"), (bytes.fromhex, "0"), (str.maketrans, 5)]:
            try:
                out.append(make(given))
            except (ValueError, TypeError) as error:
                out.append((type(error).__name__, await note(str(error))))
        return out, int.from_bytes(grown, "big", signed=True)


@workflow
class MomentsOfTheirTypes(Workflow):
    async def run(self):
        day = date.fromisocalendar(2024, await double(4), 1)
        clock = time.fromisoformat("10:30:05+02:00")
        both = datetime.combine(day, clock)
        out = [
            day,
            clock,
            both,
            await echo(both) == both,
            datetime.combine(day, clock, tzinfo=None),
        ]
        out += [datetime.fromordinal(738_000), date.fromordinal(await double(300_000))]
        for year, week in [(2021, 53), (2020, 53)]:
            try:
                out.append(datetime.fromisocalendar(year, week, 7))
            except ValueError as error:
                out.append(await note(str(error)))
        return out


@workflow
class ExactNumbersAndKeysOfTheirTypes(Workflow):
    async def run(self):
        third = await double(0.05)
        out = [Decimal.from_float(third), Fraction.from_float(third)]
        out.append(Fraction.from_decimal(Decimal("1.25")) + await echo(Fraction(1, 4)))
        counts = defaultdict.fromkeys(await note("aba"), 0)
        ordered = OrderedDict.fromkeys("ba", counts["a"])
        try:
            counts["missing"]
        except KeyError as error:
            out.append(repr(error))
        try:
            Fraction.from_float("1")
        except TypeError as error:
            out.append(await note(str(error)))
        return out, counts, ordered, counts.default_factory
