"""A template or a spec and values come in; formatted text, its size bounded beforehand, goes out."""

from __future__ import annotations

import re
from _string import (  # type: ignore[import-not-found] # what str.format and string.Formatter parse with
    formatter_field_name_split,
    formatter_parser,
)
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from waymark_worker.vm.meter import check_text
from waymark_worker.vm.names import RECORDS, has
from waymark_worker.vm.refusals import LimitExceeded
from waymark_worker.vm.weights import weigh

_SPEC = re.compile(
    r"(?:.?[<>=^])?[-+ ]?z?\#?0?(?P<width>\d+)?[,_]?(?:\.(?P<precision>\d+))?[a-zA-Z%]?", re.DOTALL
)
_PERCENT = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?[hlL]*(?P<type>.)?",
    re.DOTALL,
)
_LONG_DIGITS = 12
"""A width of more digits than this is past every bound, whatever it is exactly."""
_MAX_CLOCK_FORMAT = 4096
"""Characters of a strftime format: the host may expand each into 256."""
_MAX_DEPTH = 2


def number_in(text: str | None) -> int:
    """Read a width or precision, without converting what is absurdly long."""
    if not text:
        return 0
    return int(text) if len(text) <= _LONG_DIGITS else 10**_LONG_DIGITS


def check_showable(value: Any, *specials: str) -> None:
    """Bound the text of ``value`` before it is made, and refuse what shows an address.

    ``specials``: what makes the text if the class of ``value`` defines it.
    """
    kind = type(value)
    if any(has(kind, name) for name in specials):
        return  # compiled code, with a meter of its own
    size = weigh(value, shown=True)
    check_text(size, "the text of a value")


def show(value: Any) -> str:
    """Give ``str(value)``."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return] # its type says so
    if kind is not int and kind is not float:
        check_showable(value, "__str__")
        if kind is Decimal:
            return str(value)
    return str(value)


def represent(value: Any) -> str:
    """Give ``repr(value)``."""
    check_showable(value)
    return repr(value)


def represent_ascii(value: Any) -> str:
    """Give ``ascii(value)``."""
    check_showable(value)
    return ascii(value)


CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": represent, "s": show, "a": represent_ascii}


def _natural_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Decimal) and value.is_finite():
        digits, exponent = len(value.as_tuple().digits), value.as_tuple().exponent
        return digits + abs(int(exponent))
    if isinstance(value, Fraction):
        return (value.numerator.bit_length() + value.denominator.bit_length()) // 3
    if isinstance(value, int):
        return value.bit_length()
    return 400


def format_value(value: Any, spec: str = "") -> str:
    """Give ``format(value, spec)``."""
    if not spec:
        kind = type(value)
        if kind is not int and kind is not float and kind is not str:
            check_showable(value, "__format__", "__str__")
        return format(value)  # its class may define what that is
    if isinstance(value, date | time):
        if len(spec) > _MAX_CLOCK_FORMAT:
            msg = (
                f"a time format of {len(spec)} characters; at most {_MAX_CLOCK_FORMAT} are allowed"
            )
            raise LimitExceeded(msg)
        return format(value, spec)
    sizes = _SPEC.fullmatch(spec)
    if sizes is not None:
        width, precision = number_in(sizes["width"]), number_in(sizes["precision"])
        shown = 0 if isinstance(value, str) else precision
        check_text(max(width, shown) + 2 * _natural_size(value), "formatted text")
    elif len(spec) > _MAX_CLOCK_FORMAT:
        msg = f"a format spec of {len(spec)} characters; at most {_MAX_CLOCK_FORMAT} are allowed"
        raise LimitExceeded(msg)
    if type(value) in RECORDS:
        check_showable(value)
    return format(value, spec)


def format_field(value: Any, conversion: str, spec: str = "") -> str:
    """Do one replacement field of an f-string: ``conversion`` is ``""``, ``"r"``, ``"s"`` or ``"a"``."""
    if conversion:
        value = CONVERSIONS[conversion](value)
    if not spec and type(value) is str:
        return value
    return format_value(value, spec)


def join_parts(parts: list[str]) -> str:
    """Join the parts of an f-string."""
    check_text(sum(map(len, parts)), "the f-string")
    return "".join(parts)


# --- str.format -----------------------------------------------------------------------------

Reader = Callable[[Any, Any], Any]


class Template:
    """One ``str.format`` call: fields are read through the machine's own attribute and item access."""

    get_attr: Reader
    get_item: Reader

    def __init__(self, args: tuple[Any, ...], keywords: Any) -> None:
        self.args = args
        self.keywords = keywords
        self.next_index: int | None = None
        """Next automatic number; -1 after a field numbered by hand; None before the first field."""

    def render(self, template: str, depth: int = _MAX_DEPTH) -> str:
        """Fill ``template``."""
        if depth < 1:
            msg = "Max string recursion exceeded"
            raise ValueError(msg)
        parts: list[str] = []
        size = 0
        for literal, field, spec, conversion in formatter_parser(template):
            parts.append(literal)
            if field is not None:
                parts.append(self._field(field, spec or "", conversion, depth))
                size += len(parts[-1])
            size += len(literal)
            check_text(size, "the result of str.format")
        return "".join(parts)

    def _field(self, field: str, spec: str, conversion: str | None, depth: int) -> str:
        value = self._value(field)
        if conversion:
            if conversion not in CONVERSIONS:
                msg = f"Unknown conversion specifier {conversion!s}"
                raise ValueError(msg)
            value = CONVERSIONS[conversion](value)
        if "{" in spec or "}" in spec:
            spec = self.render(spec, depth - 1)
        return format_value(value, spec)

    def _value(self, field: str) -> Any:
        first, rest = formatter_field_name_split(field)
        value = self._first(first)
        for is_attribute, name in rest:
            value = (
                Template.get_attr(value, name) if is_attribute else Template.get_item(value, name)
            )
        return value

    def _first(self, first: int | str) -> Any:
        if first == "":
            first = self._automatic()
        elif isinstance(first, int):
            self._by_hand()
        if isinstance(first, int):
            if first >= len(self.args):
                msg = f"Replacement index {first} out of range for positional args tuple"
                raise IndexError(msg)
            return self.args[first]
        return Template.get_item(self.keywords, first)

    def _automatic(self) -> int:
        if self.next_index == -1:
            msg = "cannot switch from manual field specification to automatic field numbering"
            raise ValueError(msg)
        index = self.next_index or 0
        self.next_index = index + 1
        return index

    def _by_hand(self) -> None:
        if self.next_index is not None and self.next_index >= 0:
            msg = "cannot switch from automatic field numbering to manual field specification"
            raise ValueError(msg)
        self.next_index = -1


def use(get_attr: Reader, get_item: Reader) -> None:
    """Give templates the machine's attribute and item access, which in turn know of ``str.format``."""
    Template.get_attr = staticmethod(get_attr)
    Template.get_item = staticmethod(get_item)


def fill(template: str, *args: Any, **keywords: Any) -> str:
    """Give ``template.format(*args, **keywords)``."""
    return Template(args, keywords).render(template)


def fill_from(template: str, *args: Any) -> str:
    """Give ``template.format_map(mapping)``."""
    if len(args) != 1:
        return template.format_map(*args)
    return Template((), args[0]).render(template)


# --- % --------------------------------------------------------------------------------------


def percent(template: Any, values: Any) -> Any:
    """Give ``template % values`` for text and byte strings."""
    pattern = template if isinstance(template, str) else bytes(template).decode("latin-1")
    given = list(values) if isinstance(values, tuple) else [values]
    weighed = [weigh(value, shown=True) for value in given]
    size = len(pattern)
    largest = max((abs(value) for value in given if isinstance(value, int)), default=0)
    for found in _PERCENT.finditer(pattern):
        for name in ("width", "precision"):
            size += largest if found[name] == "*" else number_in(found[name])
        size += weighed[0] if isinstance(values, Mapping) else 0
    check_text(
        size + sum(weighed) + sum(_natural_size(value) for value in given), "the result of %"
    )
    return template % values
