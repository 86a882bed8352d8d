"""A regular expression comes in; how much work it may be in the worst case, or why nobody can bound it, goes out."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from re import _constants as names  # type: ignore[attr-defined] # the host's own parser has no public name
from re import _parser as parser  # type: ignore[attr-defined] # likewise
from typing import Any

MAX_TEXT = 64 * 1024
"""Characters that a workflow may search at once."""
MAX_PATTERN = 4096
_NARROW = 256
"""Characters that are told apart one by one; of those behind them only what a category says."""
_WIDE_DIGIT, _WIDE_SPACE, _WIDE_WORD, _WIDE_OTHER = (1 << _NARROW + place for place in range(4))
_WIDE = _WIDE_DIGIT | _WIDE_SPACE | _WIDE_WORD | _WIDE_OTHER
_ALL = (1 << _NARROW + 4) - 1
_NEWLINE = 1 << 10
_UNBOUNDED = 1 << 20
_MANY = 16
"""Repeats from which on it matters that each place of a text may have to be walked again."""

_SAMPLES = {
    names.CATEGORY_DIGIT: (r"\d", _WIDE_DIGIT),
    names.CATEGORY_SPACE: (r"\s", _WIDE_SPACE),
    names.CATEGORY_WORD: (r"\w", _WIDE_DIGIT | _WIDE_WORD),
}
_NEGATIONS = {
    names.CATEGORY_NOT_DIGIT: names.CATEGORY_DIGIT,
    names.CATEGORY_NOT_SPACE: names.CATEGORY_SPACE,
    names.CATEGORY_NOT_WORD: names.CATEGORY_WORD,
}
_REPEATS = {names.MAX_REPEAT, names.MIN_REPEAT, getattr(names, "POSSESSIVE_REPEAT", None)}


@dataclass(frozen=True, slots=True)
class Bound:
    """What a match may cost: ``choices`` are the ways to divide a text, each repeat its own (0: unbounded)."""

    choices: tuple[int, ...] = ()
    problem: str | None = None
    """Why the pattern cannot be bounded."""
    anchored: bool = False
    """It can only match at the start of a text."""
    retries: bool = True
    """Something may fail behind a repeat without a bound: a search then walks the same text from every place."""
    width: int = 1
    """How much may be tried at one place: grows with the length of the pattern."""

    def units(self, length: int, *, searches: bool) -> int:
        """Work for a text of so many characters in units of about 0.1 µs."""
        work = (length + 1) * self.width
        for choice in self.choices:
            work *= min(choice or length + 1, length + 1)
        if searches and self.retries and not self.anchored:
            work *= length + 1
        return (length >> 4) + (work >> 7)


@dataclass(slots=True)
class _Part:
    """A piece of a pattern: what it may begin with, whether it may be empty, what it may repeat."""

    first: int
    nullable: bool
    repeats: list[tuple[int, int]] = field(default_factory=list)
    """Characters of a repeat at the very end of the piece, and how often it may go on (0: for ever)."""
    choices: list[int] = field(default_factory=list)
    variable: bool = False
    """It may match texts of different lengths, or in different ways."""
    may_fail: bool = True
    """There are texts that it does not match, not even as an empty one."""
    unbounded: bool = False
    """It has a repeat without a bound."""
    retries: bool = False
    """As in ``Bound``."""


class _Unbounded(Exception):
    """The pattern has something whose work nobody can bound."""


@lru_cache(maxsize=512)
def bound_of(pattern: str | bytes, flags: int = 0) -> Bound:
    """Judge a pattern. Raises ``re.error`` (and what else ``re.compile`` raises) for one that is none.

    >>> bound_of("[a-z]+@[a-z]+").problem is None
    True
    >>> bound_of("(a+)+b").problem
    'it repeats a part that repeats itself'
    """
    if len(pattern) > MAX_PATTERN:
        return Bound(problem=f"it is longer than {MAX_PATTERN} characters")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = parser.parse(pattern, flags)
    try:
        part = _sequence(parsed, parsed.state.flags)
    except _Unbounded as error:
        return Bound(problem=str(error))
    first = parsed[0] if len(parsed) else (None, None)
    anchored = first[0] is names.AT and (
        first[1] is names.AT_BEGINNING_STRING
        or (first[1] is names.AT_BEGINNING and not parsed.state.flags & re.MULTILINE)
    )
    # What ends a match accepts it: the last repeat has nothing to give back to.
    retries = part.retries or bool(part.choices)
    width = 1 + (len(pattern) >> 5)
    return Bound(tuple(part.choices), anchored=anchored, retries=retries, width=width)


def _sequence(items: Any, flags: int) -> _Part:
    whole = _Part(0, nullable=True, may_fail=False)
    for op, value in items:
        _append(whole, _part(op, value, flags))
    return whole


def _append(whole: _Part, part: _Part) -> None:
    if whole.nullable:
        whole.first |= part.first
    whole.choices += part.choices
    left: list[tuple[int, int]] = []
    for characters, most in whole.repeats:
        if characters & part.first:
            whole.choices.append(most)
        elif part.nullable:
            left.append((characters, most))
    whole.repeats = left + part.repeats
    whole.nullable = whole.nullable and part.nullable
    whole.retries = whole.retries or part.retries or (whole.unbounded and part.may_fail)
    whole.unbounded = whole.unbounded or part.unbounded
    whole.may_fail = whole.may_fail or part.may_fail
    whole.variable = whole.variable or part.variable


def _part(op: Any, value: Any, flags: int) -> _Part:  # noqa: PLR0911 - one for each kind of node
    if op in _REPEATS:
        least, most, inner = value
        return _repeat(least, most, inner, flags)
    if op is names.SUBPATTERN:
        _, added, removed, inner = value
        return _sequence(inner, (flags | added) & ~removed)
    if op is names.BRANCH:
        return _branch([_sequence(each, flags) for each in value[1]])
    if op in {names.ASSERT, names.ASSERT_NOT}:
        inner = _sequence(value[1], flags)
        return _Part(
            _ALL, nullable=True, choices=[*inner.choices, *(most for _, most in inner.repeats)]
        )
    if op is names.AT:
        return _Part(_NEWLINE if value is names.AT_END else 0, nullable=True)
    if op is getattr(names, "ATOMIC_GROUP", None):
        return _sequence(value, flags)
    if op in {names.GROUPREF, names.GROUPREF_EXISTS}:
        what = "it refers back to a group"
        raise _Unbounded(what)
    return _Part(_characters(op, value, flags), nullable=False)


def _repeat(least: int, most: Any, inner: Any, flags: int) -> _Part:
    part = _sequence(inner, flags)
    often = int(most)
    if often <= 1:
        # An optional part is a choice of two.
        fixed = least == often
        choices = [*part.choices, *([] if fixed or not part.variable else [2])]
        own = [] if fixed or part.variable else [(part.first, 2)]
        return _Part(
            part.first,
            part.nullable or not least,
            [*part.repeats, *own],
            choices,
            not fixed or part.variable,
            may_fail=fixed and part.may_fail,
            unbounded=part.unbounded,
            retries=part.retries,
        )
    if part.variable:
        what = "it repeats a part that repeats itself"
        raise _Unbounded(what)
    if part.nullable:
        what = "it repeats a part that may be empty"
        raise _Unbounded(what)
    fixed = least == often
    rest = 0 if often >= _UNBOUNDED else often - least + 1
    return _Part(
        part.first,
        not least,
        [] if fixed else [(part.first, rest)],
        part.choices,
        variable=not fixed,
        may_fail=least > 0,
        unbounded=part.unbounded or often > _MANY,
        retries=part.retries or least > _MANY,
    )


def _branch(parts: list[_Part]) -> _Part:
    seen: int = 0
    overlaps: int = 0
    for part in parts:
        overlaps |= _ALL if part.nullable else seen & part.first
        seen |= part.first
    choices = [most for part in parts for most in part.choices]
    if overlaps:
        choices.append(len(parts))
    return _Part(
        seen,
        any(part.nullable for part in parts),
        [each for part in parts for each in part.repeats],
        choices,
        variable=bool(overlaps) or any(part.variable for part in parts),
        may_fail=all(part.may_fail for part in parts),
        unbounded=any(part.unbounded for part in parts),
        retries=any(part.retries for part in parts),
    )


# --- characters -------------------------------------------------------------------------------


def _characters(op: Any, value: Any, flags: int) -> int:
    if op is names.LITERAL:
        return _cased(_one(value), flags)
    if op is names.NOT_LITERAL:
        return _ALL
    if op is names.IN:
        return _set(value, flags)
    if op is names.ANY and not flags & re.DOTALL:
        return _ALL & ~_NEWLINE
    return _ALL


def _one(code: int) -> int:
    if code < _NARROW:
        return 1 << code
    text = chr(code)
    for sample, wide in ((r"\d", _WIDE_DIGIT), (r"\s", _WIDE_SPACE), (r"\w", _WIDE_WORD)):
        if re.match(sample, text):
            return wide
    return _WIDE_OTHER


def _set(items: Any, flags: int) -> int:
    found = categories = 0
    negated = False
    for op, value in items:
        if op is names.NEGATE:
            negated = True
        elif op is names.LITERAL:
            found |= _one(value)
        elif op is names.RANGE:
            low, high = value
            for code in range(low, min(high + 1, _NARROW)):
                found |= 1 << code
            found |= _WIDE if high >= _NARROW else 0
        else:
            categories |= _category(value)
    found = _cased(found, flags)
    if not negated:
        return found | categories
    # A wide literal leaves out one character of its kind only.
    return _ALL & ~(found & ~_WIDE | categories)


@lru_cache(maxsize=16)
def _category(value: Any) -> int:
    if value in _NEGATIONS:
        return _ALL & ~_category(_NEGATIONS[value])
    pattern, wide = _SAMPLES[value]
    sample = re.compile(pattern)
    return sum(1 << code for code in range(_NARROW) if sample.match(chr(code))) | wide


def _cased(found: int, flags: int) -> int:
    if not flags & re.IGNORECASE:
        return found
    for code in range(_NARROW):
        if found >> code & 1:
            found |= _both(code)
    return found


def _both(code: int) -> int:
    made = 0
    for text in {chr(code).swapcase(), chr(code).upper(), chr(code).lower()}:
        for character in text:
            made |= _one(ord(character))
    return made
