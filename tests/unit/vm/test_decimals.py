"""Decimal contexts are bounded, stored with what they are, and never the host's own."""

from __future__ import annotations

import decimal
from decimal import Context
from typing import Any

import pytest

from waymark_worker.vm import decimals
from waymark_worker.vm.refusals import LimitExceeded, UnsupportedOperation


@pytest.mark.parametrize(
    "context",
    [
        Context(prec=1_001),
        Context(Emax=1_000_000),
        Context(Emin=-1_000_000),
        Context(prec=decimal.MAX_PREC),
    ],
)
def test_a_context_that_makes_one_operation_too_much_work_is_refused(context: Context) -> None:
    with pytest.raises(LimitExceeded, match="at most"):
        decimals.bounded(context)


@pytest.mark.parametrize(("name", "value"), [("prec", 10**6), ("Emax", 10**9), ("Emin", -(10**9))])
def test_a_context_cannot_grow_past_the_bounds(name: str, value: int) -> None:
    context = Context()
    with pytest.raises(LimitExceeded):
        decimals.set_field(context, name, value)
    assert getattr(context, name) == getattr(Context(), name)


@pytest.mark.parametrize("name", ["flags", "traps", "__class__", "_ignored_flags"])
def test_other_fields_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedOperation, match="WM202"):
        decimals.set_field(Context(), name, {})


def test_a_context_that_tasks_may_share_cannot_be_changed() -> None:
    shared = decimals.Unshared()
    with pytest.raises(UnsupportedOperation, match="localcontext"):
        decimals.set_field(shared, "prec", 5)
    mine: Any = shared.copy()
    decimals.set_field(mine, "prec", 5)
    assert (mine.prec, shared.prec) == (5, 28)


@pytest.mark.parametrize(
    "context",
    [
        Context(),
        decimals.Unshared(),
        Context(prec=5, rounding=decimal.ROUND_UP, Emin=-9, Emax=9, capitals=0, clamp=1),
        Context(traps=[], flags=[decimal.Inexact, decimal.Rounded]),
        Context(traps=[decimal.Inexact]),
    ],
)
def test_stored_and_made_again_it_is_the_same(context: Context) -> None:
    again = decimals.of_parts(*decimals.parts(context))
    assert type(again) is type(context)
    assert repr(again) == repr(context)


def test_a_stored_context_past_the_bounds_is_refused() -> None:
    parts = decimals.parts(Context())
    parts[1] = 10**6
    with pytest.raises(LimitExceeded):
        decimals.of_parts(*parts)
