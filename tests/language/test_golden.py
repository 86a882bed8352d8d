"""Texts of chosen programs and the digests of all: the same on every Python, from anywhere, however laid out.

``WAYMARK_UPDATE_GOLDEN=1 pytest tests/language/test_golden.py`` writes them anew: the difference is what a change
of the compiler does to programs.
"""

import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.language import cases
from tests.language.discovery import modules, workflows
from tests.support.compiling import imported
from tests.support.history import CHOSEN
from waymark import Workflow, workflow_registry
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.text import text

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
DIGESTS = GOLDEN / "digests.json"
_LATER = {
    f"{module.__name__.rpartition('.')[2]}-{name}"
    for module in modules(cases)
    for name, since in getattr(module, "SINCE", {}).items()
    if sys.version_info[:2] < since
}
"""Cases that need a later Python than this one."""
FOUND: dict[str, type[Workflow]] = {
    f"{module.__name__.rpartition('.')[2]}-{workflow.__name__}": workflow
    for module in modules(cases)
    for workflow in workflows(module)
}
UPDATE = bool(os.environ.get("WAYMARK_UPDATE_GOLDEN"))


def digests(found: dict[str, type[Workflow]]) -> dict[str, str]:
    return {name: compile_workflow(each).digest.hex() for name, each in sorted(found.items())}


def test_there_are_enough_cases_and_fifty_golden_ones() -> None:
    assert len(FOUND) >= 400
    assert len(CHOSEN) >= 50


@pytest.mark.parametrize("name", CHOSEN)
def test_the_program_of_a_chosen_case_is_the_kept_one(name: str) -> None:
    kept = GOLDEN / f"{name}.txt"
    shown = text(compile_workflow(FOUND[name]).program)
    if UPDATE:
        GOLDEN.mkdir(exist_ok=True)
        kept.write_text(shown)
    assert shown == kept.read_text()


def test_every_case_has_the_kept_digest_on_this_python() -> None:
    made = digests(FOUND)
    kept = json.loads(DIGESTS.read_text())
    if UPDATE:
        kept = made | {name: kept[name] for name in _LATER if name in kept}
        DIGESTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    names = (kept.keys() | made.keys()) - _LATER
    different = sorted(name for name in names if kept.get(name) != made.get(name))
    assert different == [], (
        "new or changed: WAYMARK_UPDATE_GOLDEN=1 pytest tests/language/test_golden.py"
    )


def test_no_two_cases_are_alike_up_to_constants() -> None:
    seen: dict[str, str] = {}
    alike = []
    for name, workflow in sorted(FOUND.items()):
        program = text(compile_workflow(workflow).program)
        shape = _without_constants(program)
        if shape in seen:
            alike.append((seen[shape], name))
        seen.setdefault(shape, name)
    assert alike == []


def _without_constants(program: str) -> str:
    """A program's text without what its constants are: their kinds and every name of a case go as well."""
    lines = [
        line
        for line in program.splitlines()
        if not line.startswith(("program ", "constant ", "  = "))
    ]
    return re.sub(r"'[^']*'|\"[^\"]*\"|\b\d+\b", "_", "\n".join(lines))


def laid_out_differently(source: str) -> str:
    """Other blank lines, comments, docstrings of functions, and line ends."""
    source = re.sub(r"^(@workflow)$", r"\n\n# another remark\n\n\1", source, flags=re.MULTILINE)
    source = re.sub(
        r"^(    async def run\(self[^\n]*\):)\n(        )(?!\"\"\")",
        r'\1\n\2"""Another docstring."""\n\n\2# and a remark\n\2',
        source,
        flags=re.MULTILINE,
    )
    return source.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "module", modules(cases), ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_layout_and_place_of_a_module_are_not_in_its_digests(
    module: ModuleType, tmp_path: Path
) -> None:
    source = laid_out_differently(Path(str(module.__file__)).read_text())
    assert "Another docstring" in source
    before = {each.__name__: compile_workflow(each).digest for each in workflows(module)}
    moved: Any = _moved(module, tmp_path, source)
    try:
        after = {each.__name__: compile_workflow(each).digest for each in workflows(moved)}
    finally:
        sys.modules[module.__name__] = module
    assert before == after


def _moved(module: ModuleType, folder: Path, source: str) -> ModuleType:
    """The same module from another file."""
    for each in workflows(module):
        workflow_registry.discard(_key(each))
    try:
        return imported(folder, source, name=module.__name__)
    finally:
        for each in workflows(module):
            workflow_registry.discard(_key(each))


def _key(workflow: Any) -> str:
    name = vars(workflow).get("name")
    return name if isinstance(name, str) else workflow.__name__.lower()
