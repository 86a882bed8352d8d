"""Operators: an instruction comes in; a closure with a short way for small plain operands goes out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm import operations
from waymark_worker.vm.linked import Step
from waymark_worker.vm.steps import Place, makes

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]
_WORD = 1 << 62


@makes(ir.Unary)
def _unary(node: ir.Unary, place: Place) -> Step:
    dst, src = node.dst, node.src
    run = operations.unary(node.op)
    if node.op == "not":

        def negate(s: Slots, m: Machine) -> None:
            value = s[src]
            s[dst] = (not value) if value.__class__ is bool else run(value)

        return negate

    def unary(s: Slots, m: Machine) -> None:
        s[dst] = run(s[src])

    return unary


def _add(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def add(s: Slots, m: Machine) -> None:
        a, b = s[left], s[right]
        kind = a.__class__
        if kind is b.__class__ and (kind is int or kind is float):
            s[dst] = a + b
        else:
            s[dst] = run(a, b)

    return add


def _subtract(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def subtract(s: Slots, m: Machine) -> None:
        a, b = s[left], s[right]
        kind = a.__class__
        if kind is b.__class__ and (kind is int or kind is float):
            s[dst] = a - b
        else:
            s[dst] = run(a, b)

    return subtract


def _small(
    host: Callable[[Any, Any], Any],
) -> Callable[[int, int, int, Callable[[Any, Any], Any]], Step]:
    def make(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
        def small(s: Slots, m: Machine) -> None:
            a, b = s[left], s[right]
            if (
                a.__class__ is int
                and b.__class__ is int
                and -_WORD < a < _WORD
                and -_WORD < b < _WORD
            ):
                s[dst] = host(a, b)
            else:
                s[dst] = run(a, b)

        return small

    return make


_SHORT: dict[str, Callable[[int, int, int, Callable[[Any, Any], Any]], Step]] = {
    "+": _add,
    "-": _subtract,
    "*": _small(operator.mul),
    "//": _small(operator.floordiv),
    "%": _small(operator.mod),
}


@makes(ir.Binary)
def _binary(node: ir.Binary, place: Place) -> Step:
    return _two(node, operations.binary(node.op))


@makes(ir.Inplace)
def _inplace(node: ir.Inplace, place: Place) -> Step:
    return _two(node, operations.inplace(node.op))


def _two(node: ir.Binary | ir.Inplace, run: Callable[[Any, Any], Any]) -> Step:
    dst, left, right = node.dst, node.left, node.right
    short = _SHORT.get(node.op)
    if short is not None:
        return short(dst, left, right, run)

    def binary(s: Slots, m: Machine) -> None:
        s[dst] = run(s[left], s[right])

    return binary


def _less(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def less(s: Slots, m: Machine) -> None:
        a, b = s[left], s[right]
        s[dst] = a < b if a.__class__ is int and b.__class__ is int else run(a, b)

    return less


def _greater(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def greater(s: Slots, m: Machine) -> None:
        a, b = s[left], s[right]
        s[dst] = a > b if a.__class__ is int and b.__class__ is int else run(a, b)

    return greater


def _equal(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def equal(s: Slots, m: Machine) -> None:
        a, b = s[left], s[right]
        kind = a.__class__
        s[dst] = a == b if kind is b.__class__ and (kind is int or kind is str) else run(a, b)

    return equal


def _is(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def same(s: Slots, m: Machine) -> None:
        s[dst] = s[left] is s[right]

    return same


def _is_not(dst: int, left: int, right: int, run: Callable[[Any, Any], Any]) -> Step:
    def different(s: Slots, m: Machine) -> None:
        s[dst] = s[left] is not s[right]

    return different


_TESTS: dict[str, Callable[[int, int, int, Callable[[Any, Any], Any]], Step]] = {
    "<": _less,
    ">": _greater,
    "==": _equal,
    "is": _is,
    "is not": _is_not,
}


@makes(ir.Compare)
def _compare(node: ir.Compare, place: Place) -> Step:
    dst, left, right = node.dst, node.left, node.right
    run = operations.compare(node.op)
    short = _TESTS.get(node.op)
    if short is not None:
        return short(dst, left, right, run)

    def compare(s: Slots, m: Machine) -> None:
        s[dst] = run(s[left], s[right])

    return compare
