import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.compiling import run_text
from waymark import workflow_registry
from waymark.commands.check import check


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *modules: str) -> tuple[int, str]:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    workflow_registry.discard("w")
    done = CliRunner().invoke(check, modules)
    return done.exit_code, done.output


def test_sound_workflows_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checked_sound.py").write_text(run_text("return await act(1)"))
    assert run(tmp_path, monkeypatch, "checked_sound") == (
        0,
        "1 workflow checked, 0 with problems\n",
    )


def test_every_problem_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checked_wrong.py").write_text(run_text("a = missing\nimport os"))
    code, output = run(tmp_path, monkeypatch, "checked_wrong")
    assert code == 1
    assert "WM120" in output
    assert "WM109" in output
    assert output.endswith("1 workflow checked, 1 with problems\n")


def test_a_module_that_is_missing_or_empty_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = run(tmp_path, monkeypatch, "no_such_module_at_all")
    assert (code, "cannot be imported" in output) == (1, True)
    (tmp_path / "checked_empty.py").write_text("X = 1\n")
    code, output = run(tmp_path, monkeypatch, "checked_empty")
    assert (code, "no workflow is defined" in output) == (1, True)
