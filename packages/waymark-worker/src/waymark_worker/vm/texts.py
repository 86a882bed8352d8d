"""The name of a function over texts comes in; one that bounds what it makes goes out."""

from __future__ import annotations

import base64
import binascii
import html
import posixpath
import shlex
import string
import textwrap
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any

from waymark_schema.ir import library
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.iteration import listed
from waymark_worker.vm.meter import METER, check_text
from waymark_worker.vm.names import RECORDS, type_name
from waymark_worker.vm.weights import weigh

Args = list[Any]
Keywords = dict[str, Any]

_MODULES: dict[str, Any] = {
    module.__name__: module
    for module in (base64, binascii, html, posixpath, shlex, string, textwrap, urllib.parse, zlib)
}
_GROWTH = {
    "urllib.parse.quote": 12,
    "urllib.parse.quote_plus": 12,
    "urllib.parse.quote_from_bytes": 3,
    "urllib.parse.urlencode": 12,
    "html.escape": 6,
    "shlex.quote": 5,
    "shlex.join": 6,
}
"""How many times as long as its arguments a result may be, where that is more than twice."""
_INDENTING = frozenset({"textwrap.indent", "textwrap.fill", "textwrap.wrap", "textwrap.shorten"})
_TEXT = (str, bytes, bytearray)
_STEPS = 3
"""Binary logarithm of the characters that such a function gets through in a unit."""


def _size(value: Any) -> int:
    if isinstance(value, _TEXT):
        return len(value)
    return 0 if isinstance(value, int | float | None) else weigh(value)


def _indented(args: Args, keywords: Keywords) -> None:
    """Each line gets a prefix: as many lines as there are characters, in the worst case."""
    given = (*args, *keywords.values())
    texts = sorted((arg for arg in given if isinstance(arg, str)), key=len)
    if texts:
        lines = 1 + sum(text.count("\n") + text.count("\r") for text in texts)
        added = sum(len(text) for text in texts[:-1])
        check_text(len(texts[-1]) * 2 + added * max(lines, len(texts[-1]) >> 1), "the result")
        METER.charge(len(texts[-1]))


def _text(name: str) -> Implementation:
    module, _, own = name.rpartition(".")
    function: Callable[..., Any] = getattr(_MODULES[module], own)
    growth = _GROWTH.get(name, 2)
    indenting = name in _INDENTING

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        given = [_plain(arg) for arg in args]
        named = {key: _plain(value) for key, value in keywords.items()}
        if indenting:
            _indented(given, named)
        size = sum(map(_size, given)) + sum(map(_size, named.values()))
        METER.charge(size >> _STEPS)
        check_text(size * growth, f"the result of {own}()")
        return function(*given, **named)

    return run


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in RECORDS and not hasattr(kind, "__iter__"):
        # The host would look for an attribute and name a class of the machine.
        msg = f"expected a text or a number, got {type_name(value)!r}"
        raise TypeError(msg)
    return value if isinstance(value, dict | list | tuple | str | bytes) else listed(value)


TEXTS: dict[str, Implementation] = {name: _text(name) for name in library.TEXTS}
