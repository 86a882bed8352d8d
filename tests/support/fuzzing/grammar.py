"""What random workflows are written with: templates in which ``<name>`` stands for something of that kind.

Expressions: ``<i>`` an int, ``<b>`` a test, ``<s>`` a text, ``<l>`` a list of ints, ``<any>`` anything to log,
``<w>`` an awaitable of an int; ``<pi>``, ``<pb>`` and ``<pl>`` the same without await or walrus, where ``v`` is
bound. Names: ``<n>`` of an int, ``<L>`` of a list, ``<k>`` a key. ``<#>`` is a number of its own in each use.
Lines ``<BLOCK>``, ``<LOOP>``, ``<HANDLER>``, ``<FINALLY>``, ``<STAR>`` (of ``except*``), ``<DEF>``, ``<ADEF>``, ``<GEN>``, ``<AGEN>``
(bodies of functions) and ``<SAME>`` (no deeper than its line) are blocks of statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD = """\
import asyncio
import contextlib
import functools
import itertools
import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from pydantic import BaseModel
from tests.language.steps import add, boom, collect, double, echo, flaky, note, numbers
from waymark import RetryPolicy, Workflow, workflow

LIMIT = 3
TABLE = {"k": [1, 2], "z": []}


class Odd(ValueError):
    def __init__(self, n, why="odd"):
        super().__init__(f"{why} {n}")
        self.n = n


class Mode(Enum):
    LOW = 1
    HIGH = 2


class Row(NamedTuple):
    a: int
    b: int = 0


class Part(BaseModel):
    x: int = 0
    tags: list[int] = []


@dataclass
class Box:
    x: int = 0
    items: list = field(default_factory=list)

    @property
    def size(self):
        return len(self.items) + self.x

    def grow(self, n, *, twice=False):
        if len(self.items) < 6:
            self.items.append(n)
        self.x += 2 * n if twice else n
        return self.x


@contextlib.contextmanager
def marked(log, n):
    log.append(("in", n))
    try:
        yield n
    except KeyError as error:
        log.append(("swallowed", repr(error)))
    finally:
        log.append(("out", n))


@contextlib.asynccontextmanager
async def held(log, n):
    log.append(await note("entering"))
    try:
        yield n
    finally:
        log.append((await note("leaving"), n))


"""

PREAMBLE = """\
a, b, c, i, v, w = <t>, <t>, 3, 0, 1, 2
xs, s, t = [1, 2, 3], "ab", (1, 2)
ys = xs
d, nest, st = {"k": a, "z": 2}, {"x": xs, "in": [xs, {}]}, {1, 2}
box, row, mode, part, h = Box(b, xs), Row(1, 2), Mode.LOW, Part(x=a), None
"""

NONLOCAL = "nonlocal a, b, c, i, v, w, xs, ys, s, t, d, st, row, mode, h"
REPORT = "log.append((type(<e>).__name__, str(<e>), repr(<e>.__cause__), repr(<e>.__context__)))"
ERRORS = (
    "ValueError KeyError ZeroDivisionError TypeError LookupError IndexError Exception Odd "
    "(KeyError,ValueError) (Odd,TypeError) ArithmeticError RuntimeError"
).split()
RAISED = "ValueError KeyError ZeroDivisionError IndexError Odd TypeError".split()


@dataclass(frozen=True, slots=True)
class Production:
    """One way to write something: where it may stand, and how often it is chosen."""

    template: str
    weight: int = 2
    level: int = 0
    """0 anywhere, 1 where ``self`` is, 2 where the methods may be called, 3 in ``run`` alone."""
    loop: bool = False
    handler: bool = False
    generator: bool = False
    """Only in the body of a generator."""
    node: str = ""
    """Usable if the compiler accepts this node type (``Match``), or if this name is in the language."""
    leaf: bool = False
    """Allowed however deep the expression already is."""

    @property
    def awaits(self) -> bool:
        return bool(re.search(r"\bawait\b|<w>|\basync\b", self.template))

    @property
    def returns(self) -> bool:
        return bool(re.search(r"\breturn\b", self.template)) and "def " not in self.template

    @property
    def sync(self) -> bool:
        return "yield from" in self.template

    @property
    def impure(self) -> bool:
        return self.awaits or ":=" in self.template or "yield" in self.template


def _one(text: str) -> list[Production]:
    """One production for each line; ``N*`` in front is its weight, ``@N`` its level."""
    found = []
    for line in text.strip().splitlines():
        match = re.fullmatch(r"(?:(\d+)\* )?(?:@(\d) )?(?:\?(\S+) )?(\.)?(.*)", line.strip())
        assert match is not None
        weight, level, node, leaf, template = match.groups()
        found.append(
            Production(
                template.replace("\\n", "\n"),
                int(weight or 2),
                int(level or 0),
                node=node or "",
                leaf=bool(leaf),
            )
        )
    return found


INTS = _one(
    """
8* .<t>
8* .<n>
1* .LIMIT
1* .row.a
1* .mode.value
2* .box.x
1* @1 .self.n
3* (<i> + <i>)
3* (<i> - <i>)
2* (<i> * <i>) % 97
1* (<i> // <i>)
1* (<i> % <i>)
1* (<i> ** 2) % 91
1* (<i> << <u>) % 1009
1* (<i> >> <u>)
1* (<i> & <i>)
1* (<i> | <i>)
1* (<i> ^ <i>)
1* -<i>
1* ~<i>
1* +<i>
4* @1 self.say(<i>)
2* (<i> if <b> else <i>)
2* (<n> := <i>)
2* len(<l>)
2* <L>[<i>]
1* <L>[-1]
2* d[<k>]
2* d.get(<k>, <i>)
3* (await <w>)
2* @1 mix(<i>, <i>)
1* @1 mix(<i>, *<L>[:2], y=<i>)
1* @1 mix(*<l>[:2], *[<i>], **{'y': <i>})
2* @2 self.helper(<i>, y=<i>)
1* sum(<l>)
1* sum(v * <pi> for v in <pl> if <pb>)
1* next((v for v in <pl> if <pb>), <i>)
1* max(<l>, key=lambda v: (v % 3, <pi>), default=<i>)
1* min(<i>, <i>)
1* abs(<i>)
1* int(<b>)
1* divmod(<i>, <i>)[0]
1* box.grow(<i>)
1* box.grow(<i>, twice=<b>)
1* box.size
1* len(<s>)
1* s.count("a")
1* (<i>).bit_length()
1* part.x
1* row._replace(a=<i>).a
1* TABLE["k"][<i>]
1* {1: <i>, True: <i>}[1]
1* (<i>, <i>)[<i> % 2]
1* int(<i> / <i>)
1* len({<i>, <i>, <i>})
1* ?lambda (lambda v, q=<i>: v - q)(<i>)
1* ?lambda (lambda *p, **q: len(p) + len(q))(*<l>[:2], **{"r": <i>})
1* ?functools.reduce functools.reduce(lambda v, q: v * 2 - q, <l>, <i>)
1* ?math.gcd math.gcd(<i>, <i>)
1* (await asyncio.gather(<w>, <w>))[<i> % 2]
1* @2 (await self.run_action(double(<i>), retry=RetryPolicy(attempts=2)))
"""
)

TESTS = _one(
    """
4* .<n> < <n>
2* .True
1* .xs is ys
1* .h is None
4* <i> < <i>
3* <i> == <i>
2* <i> != <i>
2* <i> >= <i>
4* <i> < <i> <= <i>
2* <i> == <i> != <i> > <i>
2* not <b>
3* (<b> and <b>)
3* (<b> or <b>)
1* (<i> and <i>)
1* (<i> or <l>)
2* <i> in <l>
1* <i> not in <l>
1* <k> in d
1* "a" in s
1* <L> is not <L>
1* bool(<l>)
1* any(<pb> for v in <pl>)
1* all(<pb> for v in <pl>)
1* isinstance(<any>, (int, str))
1* <l> < <l>
1* mode is Mode.HIGH
1* (<i>, <i>) < (<i>, <i>)
1* st >= {<i>}
1* row == (<i>, <i>)
1* box == Box(<i>, <l>)
1* callable(len)
"""
)

TEXTS = _one(
    """
4* .s
3* .'xy'
2* .''
3* f"{<n> + <n>}-{s!r:>4}"
1* f"{<n>:{<u>}d}|{<n>=}"
1* f"{s!s:^{<u>}}{await echo(<n>)}"
1* @1 f"{self.say(<n>)}{self.say(<n>):>{self.say(<u>)}}"
1* str(<i>)
1* repr(<l>)
1* s.upper()
1* <s>.replace("a", <s>)[:12]
1* s[::-1]
1* s[<i>:<i>]
1* s[<i>]
1* ",".join(map(str, <l>))
1* "-".join([str(v) for v in <pl>])
1* "{}:{:>3}".format(<i>, <i>)
1* "%s/%d" % (<i>, <i>)
1* (s + <s>)[:12]
1* <s>.strip("a").title()
1* (await note(<s>))
1* chr(97 + <u>)
1* type(<i>).__name__
1* mode.name
"""
)

LISTS = _one(
    """
4* .<L>
2* .[1, 2, 3]
2* .box.items
1* .list(t)
3* [<i>, *<l>[:3]]
3* [<i>, <i>, <i>]
2* [<pi> for v in <pl> if <pb>]
1* [v + q for v in <pl> for q in (1, 2) if <pb>]
1* [(a := v) for v in <pl>[:3]]
1* [b for v in <pl> if (b := v * 2) > 1]
1* [sum([v, *p]) for v, *p in [(1, 2), (3,), [4, 5]]]
2* [await double(v) for v in <pl>[:3]]
1* [v for v in <pl> if await echo(<pb>)]
1* sorted(<l>)
1* sorted(<l>, key=lambda v: (<pi>, v), reverse=<b>)
1* sorted(st)
1* sorted({<pi> for v in <pl>})
1* list(d.values())
1* list({v % 3: <pi> for v in <pl>}.values())
1* <L>[<i>:<i>]
1* <L>[::-1]
1* <L>[:]
1* (<l> + <l>)[:6]
1* list(map(lambda v: <pi>, <l>))
1* list(filter(lambda v: <pb>, <l>))
1* list(reversed(<l>))
1* list(range(<i> % 5))
1* [v for v, q in zip(<pl>, "abc")]
1* [v * q for q, v in enumerate(<pl>)]
1* (await numbers(<u>))
1* list(await asyncio.gather(<w>, <w>, <w>))
2* (await asyncio.gather(*[double(v) for v in <pl>[:3]]))
1* @2 (await asyncio.gather(*(self.slow(v) for v in <pl>[:3])))
1* (<l> if <b> else <l>)
1* list(dict.fromkeys(<l>))
1* ?itertools.accumulate list(itertools.accumulate(<l>))
1* ?itertools.chain list(itertools.chain(<l>[:2], <l>[:2]))
"""
)

ANYTHING = _one(
    """
6* .<n>
4* <i>
3* <s>
3* <l>
2* <b>
2* (<i>, <s>)
1* {<s>: <i>, **d}
1* {"k": <l>, "in": [<i>]}
1* [<s>, <l>, None]
1* Box(<i>, <l>)
1* Row(<i>)
1* Part(x=<i>, tags=<l>)
1* part.model_copy(update={"x": <i>})
1* set(<l>)
1* {<pi> for v in <pl>}
1* {v: <pi> for v in <pl>}
1* {k: q for k, q in sorted(d.items())}
1* nest
1* d
1* box
1* (xs is ys, xs is nest["x"], box.items is xs)
1* <i> / <i>
1* round(<i> / 7, 2)
1* Mode(<i>)
1* list(map(repr, await asyncio.gather(<w>, <w>, return_exceptions=True)))
1* await collect(<i>, *<l>[:2], s=<s>, **{"z": <i>})
1* ?lambda [f() for f in [lambda q=u: (q, u) for u in <pl>]]
"""
)

AWAITABLES = _one(
    """
5* .double(<n>)
3* .echo(<n>)
3* add(<i>, <i>)
2* add(<i>, b=<i>)
2* double(<i>)
1* .boom('ValueError', <t>)
1* .boom('KeyError', <t>)
2* .asyncio.sleep(<u>, <t>)
1* asyncio.sleep(<u> / 2, <i>)
5* @2 self.slow(<i>)
1* @2 .self.run_action(flaky(2, <t>), retry=RetryPolicy(attempts=3, exception_types=["ConnectionError"]))
1* @2 asyncio.wait_for(self.slow(<i>), <u>)
1* @2 asyncio.create_task(self.slow(<i>))
1* @2 asyncio.shield(self.slow(<i>))
"""
)

ASSIGNMENTS = _one(
    """
4* <n> = <i>
2* <n> = <n> = <i>
2* <n>, <n> = <i>, <i>
1* <n>, (<n>, *<L>) = <i>, [<i>, *<l>[:4]]
1* <n>, *_, <n> = <l>
1* [<n>, <n>] = <l>
1* n<#>: int = <i>\\nlog.append(n<#>)
3* <n> <aug> <i>
1* <n> *= <u>
2* <L>[<i> % 4] = <i>
2* <L>[<i> % 4] <aug> <i>
1* <L>[<u>:<u>] = <l>[:3]
1* <L>[::2] = <l>[:2]
1* <n>, <L>[<i> % 3] = <i>, <i>
2* d[<k>] = <i>
2* d[<k>] <aug> <i>
2* box.x <aug> <i>
1* box.items = <L>
1* part.x = <i>
1* @1 self.n <aug> <i>
2* <L> = <l>[:6]
2* <L> = <L>
2* <L> += <l>[:3]
1* <L>[1:] = <l>[:3]
1* s = <s>[:12]
1* t = (*<l>[:4], <i>)
1* nest["x"] = <L>
1* nest["in"][0] = <L>
1* nest["x"].append(<i>)
1* mode = Mode.HIGH if <b> else Mode.LOW
1* row = row._replace(b=<i>)
1* del <L>[<i> % 3]
1* del <L>[:<u>]
1* del d[<k>]
1* del <n>
1* h = <w>
1* <n> = await h
1* st.add(<i>)
1* st |= {<i>}
"""
)

_SIMPLE = _one(
    """
9* log.append(<any>)
3* <L>.append(<i>)
1* <L>.insert(<i>, <i>)
1* <L>.pop()
1* <L>.sort(key=lambda v: <pi>)
1* <L>.reverse()
1* <L>.extend(<l>[:2])
1* d.update({<k>: <i>}, z=<i>)
1* d.pop(<k>, None)
1* d.setdefault(<k>, <i>)
2* await <w>
1* <i>
1* assert <b>, <i>
1* pass
1* print(<i>, <s>)
2* <n>, <n> = await asyncio.gather(<w>, <w>)
2* log.append(await asyncio.gather(<w>, asyncio.gather(<w>, <w>), asyncio.sleep(<u>, <i>)))
2* @2 log.append(list(map(repr, await asyncio.gather(*[self.slow(v) for v in <pl>[:3]], <w>, return_exceptions=True))))
2* if <b>:\\n    return <any>
2* if <b>:\\n    raise <R>(<i>)
1* if <b>:\\n    raise <R>(<i>) from None
1* if <b>:\\n    raise KeyError
1* if <b>:\\n    raise <R>(<i>) from Odd(<i>)
"""
)
SIMPLE = [
    *_SIMPLE,
    Production("if <b>:\n    break", 5, loop=True),
    Production("if <b>:\n    continue", 5, loop=True),
    Production("if <b>:\n    raise", 3, handler=True),
    Production("if <b>:\n    raise <R>(<i>) from <e>", 2, handler=True),
    Production("log.append(repr(<e>.__context__))", 2, handler=True),
    Production("<n> = <e>.args[0] if <e>.args else <i>", 1, handler=True),
    Production("yield <i>", 12, generator=True),
    Production("<n> = (yield <n>) or <i>", 8, generator=True),
    Production("yield from <l>[:2]", 6, generator=True),
    Production("<n> = yield from (<pi> for v in <pl>[:2])", 2, generator=True),
]

_HANDLER = f"except <X> as e<#>:\n    {REPORT.replace('<e>', 'e<#>')}\n    <HANDLER>\n"
_SECOND = f"except <X> as f<#>:\n    {REPORT.replace('<e>', 'f<#>')}\n    <HANDLER>\n"
_PLAIN = "except <X>:\n    <HANDLER>\n"
_TRY, _ELSE, _FINALLY = "try:\n    <BLOCK>\n", "else:\n    <BLOCK>\n", "finally:\n    <FINALLY>\n"

NESTED = [
    Production("if <b>:\n    <BLOCK>", 3),
    Production("if <b>:\n    <BLOCK>\nelse:\n    <BLOCK>", 3),
    Production("if <b>:\n    <BLOCK>\nelif <b>:\n    <BLOCK>\nelse:\n    <BLOCK>", 2),
    Production("for <v> in <l>[:4]:\n    <LOOP>", 3),
    Production("for <v> in <l>[:4]:\n    <LOOP>\nelse:\n    <BLOCK>", 4),
    Production("for <v> in <L>:\n    if max(len(<L>), len(ys), len(box.items)) > 6:\n        break\n    <LOOP>", 2),
    Production("for i, v in enumerate(<l>[:3]):\n    <LOOP>", 1),
    Production("for k, v in list(d.items()):\n    <LOOP>", 1),
    Production("for k in d:\n    <LOOP>", 1),
    Production("for v, (<n>, *t) in zip(<l>[:3], [(1, 2), (3,)]):\n    <LOOP>", 1),
    Production("for v in (q for q in <pl>[:4] if q):\n    <LOOP>", 1),
    Production("for v in map(lambda v: <pi>, <l>[:3]):\n    <LOOP>", 1),
    Production("for v in reversed(<l>[:3]):\n    <LOOP>\nelse:\n    <BLOCK>", 1),
    Production("n<#> = 0\nwhile (w := (n<#> := n<#> + 1)) < 4 and <b>:\n    <LOOP>", 2),
    Production("n<#> = 0\nwhile (n<#> := n<#> + 1) < 4 and <b>:\n    <LOOP>\nelse:\n    <BLOCK>", 3),
    Production("n<#> = 0\nwhile True:\n    n<#> += 1\n    if n<#> > 3:\n        break\n    <LOOP>", 1),
    Production(_TRY + _HANDLER, 4),
    Production(_TRY + _HANDLER + "try:\n    log.append(repr(e<#>))\nexcept NameError as x<#>:\n    log.append((type(x<#>).__name__, str(x<#>)))", 2),
    Production(_TRY + _FINALLY, 4),
    Production(_TRY + _HANDLER + _FINALLY, 4),
    Production(_TRY + _HANDLER + _ELSE + _FINALLY, 3),
    Production(_TRY + _HANDLER + _SECOND + _ELSE, 2),
    Production(_TRY + _PLAIN + _SECOND + _FINALLY, 1),
    Production("try:\n    <BLOCK>\nexcept:\n    <HANDLER>", 1),
    Production("with contextlib.suppress(<R>, <R>):\n    <BLOCK>", 2, node="With"),
    Production("try:\n    <n> = <n> @ <n>\nexcept TypeError as m<#>:\n    log.append(str(m<#>))", 1),
    Production("with marked(log, <i>) as <n>:\n    <BLOCK>", 2),
    Production("async with held(log, <i>) as <n>:\n    <BLOCK>", 2),
    Production("async with asyncio.TaskGroup() as g<#>:\n    k<#> = g<#>.create_task(self.slow(<i>))\n    g<#>.create_task(double(<i>))\n    <BLOCK>\nlog.append(k<#>.result())", 2, level=2),
    Production("async with asyncio.timeout(<u>):\n    <BLOCK>", 1),
    Production("m<#> = asyncio.Lock()\nasync with m<#>:\n    <BLOCK>\nlog.append(m<#>.locked())", 1),
    Production("k<#> = asyncio.create_task(self.slow(<i>))\n<SAME>\nlog.append(await k<#>)", 3, level=2),
    Production("k<#> = asyncio.create_task(self.slow(<i>))\nawait <w>\nk<#>.cancel()\ntry:\n    log.append(await k<#>)\nexcept asyncio.CancelledError:\n    <HANDLER>", 2, level=2),
    Production("done, left = await asyncio.wait([asyncio.create_task(self.slow(<i>)), asyncio.create_task(double(<i>))], timeout=<u>)\nlog.append((len(done), len(left)))", 1, level=2),
    Production("for q in asyncio.as_completed([self.slow(<i>), <c>, self.slow(<i>)]):\n    log.append(await q)", 1, level=2),
    Production("h = asyncio.create_task(self.slow(<i>))", 1, level=2),
    Production("try:\n    log.append(await asyncio.wait_for(self.slow(<i>), <u>))\nexcept TimeoutError as e<#>:\n    <HANDLER>", 1, level=2),
    Production("def f<#>(x, *p, y=<i>, **q):\n    <NL>\n    <DEF>\n    return x + y + a + len(p) + len(q)\nlog.append(f<#>(<i>, *<l>[:2], y=<i>))\n<n> = f<#>(<i>)", 3),
    Production("def f<#>(x=<i>):\n    <DEF>\n    return x\nlog.append([f<#>(v) for v in <pl>[:2]])", 1),
    Production("async def f<#>(x):\n    <NL>\n    <ADEF>\n    return x + a\nlog.append(await asyncio.gather(f<#>(<i>), f<#>(<i>)))", 3),
    Production("def f<#>(x):\n    <NL>\n    <GEN>\n    yield x\nfor <v> in f<#>(<i>):\n    if len(log) > 90:\n        break\n    <LOOP>\nelse:\n    <BLOCK>", 3),
    Production("def f<#>(x):\n    <NL>\n    <GEN>\n    yield x\n    return a\nlog.append(list(f<#>(<i>)))\n<n> = sum(f<#>(<i>))", 2),
    Production("async def f<#>(x):\n    <NL>\n    <AGEN>\n    yield x\nasync for q in f<#>(<i>):\n    log.append(q)\nelse:\n    <BLOCK>", 2, node="AsyncFor"),
    Production("async def f<#>(x):\n    <NL>\n    yield x\n    <AGEN>\nlog.append([q async for q in f<#>(<pi>)])", 1, node="AsyncFor"),
    Production("def f<#>(x):\n    <NL>\n    log.append((yield x))\n    <GEN>\nk<#> = f<#>(<i>)\nlog.append(next(k<#>))\nlog.append(k<#>.send(<i>))\nk<#>.close()", 2),
    Production("try:\n    <BLOCK>\nexcept* <X> as e<#>:\n    log.append(list(map(repr, e<#>.exceptions)))\n    <STAR>", 3),
    Production("try:\n    <BLOCK>\nexcept* <R> as e<#>:\n    <STAR>\nexcept* <X>:\n    <STAR>\nelse:\n    <BLOCK>\nfinally:\n    <FINALLY>", 2),
    Production("if <b>:\n    raise ExceptionGroup(<s>, [<R>(<i>), <R>(<i>)])", 2),
    Production("match <any>:\n    case int() if <b>:\n        <BLOCK>\n    case [a, *t]:\n        <BLOCK>\n    case {'k': b, **q}:\n        <BLOCK>\n    case _:\n        <BLOCK>", 3),
    Production("match <any>:\n    case Box(x=c, items=[_, *_]) | Part(x=c):\n        <BLOCK>\n    case Row(a, 0) | Row(0, a):\n        <BLOCK>\n    case 'xy' | '' | None | True:\n        <BLOCK>\n    case str(s) | [s, *_]:\n        <BLOCK>", 3),
    Production("match (<i>, <i>):\n    case (0 | 1 | -1) as b, v:\n        <BLOCK>\n    case v, i if v < i:\n        <BLOCK>\n    case (v, mode.value):\n        <BLOCK>", 2),
    Production("with contextlib.nullcontext(<i>) as <n>, contextlib.suppress(<R>):\n    <BLOCK>", 1, node="With"),
]  # fmt: skip

KINDS = {
    "i": INTS, "b": TESTS, "s": TEXTS, "l": LISTS, "any": ANYTHING, "w": AWAITABLES,
    "c": AWAITABLES,
    "pi": INTS, "pb": TESTS, "pl": LISTS,
}  # fmt: skip
STATEMENTS = {"assign": ASSIGNMENTS, "simple": SIMPLE, "nested": NESTED}
