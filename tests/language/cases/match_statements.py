"""``match``: literals, values, captures, sequences and mappings, guards and what stays bound."""

import asyncio
from collections import Counter, OrderedDict, defaultdict, deque

from tests.language.steps import Colour, add, boom, double, echo, note, numbers
from waymark import Workflow, workflow

LIMIT = 10
WORDS = ("start", "stop")


@workflow
class MatchLiterals(Workflow):
    async def one(self, value):
        match value:
            case 0:
                return "zero"
            case -1 | 1:
                return "unit"
            case 2.5:
                return "float"
            case "a" "b":
                return "text"
            case b"x":
                return "bytes"
            case None:
                return "none"
            case True | False:
                return "never for numbers that are equal"
            case _:
                return await echo("other")

    async def run(self):
        return [await self.one(v) for v in (0, 0.0, False, 1, -1, True, 2.5, "ab", b"x", None, "None", [], 10**40)]


@workflow
class SingletonsAreIdentity(Workflow):
    async def run(self):
        out = []
        for value in (1, True, 0, False, None, ""):
            match value:
                case True:
                    out.append("true")
                case False:
                    out.append("false")
                case None:
                    out.append("none")
                case 1:
                    out.append("one")
                case _:
                    out.append(await note("rest"))
        return out


@workflow
class AwaitInSubject(Workflow):
    async def run(self):
        match await double(await add(1, 2)):
            case 26:
                return await note("matched")
            case n:
                return n


@workflow
class AwaitInGuards(Workflow):
    async def run(self):
        out = []
        for n in range(4):
            match n:
                case x if await double(x) > 5:
                    out.append(("big", x))
                case x if x and await echo(x % 2):
                    out.append(("odd", await note(str(x))))
                case x:
                    out.append(("else", x))
        return out


@workflow
class GuardFailsNameStays(Workflow):
    async def run(self):
        kept = "before"
        match 5:
            case kept if kept > 10:
                return "no"
            case 5:
                return kept, await echo(kept)


@workflow
class PartialMatchBindsNothing(Workflow):
    async def run(self):
        a = b = "unset"
        match [1, 2]:
            case [a, 3] | [3, a]:
                return "no"
            case [1, b, 9]:
                return "no"
            case [x, y]:
                return a, b, await double(x), y


@workflow
class NothingMatches(Workflow):
    async def run(self):
        match await echo("q"):
            case "a":
                result = 1
        try:
            return result
        except UnboundLocalError as error:
            return str(error)


@workflow
class SubjectIsReboundByACase(Workflow):
    async def run(self):
        value = (1, 2)
        match value:
            case [value, 3]:
                return "no"
            case [value, _] if await echo(value) == 9:
                return "no"
            case (_, value):
                return value


@workflow
class ValuesAreDotted(Workflow):
    threshold = 7

    async def tell(self, value):
        match value:
            case Colour.RED:
                return "red"
            case Colour.GREEN:
                return await note("green")
            case self.threshold:
                return "threshold"
            case asyncio.CancelledError:
                return "class"
            case _:
                return "none"

    async def run(self):
        self.threshold += 1
        return [await self.tell(v) for v in (Colour.RED, Colour.GREEN, 7, 8, "red", asyncio.CancelledError)]


@workflow
class SequencesOfManyTypes(Workflow):
    def shape(self, value):
        match value:
            case []:
                return "empty"
            case [x]:
                return ("one", x)
            case [x, y]:
                return ("two", x, y)
            case [x, *rest, y]:
                return ("more", x, rest, y)
            case _:
                return "no sequence"

    async def run(self):
        values = [[], (), [1], (1,), "ab", b"ab", bytearray(b"a"), range(3), range(0), deque([1, 2]), deque([1, 2, 3, 4]), {1, 2}, {1: 2}, frozenset(), 5, None, iter([1]), {"a": 1}.keys()]
        return [self.shape(v) for v in values], await echo(self.shape(await numbers(5)))


@workflow
class MatchStars(Workflow):
    async def run(self):
        out = []
        for value in ([1], [1, 2], [1, 2, 3], [1, 2, 3, 4]):
            match value:
                case [first, *_, 4]:
                    out.append(("first and four", first))
                case [*_, 3 as last]:
                    out.append(("ends in", last))
                case [*everything, 2]:
                    out.append(("before two", everything))
                case [*everything]:
                    out.append(("all", everything))
        match (await double(3), "x", *await numbers(2)):
            case n, _, *others:
                out.append((n, others))
        return out


@workflow
class StarOfTupleIsAList(Workflow):
    async def run(self):
        match (1, 2, 3):
            case (head, *tail):
                tail.append(head)
                return await echo(tail)


@workflow
class NestedSequences(Workflow):
    async def run(self):
        out = []
        for value in ([[1, 2], [3]], [[1], [2, 3]], [(4, (5, (6,)))], [[], []]):
            match value:
                case [[a, b], [c]]:
                    out.append((a, b, c))
                case [[a], [*rest]]:
                    out.append((a, rest))
                case [[x, [y, [z]]]]:
                    out.append((x, y, z))
                case [[] as left, [] as right]:
                    out.append((left is right, left == right))
        return await echo(out)


@workflow
class MatchMappings(Workflow):
    async def one(self, value):
        match value:
            case {"kind": "point", "x": int(x), "y": int(y)}:
                return ("point", x, y)
            case {"kind": kind, **rest} if kind in WORDS:
                return (await note(kind), rest)
            case {1: one, "1": _} if False:
                return one
            case {None: nothing, 2.5: half}:
                return (nothing, half)
            case {"items": [first, *_]}:
                return first
            case {}:
                return "mapping"
            case _:
                return "no mapping"

    async def run(self):
        values = [{"kind": "point", "x": 1, "y": 2, "z": 3}, {"kind": "start", "by": "me"}, {"kind": "stop"}, {None: 0, 2.5: "h"}, {"items": (9, 8)}, {"items": []}, {}, [("kind", "stop")], "kind", {"kind": "point", "x": "1", "y": 2}]
        return [await self.one(v) for v in values]


@workflow
class MappingsOfManyTypes(Workflow):
    async def run(self):
        out = []
        counted, ordered, defaulted = Counter("aab"), OrderedDict(a=1, b=2), defaultdict(list, a=[0])
        for value in (counted, ordered, defaulted):
            match value:
                case {"missing": x}:
                    out.append(("present", x))
                case {"a": x, **rest}:
                    rest["new"] = await echo(x)
                    out.append((x, rest, type(rest).__name__))
        out.append((len(defaulted), sorted(counted)))
        return out


@workflow
class MappingKeysAreEqualNotIdentical(Workflow):
    async def run(self):
        match {1: "one", 0: "zero"}:
            case {True: one, False: zero}:
                return one, await echo(zero)


@workflow
class DuplicateKeys(Workflow):
    first = "k"
    second = "k"

    async def run(self):
        try:
            match {"k": 1, "l": 2}:
                case {self.first: a, self.second: b}:
                    return a, b
        except ValueError as error:
            return await note(str(error))


@workflow
class RestOfMappingIsACopy(Workflow):
    async def run(self):
        source = {"a": [1], "b": 2}
        match source:
            case {"b": _, **rest}:
                rest["a"].append(await double(1))
                rest["c"] = 3
        return source, rest


@workflow
class OrPatterns(Workflow):
    async def one(self, value):
        match value:
            case [x, "swap", y] | ["swap", y, x]:
                return (x, y)
            case {"v": (1 | 2) as x} | [(3 | 4) as x]:
                return await double(x)
            case ("a" | "b", (None | True) as flag):
                return flag
        return "none"

    async def run(self):
        return [await self.one(v) for v in ([1, "swap", 2], ["swap", 1, 2], {"v": 2}, [4], [5], {"v": 3}, ("b", None), ("b", True), ("c", True))]


@workflow
class CapturedWhole(Workflow):
    async def run(self):
        match [await double(1), {"k": [3, 4]}]:
            case [int() as n, {"k": [_, last] as pair} as inner] as whole:
                return n, last, pair, inner, whole


@workflow
class MatchInLoopWithBreak(Workflow):
    async def run(self):
        seen = []
        for command in ["go 3", "skip", "go 4", "halt", "go 5"]:
            match command.split():
                case ["go", count]:
                    seen.append(await double(int(count)))
                case ["skip"]:
                    continue
                case ["halt"]:
                    break
        else:
            seen.append("end")
        return seen


@workflow
class MatchReturnsThroughFinally(Workflow):
    async def run(self):
        log = []
        try:
            match await echo([1, [2]]):
                case [a, [b]] if log.append("guard") is None:
                    return a + b, log
        finally:
            log.append(await note("left"))


@workflow
class GuardRaises(Workflow):
    async def run(self):
        name = None
        try:
            match 3:
                case name if await boom("ValueError", "guard"):
                    pass
        except ValueError as error:
            return name, str(error)


@workflow
class MatchInsideHandler(Workflow):
    async def run(self):
        try:
            await boom("OSError", 2, "gone")
        except OSError as error:
            match error.args:
                case (2, text):
                    try:
                        raise LookupError(text)
                    except LookupError as inner:
                        return repr(inner.__context__), await note(text)


@workflow
class NestedMatch(Workflow):
    async def run(self):
        out = []
        for pair in [(1, "a"), (1, "b"), (2, "a")]:
            match pair:
                case (1, letter):
                    match letter:
                        case "a":
                            out.append(await note("1a"))
                        case letter:
                            out.append(letter)
                case (number, _):
                    out.append(number)
        return out


@workflow
class CapturedByLambdas(Workflow):
    async def run(self):
        made = []
        for pair in [(1, 2), (3, 4)]:
            match pair:
                case (a, b):
                    made.append(lambda: (a, b))
        await note("later")
        return [make() for make in made]


@workflow
class GatherInSubjectAndGuard(Workflow):
    async def run(self):
        match await asyncio.gather(double(1), double(2)):
            case [a, b] if sum(await asyncio.gather(echo(a), echo(b))) == 7:
                return "no"
            case [a, *b]:
                return a, b


@workflow
class WalrusInGuard(Workflow):
    async def run(self):
        match [3, 4]:
            case [x, y] if (total := x + y) > 10:
                return "no"
            case _:
                return total, x, y
