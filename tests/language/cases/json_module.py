"""``json``, ``copy``, ``base64`` and their likes: texts out of values, and back."""

import base64
import binascii
import copy
import hashlib
import html
import json
import string
import textwrap
import zlib
from collections import Counter, OrderedDict, defaultdict, namedtuple
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from os import path
from urllib.parse import parse_qs, quote, unquote, urlencode, urljoin, urlparse, urlsplit

from tests.language.steps import Colour, Point, boom, echo, note, numbers
from waymark import Workflow, workflow

Pair = namedtuple("Pair", "left right")


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@workflow
class DumpsOfEverything(Workflow):
    async def run(self):
        value = {
            "a": [1, 2.5, None, True],
            "é": 'ü\n"',
            "t": (1, Pair(2, 3)),
            5: False,
            None: 1e300,
        }
        await echo(1)
        return [
            json.dumps(value),
            json.dumps(value, ensure_ascii=False, indent=2),
            json.dumps({"b": 1, "a": {"d": 1, "c": 2}}, sort_keys=True, separators=(",", ":")),
            json.dumps([Level.HIGH, float("inf"), -0.0, 10**30]),
            json.dumps(OrderedDict(x=Counter("aab"), y=defaultdict(list, z=[1]))),
            json.dumps({(1, 2): 3, "k": 4}, skipkeys=True),
            json.dumps("", indent="\t"),
        ]


@workflow
class LoadsWhatItDumped(Workflow):
    async def run(self):
        text = await note('{"price": 1.10, "items": [{"n": 12345678901234567890}, null, true]}')
        plain = json.loads(text)
        exact = json.loads(text, parse_float=Decimal, parse_int=str)
        return (
            plain,
            exact,
            json.loads(b"[1]"),
            json.loads(json.dumps(plain)) == plain,
            json.loads(" 3 "),
        )


@workflow
class JsonInAnAction(Workflow):
    async def run(self):
        return json.loads(await note(json.dumps({"n": await numbers(3)})))["n"][-1]


@workflow
class BrokenJson(Workflow):
    async def run(self, text):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            await note(error.msg)
            return (
                error.msg,
                error.pos,
                error.lineno,
                error.colno,
                error.doc,
                str(error),
                error.args,
            )


@workflow
class BrokenJsonLeavesTheWorkflow(Workflow):
    async def run(self):
        try:
            json.loads("[1,")
        finally:
            await note("cleaned")


@workflow
class NotForJson(Workflow):
    async def run(self, which):
        things = [
            {1, 2},
            Point(1),
            b"x",
            Decimal(1),
            Colour.RED,
            len,
            {(1, 2): 3},
            object,
            float("nan"),
        ]
        try:
            return json.dumps(things[which], allow_nan=False)
        except (TypeError, ValueError) as error:
            await note("no")
            return type(error).__name__, str(error)


@workflow
class CircularJson(Workflow):
    async def run(self):
        loop = [1]
        loop.append({"again": loop})
        try:
            json.dumps(loop)
        except ValueError as error:
            return str(error)


@workflow
class Copies(Workflow):
    async def run(self):
        inner = [1]
        value = {"a": inner, "b": inner, "s": {1, 2}, "p": Point(1, 2)}
        shallow, deep = copy.copy(value), copy.deepcopy(value)
        inner.append(await echo(2))
        value["p"].x = 9
        return [
            shallow,
            deep,
            shallow["a"] is inner,
            deep["a"] is deep["b"],
            copy.copy(inner) is not inner,
            copy.deepcopy(inner) == inner,
            copy.copy((1, 2)),
        ]


@workflow
class CopyOfALoop(Workflow):
    async def run(self):
        loop = {"n": 1}
        loop["self"] = loop
        twin = copy.deepcopy(loop)
        await echo(1)
        return twin["self"] is twin, twin is not loop, twin["self"]["n"]


@workflow
class Digests(Workflow):
    async def run(self):
        body = (await note("payload")).encode()
        running = hashlib.sha256(b"head")
        fork = running.copy()
        await echo(1)
        running.update(body)
        return [
            hashlib.md5(body).hexdigest(),
            hashlib.sha1(body, usedforsecurity=False).hexdigest(),
            running.hexdigest(),
            fork.hexdigest() == hashlib.sha256(b"head").hexdigest(),
            hashlib.new("sha512", body).digest()[:4],
            hashlib.blake2b(body, digest_size=8).hexdigest(),
            (running.name, running.digest_size, running.block_size),
            zlib.crc32(body),
            zlib.adler32(body, 1),
        ]


@workflow
class DigestOfText(Workflow):
    async def run(self):
        try:
            return hashlib.sha256("text").hexdigest()
        except TypeError as error:
            return str(error)


@workflow
class Base64AndHex(Workflow):
    async def run(self):
        raw = bytes(await numbers(20))
        coded = base64.b64encode(raw)
        return [
            coded,
            base64.b64decode(coded) == raw,
            base64.urlsafe_b64encode(b"\xff\xfe").decode(),
            base64.b32encode(b"a"),
            base64.b16decode("0A"),
            binascii.hexlify(raw[:3]),
            base64.b85decode(base64.b85encode(b"hello")),
        ]


@workflow
class BadBase64(Workflow):
    async def run(self):
        caught = []
        for text in ("abc", "a", "*"):
            try:
                caught.append(base64.b64decode(text, validate=True))
            except binascii.Error as error:
                caught.append((str(error), isinstance(error, ValueError)))
                await echo(text)
        return caught


@workflow
class Links(Workflow):
    async def run(self, name):
        query = urlencode({"q": name, "page": [1, 2]}, doseq=True)
        link = urljoin("https://shop.example/a/b", f"../search?{query}")
        await note(link)
        return (
            link,
            quote(name),
            quote("a/b", safe=""),
            unquote("%C3%A9+"),
            parse_qs("a=1&a=2&b="),
            path.splitext("x/y.tar.gz"),
        )


@workflow
class Layout(Workflow):
    async def run(self):
        text = await note("    one two three\n      four five six\n")
        clean = textwrap.dedent(text)
        return [
            clean,
            textwrap.fill("the quick brown fox jumps", width=10),
            textwrap.wrap("a b c d", 3),
            textwrap.shorten("hello wide world", width=12, placeholder="…"),
            textwrap.indent(clean, "> "),
            html.escape('<a href="x">&</a>'),
            html.unescape("&lt;&eacute;&#33;"),
            string.capwords("ada  lovelace"),
            string.ascii_lowercase[:3] + string.digits[-1] + string.punctuation[0],
            path.join("a", "b.txt"),
        ]


@workflow
class TextFailures(Workflow):
    async def run(self, which):
        try:
            if which == 0:
                return textwrap.fill("x", 0)
            if which == 1:
                return base64.b64encode("text")
            if which == 2:
                return quote(3)
            if which == 3:
                return html.escape(None)
            await boom("KeyError", "x")
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            return type(error).__name__, str(error)


@workflow
class PartsOfLinks(Workflow):
    async def run(self):
        link = urlparse(await note("https://ann:pw@shop.example:8080/a/b;v=1?q=tea&n=2#top"))
        await echo(1)
        short = urlsplit("//host/path?x=1")
        return [
            (link.scheme, link.hostname, link.port, link.username, link.params, link.fragment),
            link._replace(query="q=milk").geturl(),
            parse_qs(link.query)["q"],
            link[1],
            repr(short),
            list(short),
            short == urlsplit("//host/path?x=1"),
        ]


@workflow
class WeeksAndElements(Workflow):
    async def run(self):
        week = date(2026, 12, 31).isocalendar()
        counted = Counter({"a": 2, "b": 0, "c": 1})
        some = counted.elements()
        await echo(next(some))
        year, number, day = week
        return (
            week.week,
            week[0],
            (year, number, day),
            week.weekday,
            list(some),
            repr(week),
            datetime(2027, 1, 1).isocalendar() == week,
        )


INPUTS = {
    "BrokenJson": [{"text": text} for text in ("", "{", "[1,]", '{"a" 1}', "nul", '"a', "1 2\n3")],
    "NotForJson": [{"which": which} for which in range(9)],
    "Links": [{"name": "tea & milk"}, {"name": "é/ü"}],
    "TextFailures": [{"which": which} for which in range(5)],
}
