"""The name of a function of ``math``, ``statistics`` or ``operator`` comes in; one that bounds its work goes out."""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from waymark_schema.ir import library
from waymark_worker.vm.arithmetic import BINARY, INPLACE, UNARY, bits_of, multiply
from waymark_worker.vm.comparing import COMPARE
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.iteration import hostable, items, prepare
from waymark_worker.vm.meter import METER, charge_digits, check_bits, check_items
from waymark_worker.vm.method_costs import check_decimal
from waymark_worker.vm.subscripts import del_item, get_item, set_item
from waymark_worker.vm.weights import weigh

Args = list[Any]
Keywords = dict[str, Any]
Cost = Callable[..., None]

_BIG = 512
"""Bits below which an integer is not worth charging for."""


def _numbers(*args: Any, **_keywords: Any) -> None:
    """Charge for what grows with the size of integers."""
    for arg in args:
        if isinstance(arg, int):
            bits = arg.bit_length()
            if bits > _BIG:
                charge_digits(bits, bits)
        elif isinstance(arg, Decimal):
            check_decimal(arg, "this function of a Decimal")


def _factorial(*args: Any) -> None:
    if len(args) == 1 and isinstance(args[0], int) and args[0] > 1:
        size = args[0] * args[0].bit_length()
        check_bits(size, "factorial()")
        charge_digits(size, size)


def _chosen(*args: Any) -> None:
    """``comb`` and ``perm``: a product of k factors as large as n."""
    n = args[0] if args else None
    k = args[1] if len(args) > 1 and args[1] is not None else n
    if isinstance(n, int) and isinstance(k, int) and 0 < k <= n:
        if n - k < k and len(args) > 1:
            k = max(n - k, 1) if n > _BIG else k
        size = k * n.bit_length()
        check_bits(size, "a product of this many factors")
        charge_digits(size, size)


def _perm(*args: Any) -> None:
    n = args[0] if args else None
    k = args[1] if len(args) > 1 and args[1] is not None else n
    if isinstance(n, int) and isinstance(k, int) and 0 < k <= n:
        size = k * n.bit_length()
        check_bits(size, "perm()")
        charge_digits(size, size)


def _common(*args: Any) -> None:
    total = sum(bits_of(arg) for arg in args)
    check_bits(total, "a common multiple")
    charge_digits(total, total)


_COSTS: dict[str, Cost] = {
    "factorial": _factorial,
    "comb": _chosen,
    "perm": _perm,
    "gcd": _common,
    "lcm": _common,
}
_OF_ITEMS = frozenset({"fsum", "dist", "sumprod"})


def _math(name: str) -> Implementation:
    function: Callable[..., Any] = getattr(math, name)
    cost = _COSTS.get(name, _numbers)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        cost(*args)
        return function(*args, **keywords)

    def run_on_items(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        prepare(*args)
        return function(*[_sequence(arg) for arg in args], **keywords)

    return run_on_items if name in _OF_ITEMS else run


def _sequence(value: Any) -> Any:
    found = hostable(value)
    if isinstance(found, list | tuple):
        _numbers(*found)
    return found if found is value else map(_charged_number, found)


def _charged_number(value: Any) -> Any:
    _numbers(value)
    return value


def _prod(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if len(args) != 1 or not keywords.keys() <= {"start"}:
        return math.prod(*args, **keywords)
    product = keywords.get("start", 1)
    for item in items(args[0]):
        product = multiply(product, item)
    return product


_EXACT = (int, Fraction, Decimal)


_OF_SEQUENCES = frozenset({"covariance", "correlation"})


def _statistic(name: str) -> Implementation:
    """Statistics of exact numbers are exact: their cost is that of fractions."""
    function: Callable[..., Any] = getattr(statistics, name)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if name == "quantiles" and isinstance(keywords.get("n"), int):
            check_items(keywords["n"], "quantiles()")
        if name in _OF_SEQUENCES and not all(hasattr(type(arg), "__len__") for arg in args):
            return function(*args, **keywords)  # raises CPython's TypeError
        prepare(*keywords.values(), *args)
        named = {key: _charged_sample(arg) for key, arg in keywords.items()}
        if name == "fmean" and len(args) > 1:  # it takes the weights first
            args = [args[0], _charged_sample(args[1]), *args[2:]]
        return function(*map(_charged_sample, args), **named)

    return run


def _charged_sample(value: Any) -> Any:
    if not hasattr(type(value), "__iter__") or isinstance(value, str | bytes):
        return value
    found = value if type(value) is list else list(items(value))
    METER.charge(len(found) * max(len(found).bit_length(), 8))
    widest = 0
    for item in found:
        if isinstance(item, Decimal):
            check_decimal(item, "a statistic of Decimals")
        if isinstance(item, _EXACT):
            widest = max(widest, bits_of(item))
        elif not isinstance(item, float):
            weigh(item)
    if widest > _BIG:
        check_bits(widest * 4, "a statistic of these numbers")
        for _ in found:
            charge_digits(widest, widest)
    return found


# --- operator ---------------------------------------------------------------------------------


def _of_two(function: Callable[[Any, Any], Any], host: Callable[..., Any]) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if len(args) != 2 or keywords:  # noqa: PLR2004 - two operands
            return host(*args, **keywords)  # raises CPython's TypeError
        return function(args[0], args[1])

    return run


def _of_one(function: Callable[[Any], Any], host: Callable[..., Any]) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if len(args) != 1 or keywords:
            return host(*args, **keywords)  # raises CPython's TypeError
        return function(args[0])

    return run


def _set_item(_ctx: Any, args: Args, keywords: Keywords) -> None:
    if len(args) != 3 or keywords:  # noqa: PLR2004 - container, key, value
        operator.setitem(*args, **keywords)
    set_item(*args)


def _contains(container: Any, item: Any) -> Any:
    return COMPARE["in"](item, container)


def _count_of(container: Any, item: Any) -> int:
    return operator.countOf(items(container), item)


def _index_of(container: Any, item: Any) -> int:
    return operator.indexOf(items(container), item)


_SYMBOLS = {
    "add": "+", "and_": "&", "floordiv": "//", "lshift": "<<", "matmul": "@", "mod": "%", "mul": "*",
    "or_": "|", "pow": "**", "rshift": ">>", "sub": "-", "truediv": "/", "xor": "^",
}  # fmt: skip
_COMPARED = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "is_": "is",
    "is_not": "is not",
}
_ONE = {"neg": "-", "pos": "+", "inv": "~", "invert": "~", "not_": "not"}
_TWO: dict[str, Callable[[Any, Any], Any]] = {
    **{name: BINARY[symbol] for name, symbol in _SYMBOLS.items()},
    **{f"i{name.rstrip('_')}": INPLACE[symbol] for name, symbol in _SYMBOLS.items()},
    **{name: COMPARE[symbol] for name, symbol in _COMPARED.items()},
    "getitem": get_item,
    "delitem": del_item,
    "contains": _contains,
    "countOf": _count_of,
    "indexOf": _index_of,
}


def _operator(name: str) -> Implementation:
    host: Callable[..., Any] = getattr(operator, name)
    if name == "setitem":
        return _set_item
    if name in _TWO:
        return _of_two(_TWO[name], host)
    if name in _ONE:
        return _of_one(UNARY[_ONE[name]], host)
    if name in {"concat", "iconcat"}:
        return _of_two(_concatenated(name, host), host)
    return _of_one(host, host)  # abs, index, truth, length_hint: of one value, by the host


def _concatenated(name: str, host: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    function = _TWO["iadd" if name == "iconcat" else "add"]

    def concatenate(left: Any, right: Any) -> Any:
        return function(left, right) if hasattr(left, "__getitem__") else host(left, right)

    return concatenate


MATHEMATICS: dict[str, Implementation] = {
    **{name: _math(name[5:]) for name in library.MATH if hasattr(math, name[5:])},
    "math.prod": _prod,
    **{name: _statistic(name[11:]) for name in library.STATISTICS},
    **{name: _operator(name[9:]) for name in library.OPERATORS},
}
