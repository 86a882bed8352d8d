"""Random workflows of tasks, timeouts, locks and queues end in the machine as on CPython 3.12's asyncio."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compiling import imported
from tests.support.observing import Observation
from tests.support.oracle import run_in_cpython
from tests.support.random_tasks import random_tasks
from tests.support.replaying import MODES, PLAIN, run_in_machine

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 12),
    reason="the order of wake-ups is that of 3.12: wait_for was another one before, and later"
    " versions count cancellations and wake semaphores a little differently",
)
STUCK = Observation("stuck")
"""Tasks that wait for each other in a circle: CPython would hang, or cannot cancel them."""


@pytest.fixture(autouse=True, scope="module")
def quiet_about_what_is_left() -> Iterator[None]:
    """Tasks that begin while the run ends are dropped, in CPython as here; their ``finally`` may await."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "unraisablehook", lambda _told: None)
        yield
        gc.collect()


def shown(folder: Path, seed: int, *, mode: str, order: int | None) -> list[Observation]:
    name = f"RandomTasks{seed}"
    module = imported(folder, random_tasks(seed, name=name), name=f"random_tasks_{seed}")
    try:
        workflow = vars(module)[name]
        cancel_at = seed % 7 if seed % 2 else None
        try:
            expected = run_in_cpython(workflow, {}, seed=order, cancel_at=cancel_at)
        except (AssertionError, RecursionError):
            return [STUCK]
        seen = run_in_machine(workflow, {}, mode=mode, seed=order, cancel_at=cancel_at)
        seen.printed = ""  # the machine says what it could not cancel
        return [seen, expected]
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("seed", range(30))
def test_random_tasks_end_as_in_cpython(tmp_path: Path, seed: int) -> None:
    seen = shown(tmp_path, seed, mode=MODES[seed % len(MODES)], order=None)
    assert len(set(map(repr, seen))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_random_tasks_end_as_in_cpython_whatever_returns_first(
    tmp_path: Path, seed: int, order: int
) -> None:
    seen = shown(tmp_path, seed, mode=PLAIN, order=order)
    assert len(set(map(repr, seen))) == 1
