"""Comparisons of which ``functools.total_ordering`` makes others come in; those others come out.

Each is the function of the same name of ``functools``, which asks the class itself, and not the other operand.
"""

# mypy: ignore-errors

from __future__ import annotations


def _gt_from_lt(self, other):
    found = self.__lt__(other)
    if found is NotImplemented:
        return found
    return not found and self != other


def _le_from_lt(self, other):
    found = self.__lt__(other)
    if found is NotImplemented:
        return found
    return found or self == other


def _ge_from_lt(self, other):
    found = self.__lt__(other)
    if found is NotImplemented:
        return found
    return not found


def _ge_from_le(self, other):
    found = self.__le__(other)
    if found is NotImplemented:
        return found
    return not found or self == other


def _lt_from_le(self, other):
    found = self.__le__(other)
    if found is NotImplemented:
        return found
    return found and self != other


def _gt_from_le(self, other):
    found = self.__le__(other)
    if found is NotImplemented:
        return found
    return not found


def _lt_from_gt(self, other):
    found = self.__gt__(other)
    if found is NotImplemented:
        return found
    return not found and self != other


def _ge_from_gt(self, other):
    found = self.__gt__(other)
    if found is NotImplemented:
        return found
    return found or self == other


def _le_from_gt(self, other):
    found = self.__gt__(other)
    if found is NotImplemented:
        return found
    return not found


def _le_from_ge(self, other):
    found = self.__ge__(other)
    if found is NotImplemented:
        return found
    return not found or self == other


def _gt_from_ge(self, other):
    found = self.__ge__(other)
    if found is NotImplemented:
        return found
    return found and self != other


def _lt_from_ge(self, other):
    found = self.__ge__(other)
    if found is NotImplemented:
        return found
    return not found
