"""A limit or an unsupported operation ends the instance at once; its own handlers never see it."""

import time

import pytest

from tests.language import ending
from tests.language.discovery import Case, cases
from tests.support.replaying import SNAPSHOTS, Runner

CASES = [pytest.param(case, id=case.name) for case in cases(ending)]
UNSUPPORTED = {
    "FormatAddress",
    "TextOfAnAddress",
    "FormatTemplate",
    "OddEncoding",
    "MachineTimeZone",
    "ReadsATraceback",
    "ManagerAsADecorator",
    "DelegatingManagerFunction",
    "SharedContextOfAChild",
    "AsyncGeneratorLeftEarly",
    "AsyncGeneratorForgotten",
    "OpaqueInsideAnOperator",
    "DataclassExceptionsCompared",
    "OpaqueInADroppedGenerator",
    "AssignmentThatValidates",
    "TextOfComputedFields",
    "MethodOfAFailureThatIsRefused",
    "HashOfTheHost",
    "CachedPropertyAmongFields",
    "TextOfAChangedFailure",
    "TextOfAnInputThatDoesNotFit",
    "FieldsThatHoldATaskAsADict",
}


BUDGET = 300_000
"""Small, so that a machine gives up soon; what a step may really do takes seconds."""


@pytest.mark.parametrize("case", CASES)
def test_instance_ends_and_no_handler_runs(case: Case) -> None:
    runner = Runner(case.workflow, case.keywords, mode=SNAPSHOTS, budget=BUDGET)
    began = time.perf_counter()
    shown = runner.run()
    assert time.perf_counter() - began < 20
    assert shown.ending == "ended", shown
    assert "note" not in [name for name, _ in shown.trace]
    unsupported = case.workflow.__name__ in UNSUPPORTED
    assert ("WM2" in shown.value["text"]) == unsupported, shown.value
