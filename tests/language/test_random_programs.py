"""Workflows written at random show the same in the machine as in CPython; a seed that once did not stays here."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.compiling import imported
from tests.support.observing import Observation
from tests.support.oracle import run_in_cpython
from tests.support.random_workflows import random_workflow
from tests.support.replaying import MODES, PLAIN, run_in_machine

SEEDS = range(20)


def both(folder: Path, seed: int, *, mode: Any) -> tuple[Observation, Observation]:
    name = f"RandomProgram{seed}"
    module = imported(folder, random_workflow(seed, name=name), name=f"random_program_{seed}")
    try:
        workflow = vars(module)[name]
        return run_in_machine(workflow, {}, mode=mode), run_in_cpython(workflow, {}, seed=None)
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_program_shows_what_cpython_shows(tmp_path: Path, seed: int) -> None:
    shown, expected = both(tmp_path, seed, mode=PLAIN)
    assert shown == expected


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_a_random_program_survives_recovery(tmp_path: Path, seed: int, mode: Any) -> None:
    shown, expected = both(tmp_path, seed, mode=mode)
    assert shown == expected
