"""One or two operands come in; the result of a unary, binary or in-place operator goes out."""

from __future__ import annotations

import operator
from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from waymark_worker.vm.formatting import percent
from waymark_worker.vm.iteration import items
from waymark_worker.vm.meter import (
    METER,
    charge_digits,
    check_bits,
    check_items,
    check_text,
)
from waymark_worker.vm.names import has
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet

Operator = Callable[[Any, Any], Any]

_TEXTS: frozenset[type] = frozenset({str, bytes, bytearray})
_LISTS: frozenset[type] = frozenset({list, tuple, deque})
_SETS: frozenset[type] = frozenset({OrderedSet, OrderedFrozenset, Counter, dict})
_FLOAT_BITS = 64


def bits_of(value: Any) -> int:
    """Give the size of a number as the costs of arithmetic count it."""
    if isinstance(value, int):
        return value.bit_length()
    if isinstance(value, Fraction):
        return value.numerator.bit_length() + value.denominator.bit_length()
    return _FLOAT_BITS


def _is_big(left: Any, right: Any) -> bool:
    return isinstance(left, int | Fraction) and isinstance(right, int | Fraction)


def _sized_add(left: Any, right: Any) -> None:
    kind = type(left)
    if kind in _TEXTS and type(right) in _TEXTS:
        check_text(len(left) + len(right), "the result of +")
    elif isinstance(left, list | tuple | deque) and isinstance(right, list | tuple | deque):
        check_items((len(left) + len(right)) >> 1, "the result of +")
    elif kind is Fraction or type(right) is Fraction:
        _sized_fraction(left, right)
    elif kind is Counter and type(right) is Counter:
        METER.charge(len(left) + len(right))


def _sized_fraction(left: Any, right: Any) -> None:
    if _is_big(left, right):
        check_bits(bits_of(left) + bits_of(right), "the result")
        charge_digits(bits_of(left) + bits_of(right), bits_of(left) + bits_of(right))


def add(left: Any, right: Any) -> Any:
    """Give ``left + right``."""
    kind = type(left)
    if kind is not int and kind is not float:
        _sized_add(left, right)
    return left + right


def subtract(left: Any, right: Any) -> Any:
    """Give ``left - right``."""
    kind = type(left)
    if kind is not int and kind is not float:
        _sized_sets(left, right)
    return left - right


def _is_sized(value: Any) -> bool:
    """Whether the host counts what is in a value: a class has no items, and a ``__len__`` of the program's own is not asked."""
    own = isinstance(value, type) or has(type(value), "__len__")
    return hasattr(value, "__len__") and not own


def _sized_sets(left: Any, right: Any) -> None:
    if type(left) is Fraction or type(right) is Fraction:
        _sized_fraction(left, right)
    elif _is_sized(left) and _is_sized(right):
        METER.charge(len(left) + len(right))


def _sized_repeat(sequence: Any, count: int) -> None:
    size = len(sequence) * max(count, 0)
    if type(sequence) in _TEXTS:
        check_text(size, "the result of *")
    else:
        check_items(size, "the result of *")


def _sized_multiply(left: Any, right: Any) -> None:
    if isinstance(right, int) and isinstance(left, str | bytes | bytearray | list | tuple | deque):
        _sized_repeat(left, right)
    elif isinstance(left, int) and isinstance(
        right, str | bytes | bytearray | list | tuple | deque
    ):
        _sized_repeat(right, left)
    elif _is_big(left, right):
        size = bits_of(left) + bits_of(right)
        if size > 512:  # noqa: PLR2004 - below it no product is worth charging for
            check_bits(size, "the result of *")
            charge_digits(bits_of(left), bits_of(right))


def multiply(left: Any, right: Any) -> Any:
    """Give ``left * right``."""
    if type(left) is not float:
        _sized_multiply(left, right)
    return left * right


def divide(left: Any, right: Any) -> Any:
    """Give ``left / right``."""
    if type(left) is not float:
        _sized_division(left, right)
    return left / right


def _sized_division(left: Any, right: Any) -> None:
    if _is_big(left, right):
        charge_digits(bits_of(left), bits_of(right))
        if type(left) is Fraction or type(right) is Fraction:
            _sized_fraction(left, right)


def floor_divide(left: Any, right: Any) -> Any:
    """Give ``left // right``."""
    if type(left) is not float:
        _sized_division(left, right)
    return left // right


def modulo(left: Any, right: Any) -> Any:
    """Give ``left % right``, text formatting included."""
    kind = type(left)
    if kind in _TEXTS:
        return percent(left, right)
    if kind is not float:
        _sized_division(left, right)
    return left % right


def power(left: Any, right: Any) -> Any:
    """Give ``left ** right``."""
    if isinstance(right, int) and isinstance(left, int | Fraction) and abs(right) > 1:
        _sized_power(left, right)
    return left**right


def _sized_power(left: Any, right: int) -> None:
    exact = isinstance(left, Fraction) or right > 0
    if not exact or (isinstance(left, int) and -1 <= left <= 1):
        return
    size = (bits_of(left) - (0 if isinstance(left, Fraction) else 1)) * abs(right) + 1
    check_bits(size, "the result of **")
    charge_digits(size, size)


def shift_left(left: Any, right: Any) -> Any:
    """Give ``left << right``."""
    if isinstance(left, int) and isinstance(right, int) and left and right > 0:
        check_bits(left.bit_length() + right, "the result of <<")
    return left << right


def _on_sets(host: Operator) -> Operator:
    def combine(left: Any, right: Any) -> Any:
        if not isinstance(left, int):
            _sized_sets(left, right)
        return host(left, right)

    return combine


def _unary_minus(value: Any) -> Any:
    return -value


def _unary_plus(value: Any) -> Any:
    return +value


UNARY: dict[str, Callable[[Any], Any]] = {
    "not": operator.not_,
    "-": _unary_minus,
    "+": _unary_plus,
    "~": operator.invert,
}

BINARY: dict[str, Operator] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "//": floor_divide,
    "%": modulo,
    "**": power,
    "@": operator.matmul,
    "<<": shift_left,
    ">>": operator.rshift,
    "&": _on_sets(operator.and_),
    "|": _on_sets(operator.or_),
    "^": _on_sets(operator.xor),
}

_IMMUTABLE: frozenset[type] = frozenset(
    {int, float, bool, str, bytes, tuple, type(None), Decimal, Fraction, OrderedFrozenset}
)


def _inplace_add(left: Any, right: Any) -> Any:
    if type(left) in _IMMUTABLE:
        return _again("+=", "+", add, left, right)
    if type(left) in {list, deque, bytearray}:
        if type(left) is not bytearray:
            if right is left:
                check_items(2 * len(left), "the result of +=")
                right = list(left)
            else:
                right = items(right)
            left.extend(right)
            return left
        check_text(len(left) + len(right), "the result of +=")
    else:
        _sized_add(left, right)
    left += right
    return left


def _inplace_multiply(left: Any, right: Any) -> Any:
    _sized_multiply(left, right)
    left *= right
    return left


def _again(symbol: str, plain: str, function: Operator, left: Any, right: Any) -> Any:
    """Do ``left op= right`` where it is ``left op right``, with the symbol that CPython's message names."""
    try:
        return function(left, right)
    except TypeError as error:
        raised = error
    # Outside the handler: the new error must not have the other one as its context.
    message = str(raised)
    start = f"unsupported operand type(s) for {plain}: "
    if message.startswith(start):
        raised = TypeError(
            f"unsupported operand type(s) for {symbol}: {message.removeprefix(start)}"
        )
    raise raised


def _plain_inplace(symbol: str, function: Operator, host: Operator) -> Operator:
    def update(left: Any, right: Any) -> Any:
        if type(left) in _IMMUTABLE:
            return _again(symbol, symbol[:-1], function, left, right)
        if not isinstance(left, int):
            _sized_sets(left, right)
        return host(left, right)

    return update


def _inplace_power(left: Any, right: Any) -> Any:
    return _again("**=", "** or pow()", power, left, right)


INPLACE: dict[str, Operator] = {
    "+": _inplace_add,
    "-": _plain_inplace("-=", subtract, operator.isub),
    "*": _inplace_multiply,
    "/": _plain_inplace("/=", divide, operator.itruediv),
    "//": _plain_inplace("//=", floor_divide, operator.ifloordiv),
    "%": _plain_inplace("%=", modulo, operator.imod),
    "**": _inplace_power,
    "@": operator.imatmul,
    "<<": _plain_inplace("<<=", shift_left, operator.ilshift),
    ">>": _plain_inplace(">>=", operator.rshift, operator.irshift),
    "&": _plain_inplace("&=", BINARY["&"], operator.iand),
    "|": _plain_inplace("|=", BINARY["|"], operator.ior),
    "^": _plain_inplace("^=", BINARY["^"], operator.ixor),
}
