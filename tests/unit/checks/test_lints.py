"""What runs and is probably not meant is told with place, reason and rewrite; the texts are kept beside the cases.

``WAYMARK_UPDATE_GOLDEN=1 pytest tests/unit/checks/test_lints.py`` writes them anew.
"""

import os
from pathlib import Path
from types import ModuleType

import pytest

from tests.language.discovery import modules, workflows
from tests.unit.checks import cases
from waymark.checks.lints.rules import TITLES, lint
from waymark.compiler.diagnostics import Diagnostic
from waymark.compiler.pipeline import examine
from waymark.compiler.source import SourceReader

ROOT = Path(__file__).resolve().parents[3]


def warnings(workflow: type) -> list[Diagnostic]:
    reader = SourceReader()
    examined = examine(workflow, reader)
    assert not examined.diagnostics
    return lint(workflow, examined.functions, reader)


def shown(module: ModuleType) -> str:
    parts = []
    for workflow in workflows(module):
        found = sorted(warnings(workflow), key=lambda one: (one.line, one.column))
        parts.append("\n\n".join([f"{workflow.__name__}:", *(str(one) for one in found)]))
    return "\n\n\n".join(parts).replace(f"{ROOT}{os.sep}", "").replace(os.sep, "/") + "\n"


@pytest.mark.parametrize(
    "module", modules(cases), ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_warnings_are_the_kept_ones(module: ModuleType) -> None:
    kept = Path(str(module.__file__)).with_suffix(".txt")
    if os.environ.get("WAYMARK_UPDATE_GOLDEN"):
        kept.write_text(shown(module))
    assert shown(module) == kept.read_text()


def test_every_warning_has_a_case_with_reason_and_rewrite() -> None:
    found = [
        one for module in modules(cases) for each in workflows(module) for one in warnings(each)
    ]
    assert {one.code for one in found} == set(TITLES)
    assert all(one.message and one.recommendation and "^" in one.excerpt for one in found)


@pytest.mark.parametrize("name", ["AwaitedLater", "Fine", "KeepsItsOwn", "Sound"])
def test_what_is_meant_is_not_warned_of(name: str) -> None:
    (found,) = (
        each for module in modules(cases) for each in workflows(module) if each.__name__ == name
    )
    assert warnings(found) == []
