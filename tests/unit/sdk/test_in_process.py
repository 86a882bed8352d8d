"""Processes under pytest, with variables set, or without waymark-worker in; who serves their runs out."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from waymark import BridgeUnavailable, Workflow, runtime, settings, workflow
from waymark.bridge.client import BridgeClient
from waymark.registry import workflow_registry
from waymark_worker.testing import InProcessRuntime


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No runtime is installed, and nothing is remembered of the environment."""
    monkeypatch.setattr(runtime._slot, "in_process", None)
    settings.current.cache_clear()
    before = set(workflow_registry.names())
    yield
    for key in set(workflow_registry.names()) - before:
        workflow_registry.discard(key)
    settings.current.cache_clear()


def outside_of_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "sys", SimpleNamespace(modules={}))


def test_pytest_is_served_in_process_even_with_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert isinstance(runtime.current(), InProcessRuntime)


def test_a_child_process_of_a_test_is_served_by_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    outside_of_pytest(monkeypatch)
    assert isinstance(runtime.current(), BridgeClient)


def test_who_merely_imports_pytest_is_served_by_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    assert "pytest" in sys.modules
    assert isinstance(runtime.current(), BridgeClient)


@pytest.mark.waymark_real
def test_a_test_marked_real_is_served_by_the_bridge() -> None:
    assert isinstance(runtime.current(), BridgeClient)


def test_in_memory_serves_in_process_outside_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    outside_of_pytest(monkeypatch)
    monkeypatch.setenv("WAYMARK_BRIDGE_IN_MEMORY", "true")
    assert isinstance(runtime.current(), InProcessRuntime)


@pytest.mark.parametrize("why", ["under pytest", "with WAYMARK_BRIDGE_IN_MEMORY=true"])
def test_without_waymark_worker_the_error_says_to_add_it(
    monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why != "under pytest":
        outside_of_pytest(monkeypatch)
        monkeypatch.setenv("WAYMARK_BRIDGE_IN_MEMORY", "true")
    monkeypatch.setattr(runtime, "entry_points", lambda group: [])

    @workflow
    class Unserved(Workflow):
        async def run(self) -> int:
            return 1

    with pytest.raises(BridgeUnavailable) as caught:
        Unserved().run_sync()
    assert why in str(caught.value)
    assert "add waymark-worker to the dev group, by `uv add --dev waymark-worker`" in str(
        caught.value
    )
