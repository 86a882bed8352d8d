"""Every case shows the same in CPython, in the machine, and in a machine recovered after every step."""

import pytest

from tests.language import cases
from tests.language.discovery import Case
from tests.language.discovery import cases as all_cases
from tests.support.oracle import run_in_cpython
from tests.support.replaying import MODES, PLAIN, run_in_machine

CASES = [pytest.param(case, id=case.name) for case in all_cases(cases)]


def test_there_are_cases() -> None:
    assert len(CASES) > 250


@pytest.mark.parametrize("case", CASES)
def test_case_shows_what_cpython_shows(case: Case) -> None:
    expected = run_in_cpython(case.workflow, case.keywords)
    assert expected.ending in {"returned", "raised", "cancelled"}
    for mode in MODES:
        assert run_in_machine(case.workflow, case.keywords, mode=mode) == expected, mode


@pytest.mark.parametrize("case", CASES)
def test_case_shows_what_cpython_shows_whatever_returns_first(case: Case) -> None:
    for seed in (1, 2, 3):
        shown = run_in_machine(case.workflow, case.keywords, mode=PLAIN, seed=seed)
        assert shown == run_in_cpython(case.workflow, case.keywords, seed=seed), seed
