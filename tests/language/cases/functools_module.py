"""``functools`` and ``operator.itemgetter``: functions that make functions."""

import functools
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from functools import partial, reduce
from operator import itemgetter

from tests.language.steps import add, boom, double, echo, note, numbers
from waymark import Workflow, workflow

Stock = namedtuple("Stock", ["item", "left", "price"], defaults=[0])


@workflow
class Folded(Workflow):
    async def run(self):
        values = await numbers(5)
        total = reduce(lambda left, right: left * 10 + right, values)
        return total, reduce(max, values, 99), reduce(lambda a, b: {**a, b: len(a)}, "xyz", {})


@workflow
class NothingToFold(Workflow):
    async def run(self):
        try:
            return reduce(max, [])
        except TypeError as error:
            await note("empty")
            return str(error), error.__cause__, reduce(max, [], "ok")


@workflow
class PartialsOfEverything(Workflow):
    async def helper(self, a, b, *, c=0):
        return await add(a, b) + c

    async def run(self):
        add_ten = partial(add, 10)
        power = partial(pow, 2)
        named = partial(sorted, reverse=True)
        nested = partial(partial(lambda *args, **named: (args, named), 1, k=2), 3, k=4)
        return await add_ten(5), await add_ten(b=6), power(5), named([1, 3, 2]), nested(5, j=6)


@workflow
class PartialsInLoops(Workflow):
    async def run(self):
        steps = [partial(echo, name) for name in "abc"] + [partial(double, x=4)]
        out = []
        for step in steps:
            out.append(await step())
        return out


@workflow
class PartialFailsAtTheCall(Workflow):
    async def run(self):
        bad = functools.partial(int, "x", base=10)
        try:
            bad()
        except ValueError as error:
            await note(str(error))
        try:
            await partial(boom, "KeyError")("k")
        except KeyError as error:
            return error.args


@workflow
class Getters(Workflow):
    async def run(self):
        rows = [{"n": 2, "k": "b"}, {"n": 1, "k": "c"}]
        await echo(rows)
        both = itemgetter("n", "k")
        return [
            sorted(rows, key=itemgetter("n")),
            [both(row) for row in rows],
            max([(1, "z"), (2, "a")], key=itemgetter(1)),
            list(map(itemgetter(0, -1), ["abc", "de"])),
            itemgetter(slice(1, 3))("abcd"),
        ]


@workflow
class MissingItem(Workflow):
    async def run(self):
        try:
            return itemgetter("gone")({})
        except KeyError as error:
            return repr(error)


@workflow
class NamedTuplesOfTheUser(Workflow):
    async def run(self):
        stock = Stock("tea", await double(3))
        item, *rest = stock
        cheaper = stock._replace(price=-1)
        return (
            stock,
            item,
            rest,
            cheaper._asdict(),
            stock < cheaper,
            Stock._fields,
            Stock._make(["x", 1, 2]),
            stock[1:],
        )


@workflow
class CountersAcrossAwaits(Workflow):
    async def run(self):
        seen = Counter()
        for word in "the cat the dog a cat the end".split():
            seen[await note(word)] += 1
        seen.subtract({"dog": 2})
        return (
            seen.most_common(2),
            seen["none"],
            +seen,
            seen & Counter(cat=1),
            seen.total(),
            sum(seen.values()),
        )


@workflow
class DequesAndDefaults(Workflow):
    async def run(self):
        recent, by_length = deque(maxlen=3), defaultdict(list)
        for word in ["a", "bb", "cc", "d", "eee"]:
            recent.append(await note(word))
            by_length[len(word)].append(word)
        recent.rotate(1)
        order = OrderedDict.fromkeys("cab")
        order.move_to_end("c")
        return recent, dict(by_length), list(order), recent.maxlen, by_length[9], 9 in by_length
