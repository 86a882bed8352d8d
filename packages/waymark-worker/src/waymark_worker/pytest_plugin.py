"""Tests of users in; their workflows run in process, each test's by a runtime of its own, out."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from waymark_worker.scenes import Scene, scene

if TYPE_CHECKING:
    from waymark_worker.testing import InProcessRuntime

CRASHING = "waymark_crash_everywhere"
REAL = "waymark_real"
_SCENE: pytest.StashKey[Scene] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--waymark-crash-everywhere``."""
    parser.getgroup("waymark").addoption(
        "--waymark-crash-everywhere",
        action="store_true",
        help="recover every workflow run after each of its steps, under another hash seed; nothing may change",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.addinivalue_line(
        "markers",
        f"{REAL}: workflows of this test go to the bridge and the database, not in process",
    )
    config.addinivalue_line(
        "markers",
        f"{CRASHING}: recover every run of this test after each step, under another hash seed",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Serve the runs of one test, its fixtures included, from a runtime of its own."""
    real = item.get_closest_marker(REAL) is not None
    with scene(real=real, crashing=not real and _is_to_crash(item)) as made:
        item.stash[_SCENE] = made
        return (yield)


def _is_to_crash(item: pytest.Item) -> bool:
    return (
        bool(item.config.getoption("--waymark-crash-everywhere"))
        or item.get_closest_marker(CRASHING) is not None
        or CRASHING in getattr(item, "fixturenames", ())
    )


@pytest.fixture
def waymark_runtime(request: pytest.FixtureRequest) -> InProcessRuntime:
    """Give the runtime of this test: its runs and calls, stubs, overrides and virtual time."""
    runtime = request.node.stash[_SCENE].runtime()
    if runtime is None:
        pytest.fail(
            f"waymark_runtime serves runs in process, and this test is marked {REAL}; drop one"
        )
    return runtime  # type: ignore[no-any-return] # the stash of a node is untyped here


@pytest.fixture
def waymark_crash_everywhere(waymark_runtime: InProcessRuntime) -> InProcessRuntime:
    """Recover every run of this test after each of its steps; give the runtime, whose ``crashes`` counts them."""
    return waymark_runtime
