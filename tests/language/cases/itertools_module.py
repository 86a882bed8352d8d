"""``itertools``: lazily, in CPython's order, with awaits between the items."""

import itertools
import sys
from itertools import accumulate, chain, count, cycle, groupby, islice, product, takewhile

from tests.language.steps import add, boom, double, echo, note, numbers
from waymark import Workflow, workflow

NEW = sys.version_info >= (3, 12)
"""``itertools.batched`` came with it."""


@workflow
class ChainedIterables(Workflow):
    async def run(self):
        out = []
        for item in chain(await numbers(2), "ab", {"k": 1}, (x * 2 for x in [5])):
            out.append(await echo(item))
        return out, list(chain.from_iterable([[1], [], (2, 3)])), list(chain())


@workflow
class ChainIsLazy(Workflow):
    async def run(self):
        log = []

        def source(name):
            log.append(name)
            yield name

        both = chain(source("a"), source("b"))
        before = list(log)
        first = next(both)
        await note(first)
        return before, list(log), list(both), log


@workflow
class CountedWithAwaits(Workflow):
    async def run(self):
        out = []
        for number in count(await double(5), 3):
            if number > 20:
                break
            out.append(await echo(number))
        return out, list(islice(count(0.5, 0.25), 3)), next(count(step=-1))


@workflow
class CyclesAndRepeats(Workflow):
    async def run(self):
        wheel = cycle(["a", "b"])
        turns = [await note(next(wheel)) for _ in range(5)]
        empty = list(cycle([]))
        return (
            turns,
            empty,
            list(itertools.repeat("x", 3)),
            list(map(pow, [2, 3], itertools.repeat(2))),
            list(itertools.repeat(1, times=-1)),
        )


@workflow
class IteratorSlices(Workflow):
    async def run(self):
        source = iter(range(20))
        first = list(islice(source, 3))
        await echo(first)
        second = list(islice(source, 2, 10, 3))
        return (
            first,
            second,
            next(source),
            list(islice("abcdef", 2, None)),
            list(islice("abc", 0)),
            list(islice("abcde", None, 4, 2)),
        )


@workflow
class SlicesOfNothingGood(Workflow):
    async def run(self, which):  # noqa: C901 - one branch for each mistake
        try:
            if which == 0:
                return list(islice([1], -1))
            if which == 1:
                return list(islice([1], 0, 1, 0))
            if which == 2:
                return list(islice([1], "a", 2))
            if which == 3:
                return list(islice(5, 1))
            if which == 4:
                return list(product([1], repeat=-1))
            if which == 5:
                return list(itertools.combinations([1], -2))
            if which == 6:
                return list(itertools.permutations([1, 2], "a"))
            if which == 7:
                return count("a")
            if which == 8:
                return list(chain(3))
            return list(itertools.starmap(max, [3]))
        except (ValueError, TypeError) as error:
            return type(error).__name__, str(error)


@workflow
class RunningTotals(Workflow):
    async def run(self):
        values = await numbers(5)
        return [
            list(accumulate(values)),
            list(accumulate(values, max)),
            list(accumulate(values, lambda total, value: total * 2 + value, initial=100)),
            list(accumulate([])),
            list(accumulate("abc")),
        ]


@workflow
class TakenAndDropped(Workflow):
    async def run(self):
        source = iter([1, 4, 6, 3, 8])
        small = list(takewhile(lambda value: value < 5, source))
        await echo(small)
        rest = list(source)
        return [
            small,
            rest,
            list(itertools.dropwhile(str.isspace, "  a b")),
            list(itertools.filterfalse(lambda value: value % 2, range(6))),
            list(itertools.filterfalse(None, [0, 1, ""])),
            list(itertools.compress("abcd", [1, 0, True])),
        ]


@workflow
class Groups(Workflow):
    async def run(self):
        rows = [("a", 1), ("a", 2), ("b", 3), ("a", 4)]
        out = []
        for name, group in groupby(rows, key=lambda row: row[0]):
            total = 0
            for _, value in group:
                total += await echo(value)
            out.append((name, total))
        return out, [(key, len(list(group))) for key, group in groupby("aabccc")]


@workflow
class GroupsLeftEarly(Workflow):
    async def run(self):
        seen, kept = [], []
        for key, group in groupby([1, 1, 1, 2, 2, 3]):
            seen.append((key, next(group)))
            kept.append(group)  # noqa: B031 - that it gives nothing is the case
            await echo(key)
        return seen, [list(group) for group in kept]


@workflow
class Longest(Workflow):
    async def run(self):
        pairs = list(itertools.zip_longest(await numbers(3), "ab", fillvalue="-"))
        return pairs, list(itertools.zip_longest()), list(itertools.zip_longest([], [1]))


@workflow
class Combined(Workflow):
    async def run(self):
        letters = await note("abc")
        return [
            ["".join(each) for each in itertools.permutations(letters)],
            list(itertools.permutations(range(3), 2)),
            list(itertools.combinations(letters, 2)),
            list(itertools.combinations_with_replacement([1, 2, 3], 2)),
            list(product("ab", [1, 2])),
            list(product([0, 1], repeat=2)),
            list(product()),
            list(product([1], [])),
            list(itertools.combinations("ab", 3)),
            list(itertools.permutations("ab", 0)),
            list(itertools.combinations_with_replacement("", 0)),
        ]


@workflow
class PairsAndStars(Workflow):
    async def run(self):
        out = []
        for left, right in itertools.pairwise(await numbers(4)):
            out.append(await add(left, right))
        return out, list(itertools.starmap(pow, [(2, 3), (3, 2)])), list(itertools.pairwise([1]))


@workflow
class Tees(Workflow):
    async def run(self):
        one, two, three = itertools.tee((x * x for x in range(4)), 3)
        first = [next(one), next(one), next(two)]
        await echo(first)
        return first, list(one), list(two), list(three), itertools.tee([], 0)


@workflow
class IteratorKeptOverAwaits(Workflow):
    async def run(self):
        merged = chain([1, 2], itertools.cycle([7, 8]))
        out = []
        while len(out) < 5:
            out.append(await echo(next(merged)))
            if len(out) == 3:
                try:
                    await boom("ValueError", next(merged))
                except ValueError as error:
                    out.append(error.args[0])
        return out


@workflow
class LazyOnesConsumed(Workflow):
    async def run(self):
        await echo(0)
        return [
            sum(islice(count(1), 10)),
            max(chain([3], [9, 2])),
            dict(zip("abc", count())),
            sorted(product([2, 1], "b")),
            [*islice(cycle("xy"), 3)],
            3 in chain([1, 2], [3]),
            any(takewhile(bool, [1, 0])),
            "".join(chain("ab", "cd")),
            list(enumerate(itertools.repeat("z", 2))),
        ]


if NEW:

    @workflow
    class Batches(Workflow):
        async def run(self):
            out = []
            for batch in itertools.batched(await numbers(7), 3):
                out.append(await echo(batch))
            try:
                itertools.batched([1], 0)
            except ValueError as error:
                return out, str(error)


SINCE = {"Batches": (3, 12)}
INPUTS = {"SlicesOfNothingGood": [{"which": which} for which in range(10)]}
