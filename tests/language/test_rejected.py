"""What cannot run like CPython is refused with place, reason and rewrite; the texts are kept beside the modules.

``WAYMARK_UPDATE_GOLDEN=1 pytest tests/language/test_rejected.py`` writes them anew.
"""

import os
from pathlib import Path
from types import ModuleType

import pytest

from tests.language import rejected
from tests.language.discovery import modules, workflows
from waymark import UnsupportedPatternError, Workflow
from waymark.compiler.diagnostics import Diagnostic
from waymark.compiler.pipeline import compile_workflow

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = [
    pytest.param(workflow, id=workflow.__name__)
    for module in modules(rejected)
    for workflow in workflows(module)
]


def refused(workflow: type[Workflow]) -> UnsupportedPatternError:
    with pytest.raises(UnsupportedPatternError) as caught:
        compile_workflow(workflow)
    return caught.value


def diagnosed(workflow: type[Workflow]) -> list[Diagnostic]:
    found = refused(workflow).diagnostics
    return [one for one in found if isinstance(one, Diagnostic)]


def shown(module: ModuleType) -> str:
    texts = [str(refused(workflow)) for workflow in workflows(module)]
    return "\n\n\n".join(texts).replace(f"{ROOT}{os.sep}", "").replace(os.sep, "/") + "\n"


@pytest.mark.parametrize(
    "module", modules(rejected), ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_diagnostics_are_the_kept_ones(module: ModuleType) -> None:
    kept = Path(str(module.__file__)).with_suffix(".txt")
    if os.environ.get("WAYMARK_UPDATE_GOLDEN"):
        kept.write_text(shown(module))
    assert shown(module) == kept.read_text()


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_diagnostic_has_code_place_reason_and_rewrite(workflow: type[Workflow]) -> None:
    error, found = refused(workflow), diagnosed(workflow)
    assert found
    for one in found:
        assert one.code.startswith("WM1")
        assert one.message
        assert one.recommendation, one
        assert "^" in one.excerpt
        assert one.end_column > one.column or one.span.end_line > one.span.line
    first = found[0]
    assert (error.line, error.col, error.recommendation) == (
        first.line,
        first.column,
        first.recommendation,
    )
    assert error.filename == first.filename


def test_all_problems_of_a_class_are_reported_at_once() -> None:
    (several,) = (
        workflow
        for module in modules(rejected)
        for workflow in workflows(module)
        if workflow.__name__ == "SeveralProblems"
    )
    codes = {one.code for one in diagnosed(several)}
    assert len(codes) >= 3
