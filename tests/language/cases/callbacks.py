"""Compiled functions in the hands of the standard library: keys, hooks, factories, comparisons, replacements."""

import bisect
import functools
import heapq
import json
import re
from collections import defaultdict
from dataclasses import asdict, is_dataclass

from tests.language.steps import Colour, Point, boom, double, echo, note, numbers
from waymark import Workflow, workflow
from waymark.errors import SerializationError


def by_length_then_text(left, right):
    if len(left) != len(right):
        return len(left) - len(right)
    return (left > right) - (left < right)


@workflow
class ComparisonsOfTheUser(Workflow):
    async def run(self):
        words = "pear fig apple kiwi date".split()
        key = functools.cmp_to_key(by_length_then_text)
        await echo(words)
        words.sort(key=key, reverse=True)
        backwards = functools.cmp_to_key(lambda left, right: right - left)
        return (
            words,
            sorted([3, 1, 2], key=backwards),
            max(words, key=key),
            min([5, 4], key=backwards),
        )


@workflow
class ComparisonThatFails(Workflow):
    async def run(self):
        def compare(left, right):
            if left == 2:
                raise ValueError(f"no {left}")
            return left - right

        try:
            return sorted([3, 2, 1], key=functools.cmp_to_key(compare))
        except ValueError as error:
            await note("caught")
            return str(error), error.__context__


@workflow
class ReplacedByAFunction(Workflow):
    async def run(self):
        seen = []

        def price(match):
            seen.append(match.span())
            return f"{int(match['n']) * 2}€"

        text = re.sub(r"(?P<n>\d+)€", price, await note("tea 3€ milk 12€"))
        upper = re.compile(r"\b\w").sub(lambda match: match.group().upper(), "one two")
        return text, seen, upper, re.subn("a", lambda match: "", "banana", count=2)


@workflow
class ReplacementThatFails(Workflow):
    async def run(self):
        prices = {"tea": 3}
        try:
            return re.sub(r"\w+", lambda match: str(prices[match[0]]), "tea milk")
        except KeyError as error:
            await echo(1)
            return error.args


@workflow
class ReplacementOfAWrongType(Workflow):
    async def run(self):
        try:
            return re.sub("a", lambda match: 5, "cat")
        except TypeError as error:
            return str(error)


@workflow
class DefaultsForJson(Workflow):
    async def run(self):
        def plain(value):
            if is_dataclass(value):
                return asdict(value)
            if isinstance(value, set):
                return sorted(value)
            raise TypeError(f"no {type(value).__name__}")

        await echo(1)
        texts = [
            json.dumps({"p": Point(1, 2), "s": {3, 1}}, default=plain),
            json.dumps([Colour.RED], default=str),
        ]
        try:
            json.dumps([b"x"], default=plain)
        except TypeError as error:
            texts.append(str(error))
        return texts


@workflow
class HooksForJson(Workflow):
    async def run(self):
        text = await note('{"x": 1, "y": 2.5, "in": {"x": 3, "y": 0.1}}')
        points = json.loads(text, object_hook=lambda found: (found["x"], found["y"]))
        pairs = json.loads(text, object_pairs_hook=list)
        return (
            points,
            pairs,
            json.loads("[1, 2.50]", parse_int=lambda digits: int(digits) * 10, parse_float=str),
        )


@workflow
class FactoriesOfTheUser(Workflow):
    async def run(self):
        made = []

        def fresh():
            made.append(len(made))
            return {"n": made[-1]}

        rows = defaultdict(fresh)
        rows["a"]["n"] += 10
        await echo(1)
        rows["b"]["x"] = await double(2)
        nested = defaultdict(lambda: defaultdict(int))
        nested["k"]["j"] += 1
        await echo(2)
        nested["k"]["j"] += 1
        return dict(rows), made, dict(nested["k"]), "z" in rows, rows.get("z"), len(rows)


@workflow
class FactoryThatFails(Workflow):
    async def run(self):
        broken = defaultdict(lambda: 1 / 0, {"a": 1})
        await echo(broken["a"])
        try:
            broken["b"] += 1
        except ZeroDivisionError as error:
            return str(error), list(broken)


@workflow
class FactoryThatCannotTravel(Workflow):
    async def run(self):
        rows = defaultdict(lambda: 1, a=2)
        try:
            await echo(rows)
        except SerializationError as error:
            return str(error), await echo(dict(rows))


@workflow
class KeysOfSortedLists(Workflow):
    async def run(self):
        rows = [("a", 1), ("b", 3), ("c", 3), ("d", 7)]
        await echo(rows)
        place = bisect.bisect_left(rows, 3, key=lambda row: row[1])
        bisect.insort(rows, ("e", 4), key=lambda row: row[1])
        return (
            place,
            rows,
            heapq.nlargest(2, rows, key=lambda row: row[1]),
            heapq.nsmallest(2, "ddCa", key=str.lower),
        )


@workflow
class KeysOfTheFirstFewByPosition(Workflow):
    async def run(self):
        rows, log = [("a", 1), ("b", 3), ("c", 3), ("d", 7)], []

        def told():
            for row in rows:
                log.append(row[0])
                yield row

        def size(row):
            log.append(row[1])
            return row[1]

        out = [
            heapq.nsmallest(2, rows, lambda row: -row[1]),
            heapq.nlargest(n=3, iterable=told(), key=size),
            heapq.nlargest(1, told(), size),
            heapq.nsmallest(1, [], size),
            heapq.nlargest(0, told(), size),
            await echo(log),
        ]
        for wrong in (
            lambda: heapq.nlargest(1, [{}, {}]),
            lambda: heapq.nsmallest(1, [1, "a"]),
            lambda: heapq.nlargest(2, [{}, {}, {}]),
            lambda: heapq.nlargest(2, rows, size, 3),
            lambda: heapq.nlargest(2),
            lambda: heapq.nlargest("x", rows, size),
            lambda: heapq.nlargest(2, 5, size),
        ):
            try:
                out.append(wrong())
            except TypeError as error:
                out.append(str(error))
        return out


@workflow
class CallbacksThatCallHelpers(Workflow):
    factor = 3

    def scaled(self, value):
        return value * self.factor

    async def run(self):
        values = await numbers(4)
        folded = functools.reduce(lambda total, value: total + self.scaled(value), values, 0)
        text = re.sub(r"\d", lambda match: str(self.scaled(int(match[0]))), "1-2-3")
        try:
            await boom("ValueError", re.sub("x", lambda match: text, "x"))
        except ValueError as error:
            return folded, error.args
