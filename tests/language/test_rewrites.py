"""Beside every rejected workflow stands what to write instead; it compiles, and shows what CPython shows."""

import pytest

from tests.language import rejected, rewritten
from tests.language.discovery import Case, cases, modules, workflows
from tests.support.oracle import run_in_cpython
from tests.support.replaying import MODES, run_in_machine

REWRITES = cases(rewritten)
REJECTED = {
    module.__name__.rpartition(".")[2]: [one.__name__ for one in workflows(module)]
    for module in modules(rejected)
}


@pytest.mark.parametrize("module", REJECTED)
def test_each_rejected_workflow_has_a_rewrite(module: str) -> None:
    written = {
        one.__name__
        for each in modules(rewritten)
        for one in workflows(each)
        if each.__name__.endswith(f".{module}")
    }
    assert [name for name in REJECTED[module] if f"{name}Rewritten" not in written] == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in REWRITES])
def test_a_rewrite_shows_what_cpython_shows(case: Case) -> None:
    expected = run_in_cpython(case.workflow, case.keywords)
    assert expected.ending == "returned"
    for mode in MODES:
        assert run_in_machine(case.workflow, case.keywords, mode=mode) == expected, mode
