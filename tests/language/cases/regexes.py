"""``re``: patterns as values, matches that outlive a recovery, templates."""

import re
from http import HTTPStatus
from re import IGNORECASE, sub

from tests.language.steps import boom, echo, note
from waymark import Workflow, workflow
from waymark.errors import SerializationError

ORDER = re.compile(r"ORD-(?P<number>\d+)(?:/(?P<line>\d+))?")
WORDS = re.compile(r"\w+")


@workflow
class NamedGroups(Workflow):
    async def run(self, text):
        found = ORDER.search(text)
        if found is None:
            return await note("none")
        await note(found.group("number"))
        return (
            found["number"],
            found.group(0, 1, 2),
            found.groups("-"),
            found.groupdict(),
            found.span("line"),
            found.lastgroup,
        )


@workflow
class MatchOutlivesAwaits(Workflow):
    async def run(self):
        found = re.match(r"(a)(b)?(c)", "acd")
        await echo(1)
        first = found.start(), found.end(3), found.span(2), found.lastindex, found.string
        await echo(2)
        return (
            first,
            found.pos,
            found.endpos,
            found.re.pattern,
            found.re.groups,
            found.regs,
            repr(found),
        )


@workflow
class MatchAsACondition(Workflow):
    async def run(self):
        out = []
        for line in ("a=1", "b", "c = 3"):
            if pair := re.fullmatch(r"(\w+)\s*=\s*(\w+)", line):
                out.append(await echo(pair.groups()))
            else:
                out.append(None)
        return out


@workflow
class AllOfThem(Workflow):
    async def run(self):
        text = await note("tea 12, milk 7; sugar 300")
        return [
            re.findall(r"\d+", text),
            re.findall(r"(\w+) (\d+)", text),
            [found.group().upper() for found in WORDS.finditer(text)],
            re.split(r"[,;]\s*", text),
            re.split("( )", text, maxsplit=1),
            WORDS.findall(text, 4, 10),
        ]


@workflow
class FinditerAcrossAwaits(Workflow):
    async def run(self):
        seen = []
        for found in re.finditer(r"\d", "a1b2c3"):
            seen.append(int(await note(found.group())))
        return seen


@workflow
class Replacements(Workflow):
    async def run(self):
        return [
            re.sub(r"(\w+)@(\w+)", r"\2 at \1", await note("ann@home bob@work")),
            sub("a+", "-", "baaad", count=1),
            re.subn("x", "y", "axbxc"),
            re.compile("B", IGNORECASE).sub("_", "abAB"),
            re.sub(r"(?P<d>\d)", r"<\g<d>>", "a1"),
            WORDS.sub("w", "one two"),
        ]


@workflow
class RegexFlags(Workflow):
    async def run(self):
        text = "One\ntwo\nTHREE"
        await echo(1)
        return [
            re.findall(r"^t\w+", text, IGNORECASE | re.MULTILINE),
            bool(re.search("e.t", text, re.DOTALL)),
            re.findall(r"(?i)three$", text),
            re.compile("x", re.ASCII).flags == re.compile("x", re.ASCII).flags,
        ]


@workflow
class FlagsAsValues(Workflow):
    async def run(self):
        both = re.IGNORECASE | re.MULTILINE
        kept = await echo(both)
        return [
            [repr(kept), str(re.I), f"{re.S}", f"{re.S:04d}", "%s %r %d" % (re.A, re.X, re.M)],
            kept == 10,
            kept is both,
            re.I in kept,
            both & ~re.I == re.M,
            [each.name for each in kept],
            (re.I | 1024).name,
            re.RegexFlag(8) is re.RegexFlag["M"],
            re.compile("x", kept).flags & re.I,
            isinstance(kept, re.RegexFlag),
            {re.I: "key"}[2],
            HTTPStatus.NOT_FOUND,
            [each for each in HTTPStatus if each < 200],
        ]


@workflow
class PatternsAsValues(Workflow):
    async def run(self):
        rules = {"digits": re.compile(r"\d+"), "caps": re.compile("[A-Z]+")}
        await echo(1)
        found = {name: rule.findall("aB12") for name, rule in rules.items()}
        return (
            found,
            rules["caps"] == re.compile("[A-Z]+"),
            rules["caps"].pattern,
            repr(rules["digits"]),
            re.escape("a.b*c"),
        )


@workflow
class ExpandedTemplates(Workflow):
    async def run(self):
        found = ORDER.match("ORD-12/3")
        await echo(1)
        return found.expand(r"\g<number>-\2"), found.re.groupindex["line"]


@workflow
class BytesPatterns(Workflow):
    async def run(self):
        return re.findall(rb"[a-c]+", await echo(b"xxabcyyb")), re.sub(b"b", b"", b"abc")


@workflow
class RegexFailures(Workflow):
    async def run(self, which):
        try:
            if which == 0:
                pattern = await note("(")
                return re.match(pattern, "x")
            if which == 1:
                return re.match("a", 3)
            if which == 2:
                return re.match("(a)", "a").group(2)
            if which == 3:
                return re.match("a", "b").group()
            if which == 4:
                return re.sub("a", r"\1", "a")
            if which == 5:
                return re.compile(5)
            if which == 6:
                return re.match("a", b"a")
            if which == 7:
                return re.match("a", "a")["name"]
            return re.compile(re.compile("a"), IGNORECASE)
        except (re.error, TypeError, IndexError, AttributeError, ValueError) as error:
            return isinstance(error, re.error), str(error)


@workflow
class RegexInAHandler(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "code=42: no")
        except ValueError as error:
            found = re.search(r"code=(\d+)", str(error))
            await echo(1)
            return int(found[1])


@workflow
class AttributesOfPatterns(Workflow):
    async def run(self):
        caught = []
        for value in (re.compile("a"), re.match("a", "a")):
            try:
                caught.append(value.nothing)
            except AttributeError as error:
                caught.append(str(error))
            try:
                await echo(value)
            except SerializationError as error:
                caught.append(str(error))
        return caught


INPUTS = {
    "NamedGroups": [{"text": "see ORD-12/3 there"}, {"text": "ORD-7"}, {"text": "nothing"}],
    "RegexFailures": [{"which": which} for which in range(9)],
}
