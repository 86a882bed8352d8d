"""Random workflows show the same in CPython and in the machine, recovered after every step."""

import importlib
import sys
from pathlib import Path

import pytest

from tests.support.oracle import run_in_cpython
from tests.support.random_programs import Program
from tests.support.replaying import MODES, run_in_machine

EVERY_TIME = range(24)
AT_NIGHT = range(24, 600)


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def check(seed: int, modules: Path) -> None:
    module, name = f"random_program_{seed}", f"Random{seed}"
    (modules / f"{module}.py").write_text(Program(seed).source(name))
    importlib.invalidate_caches()
    try:
        workflow = getattr(importlib.import_module(module), name)
        expected = run_in_cpython(workflow, {}, seed=seed)
        for mode in MODES:
            assert run_in_machine(workflow, {}, mode=mode, seed=seed) == expected, mode
    finally:
        sys.modules.pop(module, None)


@pytest.mark.parametrize("seed", EVERY_TIME)
def test_random_program_shows_what_cpython_shows(seed: int, modules: Path) -> None:
    check(seed, modules)


@pytest.mark.slow
@pytest.mark.parametrize("seed", AT_NIGHT)
def test_more_random_programs_show_what_cpython_shows(seed: int, modules: Path) -> None:
    check(seed, modules)
