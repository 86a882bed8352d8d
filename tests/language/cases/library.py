"""Builtins and pure methods: text, numbers, containers, dates, decimals, ids, paths; print; order of sets."""

from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.language.steps import double, echo, note, shout
from waymark import Workflow, workflow


@workflow
class TextMethods(Workflow):
    async def run(self):
        s = await echo("  Hello, Wörld  ")
        t = s.strip()
        return [
            t.lower(), t.upper(), t.title(), t.swapcase(), t.casefold(), t.replace("l", "L", 1), t.split(","), t.split(), t.partition(","),
            t.rpartition("l"), t.find("l"), t.rfind("l"), t.index("W"), t.count("l"), t.startswith(("He", "x")), t.endswith("d"), t.center(20, "*"),
            t.ljust(15) + "|", t.rjust(15), "42".zfill(5), "a-b-c".rsplit("-", 1), "x".join(["1", "2"]), "a\tb".expandtabs(4), "line\nline2".splitlines(),
            "abc".isalpha(), "12".isdigit(), " ".isspace(), "Ab".islower(), t.encode(), t.encode("latin-1"), "abc".translate({97: "z"}),
            "prefix-x".removeprefix("prefix-"), "x.py".removesuffix(".py"), "ab" in t, t[::-1], len(t), "%s|%5d" % ("a", 3), "{:>5}|{x}".format("a", x=1),
            "a,b;c".replace(";", ",").split(","), "abc".isidentifier(), "é".isascii(), "Straße".upper(), await shout("hey"),
        ]


@workflow
class ListMethods(Workflow):
    async def run(self):
        xs = [3, 1, 2]
        xs.append(await double(5))
        xs.extend((7, 8))
        xs.insert(1, "i")
        popped = xs.pop(), xs.pop(0)
        xs.remove("i")
        ys = xs.copy()
        ys.reverse()
        xs.sort(reverse=True)
        zs = xs * 2
        zs.clear()
        return xs, ys, popped, xs.index(10), xs.count(1), zs, [1, 2] < [1, 3], [1, [2, [3]]][1][1][0]


@workflow
class DictMethods(Workflow):
    async def run(self):
        d = {"b": 1, "a": 2}
        d["c"] = await double(3)
        d.update(e=5, **{"f": 6})
        d.update([("g", 7)])
        out = [d.get("zz"), d.get("zz", 0), d.setdefault("h", []), d.pop("b"), d.pop("zz", "gone"), list(d), list(d.values()), list(d.items())]
        d["h"].append(1)
        last = d.popitem()
        merged = d | {"a": 99}
        d |= {"z": 1}
        out += [last, merged, d, {**d, "y": 0}, dict(zip("ab", [1, 2])), dict.fromkeys("ab", 0), list(reversed(d)), "a" in d, d == dict(reversed(list(d.items())))]
        keys = d.keys()
        d["new"] = 1
        out += [len(keys), sorted(keys & {"a", "q"}), list(d.items())[-1]]
        return out


@workflow
class SetOperations(Workflow):
    async def run(self):
        a = {3, 1, 2}
        b = set([2, 5])
        a.add(await double(4))
        a.discard(77)
        f = frozenset("ab")
        out = [a | b, a & b, a - b, a ^ b, a <= a, b < a, 1 in a, len(a), a == {1, 2, 3, 8}, a.isdisjoint({99}), f, f | {"c"}, {f: 1}[frozenset("ba")], sorted(a)]
        a -= {1}
        a &= {2, 3, 8}
        a.update([9], (10,))
        try:
            a.remove(100)
        except KeyError as e:
            out.append(e.args)
        try:
            {[]}
        except TypeError as e:
            out.append(str(e))
        out += [a, a.copy(), a.union([1], [2]), a.intersection([2, 3]), a.difference([2]), await echo(a) == a]
        return out


@workflow
class DedupeSorted(Workflow):
    async def run(self):
        words = "the quick brown fox jumps over the lazy dog the end".split()
        return sorted(set(words)), len(set(words)), sorted(set(map(len, words))), {w for w in words if len(w) > 4} == {"quick", "brown", "jumps"}


@workflow
class Numbers(Workflow):
    async def run(self):
        return [
            abs(-3.5), round(2.675, 2), round(1234, -2), divmod(17, 5), pow(2, 10, 1000), min(3, 1), max([1, 5]), sum([1.5, 2]), sum([[1], [2]], []), int("ff", 16),
            int(" 42 "), float("1e3"), bool(""), hex(255), bin(5), oct(8), chr(97), ord("a"), (255).to_bytes(2, "big"), int.from_bytes(b"\x01\x02", "little"),
            (2.5).is_integer(), (7).bit_length(), 0.1.as_integer_ratio(), float("inf") > 10**400, -7 // 2, -7 % 2, 7 % -2, 1e400, 10**20 * 10**20, 3**-2,
            all([]), any([]), sorted([3, 1, 2], reverse=True), list(reversed(range(3))), min([], default=None), max("abc"), min("b", "a", key=ord),
        ]


@workflow
class Conversions(Workflow):
    async def run(self):
        return [
            str(1.0), str(None), str([1, "a"]), repr("it's"), repr({"a": (1,)}), list("ab"), tuple([1]), list({"a": 1}), dict([("a", 1)]), set("aa") == {"a"},
            bytes([65, 66]), bytes("é", "utf-8"), bytearray(b"ab"), b"ab".decode(), str(b"x"), str(b"x", "ascii"), list(b"ab"), list(range(5))[::2], frozenset([1]) == {1},
            list(enumerate("ab", 1)), list(zip("ab", [1, 2], strict=True)), list(map(int, "12")), format(1234.5, ",.1f"), format("x", "^5"), ascii("é"), int(True),
        ]


@workflow
class Dates(Workflow):
    async def run(self):
        d = datetime(2024, 2, 28, 23, 30, tzinfo=timezone.utc)
        berlin = d.astimezone(ZoneInfo("Europe/Berlin"))
        later = d + timedelta(hours=1, minutes=45)
        back = await echo(berlin)
        return [
            d, berlin, later.isoformat(), berlin.isoformat(), back == d, str(berlin.tzinfo), (later - d).total_seconds(), d.date() + timedelta(days=2), d.strftime("%Y/%m/%d %H:%M"), f"{d:%d.%m.}",
            datetime.fromisoformat("2024-05-06T07:08:09+02:00"), date(2024, 12, 31).weekday(), date.fromisoformat("2024-01-02"), d.replace(hour=1).time(), d.timestamp(), datetime.fromtimestamp(0, timezone.utc),
            timedelta(days=1.5), str(timedelta(seconds=3661)), timedelta(hours=1) * 3 / 2, timedelta(days=1) > timedelta(hours=23), date(2024, 3, 1) - date(2024, 2, 1), time(10, 30) < time(11), datetime.strptime("2024-01", "%Y-%m"), date.max, d < later,
            datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1).utcoffset(), d.year, berlin.day, later.minute, timedelta(minutes=90).seconds,
        ]


@workflow
class DateErrors(Workflow):
    async def run(self):
        out = []
        try:
            date(2024, 2, 30)
        except ValueError as e:
            out.append(str(e))
        try:
            datetime(2024, 1, 1) < datetime(2024, 1, 1, tzinfo=timezone.utc)
        except TypeError as e:
            out.append(str(e))
        try:
            date(2024, 1, 1) + 5
        except TypeError as e:
            out.append(str(e))
        try:
            date(2024, 1, 1).year = 5
        except AttributeError as e:
            out.append(str(e))
        return out


@workflow
class Decimals(Workflow):
    async def run(self):
        a = Decimal("19.99")
        total = sum((a * n for n in range(4)), Decimal(0))
        back = await echo(total)
        return [total, back, total / 3, total.quantize(Decimal("0.1")), round(a, 1), int(a), str(a), f"{a:,.3f}", a > 19, a == Decimal("19.990"), Decimal("1e3"), -a, abs(-a), a % 3, Fraction(1, 3) + Fraction(1, 6), Fraction("0.5").denominator, Decimal("0.1") + Decimal("0.2")]


@workflow
class IdsAndPaths(Workflow):
    async def run(self):
        u = UUID("12345678-1234-5678-1234-567812345678")
        p = PurePosixPath("/data") / "in" / "file.tar.gz"
        return [u, str(u), u.hex[:8], u.int % 1000, await echo(u) == u, p, p.name, p.stem, p.suffix, p.suffixes, str(p.parent), p.with_suffix(".zip"), p.parts, p.is_absolute(), p.relative_to("/data"), await echo(p)]


@workflow
class Collections(Workflow):
    async def run(self):
        c = Counter("abracadabra")
        c.update(["z"])
        d = defaultdict(list)
        for word in ["apple", "avocado", "bean"]:
            d[word[0]].append(await note(word))
        q = deque([1, 2, 3], maxlen=3)
        q.append(4)
        q.appendleft(0)
        o = OrderedDict([("x", 1), ("y", 2)])
        o.move_to_end("x")
        n = defaultdict(int)
        n["k"] += 2
        return [c.most_common(2), c["a"], c["q"], c, d, dict(d), q, q.popleft(), list(q), o, list(o), n, n["new"], Counter(a=1) + Counter(a=2), await echo(c) == c, sum(c.values()), len(q)]


@workflow
class Printing(Workflow):
    async def run(self):
        print("hello", 1, [2])
        print()
        print("a", "b", sep="-")
        await note("x")
        print(f"{await double(3)}")
        for i in range(2):
            print(i, {i})


@workflow
class SetOrderIsNotHash(Workflow):
    async def run(self):
        words = {"pear", "apple", "fig", "kiwi"}
        extra = await echo(words)
        return sorted(words), sorted(extra), words == extra, len(words | {"fig", "plum"})


@workflow
class BytesAndSlices(Workflow):
    async def run(self):
        b = bytearray(b"hello")
        b[0] = 72
        b += b"!"
        b.extend([63])
        c = await echo(bytes(b))
        s = slice(1, None, 2)
        return b, c, c.hex(), bytes.fromhex("ff00"), c[s], s.start, s.stop, [1, 2, 3, 4][s], c.split(b"l"), c.startswith(b"H"), list(c[:2])


@workflow
class RangeValues(Workflow):
    async def run(self):
        r = range(10, 0, -3)
        return [list(r), len(r), r[1], r[-1], 4 in r, 5 in r, r == range(10, 1, -3), r.index(7), list(r[1:]), sum(r), r.start, r.stop, r.step, repr(r), bool(range(0))]


@workflow
class KeysOfManyKinds(Workflow):
    async def run(self):
        d = {1: "int", "1": "str", (1, 2): "tuple", None: "none", 1.5: "float", frozenset([1]): "fs", date(2024, 1, 1): "date", b"k": "bytes", True: "bool"}
        back = await echo(d)
        return back, back == d, back[1], back[(1, 2)], back[None], list(back)[:3]


@workflow
class ZipAndFriends(Workflow):
    async def run(self):
        out = [list(zip([1, 2], "ab", (True, False))), list(zip()), list(enumerate([])), list(reversed("abc")), [*map(max, [1, 5], [3, 2])], list(filter(lambda x: x % 2, range(5)))]
        try:
            list(zip([1], [1, 2], strict=True))
        except ValueError as e:
            out.append(str(e))
        try:
            next(iter([]))
        except StopIteration:
            out.append("stop")
        it = enumerate("abc")
        out.append(next(it))
        out.append(await double(next(it)[0]))
        out.append(list(it))
        return out
