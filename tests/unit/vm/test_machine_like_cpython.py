"""Order, errors and cancellation are CPython's, also after a recovery at every point."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.unit.vm.parking import on_cpython, on_machine

# By name: a type checker has nothing to say about workflows that are wrong on purpose.
SCHEDULING = import_module("tests.unit.vm.cases.scheduling")
EXECUTION = import_module("tests.unit.vm.cases.execution")
CRASHES = ["", "snapshot", "replay"]


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("case", SCHEDULING.CASES, ids=lambda case: case.__name__)
def test_the_machine_ends_as_cpython_does(case: Any, crash: str) -> None:
    outcomes = SCHEDULING.OUTCOMES
    assert on_machine(case, {}, outcomes, crash=crash) == on_cpython(case, {}, outcomes)


@pytest.mark.parametrize("cancel_after", range(6))
@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("case", SCHEDULING.CASES, ids=lambda case: case.__name__)
def test_cancelling_at_any_point_is_as_in_cpython(case: Any, crash: str, cancel_after: int) -> None:
    expected = on_cpython(case, {}, SCHEDULING.OUTCOMES, cancel_after)
    assert on_machine(case, {}, SCHEDULING.OUTCOMES, cancel_after, crash=crash) == expected


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("case", SCHEDULING.CASES, ids=lambda case: case.__name__)
def test_outcomes_in_any_order_end_as_in_cpython(case: Any, seed: int) -> None:
    for cancel_after in (-1, 2, 4):
        expected = on_cpython(case, {}, SCHEDULING.OUTCOMES, cancel_after, seed=seed)
        crash = CRASHES[seed % 3]
        actual = on_machine(case, {}, SCHEDULING.OUTCOMES, cancel_after, crash=crash, seed=seed)
        assert actual == expected


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("case", EXECUTION.CASES, ids=lambda case: case.__name__)
def test_calls_iterators_errors_and_objects_are_cpythons(case: Any, crash: str) -> None:
    expected = on_cpython(case, {}, EXECUTION.OUTCOMES)
    actual = on_machine(case, {}, EXECUTION.OUTCOMES, crash=crash)
    # In words: the machine's objects are of classes of their own, which are equal to no other.
    assert repr(actual) == repr(expected)
