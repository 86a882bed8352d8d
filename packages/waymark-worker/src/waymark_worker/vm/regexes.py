"""A regular expression and a text come in; matches that a snapshot can hold go out, in bounded time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from waymark_schema.ir.regexes import MAX_TEXT, bound_of
from waymark_worker.vm.callbacks import Hosted
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.meter import METER, check_text
from waymark_worker.vm.names import RECORDS, STANDING_FOR, register, share, type_name
from waymark_worker.vm.refusals import LimitExceeded, unsupported_operation

Args = list[Any]
Keywords = dict[str, Any]
Text = str | bytes

_MATCH_COST = 6


class Pattern:
    """``re.compile(pattern, flags)``."""

    __slots__ = ("_host", "flags", "pattern")
    pieces = ()
    """Nothing in it has to be walked, and its text shows no address."""

    def __init__(self, host: re.Pattern[Any]) -> None:
        self._host = host
        self.pattern = host.pattern
        self.flags = host.flags

    @property
    def host(self) -> re.Pattern[Any]:
        """The host's pattern; made, and judged, anew after a recovery."""
        try:
            return self._host
        except AttributeError:
            self._host = _judged(self.pattern, self.flags)
            return self._host

    @property
    def groups(self) -> int:
        return self.host.groups

    @property
    def groupindex(self) -> dict[str, int]:
        return dict(self.host.groupindex)

    def __eq__(self, other: object) -> bool:
        return self.host == other.host if isinstance(other, Pattern) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.host)

    def __repr__(self) -> str:
        return repr(self.host)


class Match:
    """Where a pattern matched: spans of its groups, which say everything that the host's match knows."""

    __slots__ = ("endpos", "lastindex", "pos", "re", "spans", "string")
    pieces = ()

    def __init__(self, pattern: Pattern, found: re.Match[Any]) -> None:
        self.re = pattern
        self.string: Any = found.string
        self.pos = found.pos
        self.endpos = found.endpos
        self.spans: tuple[tuple[int, int], ...] = found.regs
        self.lastindex = found.lastindex

    @property
    def lastgroup(self) -> str | None:
        return next((n for n, index in self.re.groupindex.items() if index == self.lastindex), None)

    @property
    def regs(self) -> tuple[tuple[int, int], ...]:
        return self.spans

    def span(self, group: Any = 0, /) -> tuple[int, int]:
        return self.spans[self._index(group)]

    def start(self, group: Any = 0, /) -> int:
        return self.span(group)[0]

    def end(self, group: Any = 0, /) -> int:
        return self.span(group)[1]

    def group(self, *groups: Any) -> Any:
        if len(groups) > 1:
            return tuple([self._text(self._index(group)) for group in groups])
        return self._text(self._index(groups[0] if groups else 0))

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        return tuple([self._text(index, default) for index in range(1, len(self.spans))])

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        return {name: self._text(index, default) for name, index in self.re.groupindex.items()}

    def expand(self, template: Any) -> Any:
        check_text(len(template) * (1 + self.end() - self.start()), "the result of expand()")
        return self._again().expand(template)

    def __getitem__(self, group: Any) -> Any:
        return self._text(self._index(group))

    def __repr__(self) -> str:
        return f"<re.Match object; span={self.spans[0]!r}, match={self.group()!r:.50}>"

    def _again(self) -> Any:
        """The host's match of the same text, for its templates."""
        found = self.re.host.fullmatch(self.string, self.start(), self.end())
        if found is None or found.regs != self.spans:
            what = "Match.expand() of a match that depends on what stands around it"
            raise unsupported_operation(what, "build the text with an f-string of its groups")
        return found

    def _index(self, group: Any) -> int:
        if isinstance(group, int) or hasattr(type(group), "__index__"):
            index = int(group)
        else:
            index = self.re.host.groupindex.get(group, -1) if isinstance(group, str) else -1
        if not 0 <= index < len(self.spans):
            msg = "no such group"
            raise IndexError(msg)
        return index

    def _text(self, index: int, default: Any = None) -> Any:
        start, end = self.spans[index]
        return default if start < 0 else self.string[start:end]


register(Pattern, "re.Pattern")
register(Match, "re.Match")
share(Pattern, Match)
STANDING_FOR.update({Pattern: re.Pattern, Match: re.Match})


def compiled(pattern: Any, flags: Any = 0) -> Pattern:
    """Give ``re.compile(pattern, flags)``; refuses a pattern whose work nobody can bound."""
    if isinstance(pattern, Pattern):
        if flags:
            msg = "cannot process flags argument with a compiled pattern"
            raise ValueError(msg)
        return pattern
    if type(pattern) in RECORDS or not isinstance(pattern, str | bytes):
        msg = "first argument must be string or compiled pattern"
        raise TypeError(msg)
    METER.charge(len(pattern))
    return Pattern(_judged(pattern, int(flags)))


def _judged(pattern: Text, flags: int) -> re.Pattern[Any]:
    if flags & re.DEBUG:
        what = "re.DEBUG"
        raise unsupported_operation(what, "leave the flag out")
    bound = bound_of(pattern, flags)
    if bound.problem is not None:
        what = f"the regular expression {pattern!r:.200} cannot run in a workflow, because {bound.problem}"
        raise unsupported_operation(what, "match the text in an action")
    return re.compile(pattern, flags)


def _charge(pattern: Pattern, text: Any, *, searches: bool) -> None:
    if not isinstance(text, str | bytes | bytearray):
        if type(text) in RECORDS:
            msg = f"expected string or bytes-like object, got {type_name(text)!r}"
            raise TypeError(msg)
        return
    if len(text) > MAX_TEXT:
        msg = (
            f"a regular expression on a text of {len(text)} characters; a workflow may match at most"
            f" {MAX_TEXT} at once: match it in an action"
        )
        raise LimitExceeded(msg)
    units = bound_of(pattern.pattern, pattern.flags).units(len(text), searches=searches)
    if units > METER.left:
        msg = (
            f"the regular expression {pattern.pattern!r:.200} may take {units} units of work on a text of"
            f" {len(text)} characters; one step of the workflow has {METER.left} left"
            " (WAYMARK_STEP_BUDGET): match it in an action, or write a pattern that is less ambiguous"
        )
        raise LimitExceeded(msg)
    METER.charge(units + 2)


def _matching(name: str) -> Callable[..., Match | None]:
    searches = name == "search"

    def run(pattern: Pattern, *args: Any, **keywords: Any) -> Match | None:
        text = args[0] if args else keywords.get("string")
        _charge(pattern, text, searches=searches)
        found = getattr(pattern.host, name)(*args, **keywords)
        return None if found is None else Match(pattern, found)

    return run


def _finditer(pattern: Pattern, *args: Any, **keywords: Any) -> Iterator[Match]:
    text = args[0] if args else keywords.get("string")
    _charge(pattern, text, searches=True)
    found = []
    for match in pattern.host.finditer(*args, **keywords):
        METER.charge(_MATCH_COST)
        found.append(Match(pattern, match))
    return iter(found)


def _findall(pattern: Pattern, *args: Any, **keywords: Any) -> list[Any]:
    text = args[0] if args else keywords.get("string")
    _charge(pattern, text, searches=True)
    METER.charge(len(text) if isinstance(text, str | bytes) else 0)
    return pattern.host.findall(*args, **keywords)


def _split(pattern: Pattern, *args: Any, **keywords: Any) -> list[Any]:
    text = args[0] if args else keywords.get("string")
    _charge(pattern, text, searches=True)
    METER.charge(len(text) if isinstance(text, str | bytes) else 0)
    return pattern.host.split(*args, **keywords)


def _replacing(name: str) -> Callable[..., Any]:
    def run(pattern: Pattern, *args: Any, **keywords: Any) -> Any:
        given = dict(zip(("repl", "string"), args, strict=False)) | keywords
        text, template = given.get("string"), given.get("repl")
        _charge(pattern, text, searches=True)
        if type(template) in RECORDS or isinstance(template, type):
            return _replaced_by_calls(name, pattern, given, list(args))
        if isinstance(text, str | bytes) and isinstance(template, str | bytes):
            check_text(len(text) + (len(text) + 1) * len(template) * 2, f"the result of {name}()")
        return getattr(pattern.host, name)(*args, **keywords)

    return run


def _replaced_by_calls(name: str, pattern: Pattern, given: Keywords, args: Args) -> Any:
    """``sub`` with a function: what it returns for each match, joined."""
    function = Hosted(given["repl"])

    def replace(found: re.Match[Any]) -> Any:
        METER.charge(_MATCH_COST)
        made = function(Match(pattern, found))
        check_text(len(made) if isinstance(made, str | bytes) else 0, f"the result of {name}()")
        return made

    count = given.get("count", args[2] if len(args) > 2 else 0)  # noqa: PLR2004 - repl, string, count
    return getattr(pattern.host, name)(replace, given["string"], count)


PATTERN_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _matching(name) for name in ("match", "fullmatch", "search")},
    "findall": _findall,
    "finditer": _finditer,
    "split": _split,
    "sub": _replacing("sub"),
    "subn": _replacing("subn"),
}
"""Methods of a pattern, bounded."""

_OWN_ARGUMENTS = {"split": 2, "sub": 3, "subn": 3}
"""Positional parameters between the pattern and the flags; the others have the string alone."""


def _function(name: str) -> Implementation:
    host: Callable[..., Any] = getattr(re, name)
    method = PATTERN_METHODS[name]
    own = _OWN_ARGUMENTS.get(name, 1)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        named = dict(keywords)
        rest = list(args)
        if not rest and "pattern" not in named:
            return host(*args, **keywords)  # raises CPython's own TypeError
        first = rest.pop(0) if rest else named.pop("pattern")
        flags = rest.pop(own) if len(rest) > own else named.pop("flags", 0)
        if len(rest) > own or (own == 1 and not rest and "string" not in named):
            return host(*args, **keywords)
        return method(compiled(first, flags), *rest, **named)

    return run


def _compile(_ctx: Any, args: Args, keywords: Keywords) -> Pattern:
    if not 1 <= len(args) + len(keywords) <= 2 or keywords.keys() - {"pattern", "flags"}:  # noqa: PLR2004
        re.compile(*args, **keywords)
    return compiled(*args, **keywords)


def _escape(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if args and isinstance(args[0], str | bytes):
        check_text(len(args[0]) * 2, "the result of re.escape()")
    return re.escape(*args, **keywords)


PATTERNS: dict[str, Implementation] = {
    **{f"re.{name}": _function(name) for name in PATTERN_METHODS},
    "re.compile": _compile,
    "re.escape": _escape,
}
