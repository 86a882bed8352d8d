"""Order, errors and cancellation are CPython's, also after a recovery at every point."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.vm.parking import on_cpython, on_machine
from tests.unit.vm.scheduling_cases import CASES, OUTCOMES

CRASHES = ["", "snapshot", "replay"]


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_machine_ends_as_cpython_does(case: Any, crash: str) -> None:
    assert on_machine(case, {}, OUTCOMES, crash=crash) == on_cpython(case, {}, OUTCOMES)


@pytest.mark.parametrize("cancel_after", range(6))
@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_cancelling_at_any_point_is_as_in_cpython(case: Any, crash: str, cancel_after: int) -> None:
    expected = on_cpython(case, {}, OUTCOMES, cancel_after)
    assert on_machine(case, {}, OUTCOMES, cancel_after, crash=crash) == expected
