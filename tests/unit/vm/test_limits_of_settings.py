"""What a pool's settings allow reaches the machine, and its refusals name the setting."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compiling import imported, run_text, workflow_of
from tests.support.memory import peak
from waymark.starting import prepare
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding
from waymark_worker.settings import PoolSettings
from waymark_worker.vm.effects import Complete, Fail
from waymark_worker.vm.entries import CallReturned, TimerFired
from waymark_worker.vm.limits import DEFAULT_BUDGET, Bounds, bounds, set_bounds
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine

wire = Codec(RecordBinding())


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    before = bounds()
    yield
    set_bounds(before)


def started(tmp_path: Path, body: str) -> Machine:
    request = prepare(workflow_of(imported(tmp_path, run_text(body))), (), {}).request
    linked = link(request.program.program, request.program.digest)
    return Machine.start(linked, inputs=request.inputs, attributes=request.attributes)


def ending(machine: Machine, *, budget: int = DEFAULT_BUDGET, answer: object = None) -> str:
    """Run it to its end, every call answered alike; the text of its failure, or ``completed``."""
    effects = machine.advance(None, FreshLocals(), budget=budget)
    while not machine.finished:
        if machine.pending_calls:
            number = min(machine.pending_calls)
            entry: CallReturned | TimerFired = CallReturned(number, wire.encode(answer))
        else:
            entry = TimerFired(min(machine.pending_timers))
        effects = machine.advance(entry, FreshLocals(), budget=budget)
    last = effects[-1]
    if isinstance(last, Complete):
        return "completed"
    assert isinstance(last, Fail)
    return str(wire.decode(last.error))


def test_the_largest_value_is_that_of_the_setting(tmp_path: Path) -> None:
    body = "await act('x' * 5000)\nreturn len('y' * 5000)"
    assert ending(started(tmp_path, body)) == "completed"
    set_bounds(Bounds(value_bytes=4096))
    told = ending(started(tmp_path, "return len('y' * 5000)"))
    assert "WAYMARK_MAX_VALUE_BYTES" in told
    assert "at most 4096" in told
    listed = ending(started(tmp_path, "await act(['x' * 1000] * 5)"))
    assert "4096 bytes (WAYMARK_MAX_VALUE_BYTES)" in listed


def test_a_replay_makes_what_a_larger_setting_allowed(tmp_path: Path) -> None:
    set_bounds(Bounds(value_bytes=4096))
    machine = started(tmp_path, "text = 'y' * 5000\nawait act(len(text))")
    (call,) = machine.advance(None, FreshLocals(), replay=True)
    assert machine.pending_calls == {0: call}


def test_the_budget_of_a_step_names_its_setting(tmp_path: Path) -> None:
    told = ending(started(tmp_path, "while True:\n    pass"), budget=20_000)
    assert told.startswith("one step of the workflow did more work than 20000 units allow")
    assert "WAYMARK_STEP_BUDGET" in told


@pytest.mark.parametrize(
    "body",
    [
        "kept = []\nwhile True:\n    kept += ['x' * 100_000 + str(len(kept))]\n    await act(len(kept))",
        "kept = {}\nwhile True:\n    kept[len(kept)] = await act(len(kept))",
        "kept = []\nwhile True:\n    kept.extend(range(len(kept), len(kept) + 50_000))\n    await act(1)",
        "kept = [0]\nwhile True:\n    kept = [kept, kept[:], list(range(9000))]\n    await asyncio.sleep(1)",
        "kept = b''\nwhile True:\n    kept += bytes(100_000)\n    await act(1)",
    ],
)
def test_a_state_that_grows_from_step_to_step_is_ended_at_its_bound(
    tmp_path: Path, body: str
) -> None:
    set_bounds(Bounds(state_bytes=4 * 1024 * 1024))
    machine = started(tmp_path, body)
    with peak() as memory:
        told = ending(machine, answer="y" * 50_000)
    assert "WAYMARK_MAX_SNAPSHOT_BYTES" in told or "nested deeper" in told
    assert memory.grown < 300 * 1024 * 1024


def test_a_small_state_is_never_ended(tmp_path: Path) -> None:
    set_bounds(Bounds(state_bytes=65_536))
    body = "total = 0\nfor n in range(300):\n    total += len('x' * 30_000)\n    await act(n)\nreturn total"
    assert ending(started(tmp_path, body)) == "completed"


def test_settings_of_a_pool_have_the_bounds_of_the_machine_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MAX_VALUE_BYTES", "MAX_SNAPSHOT_BYTES", "STEP_BUDGET"):
        monkeypatch.delenv(f"WAYMARK_{name}", raising=False)
    settings = PoolSettings.model_construct()
    assert Bounds(settings.max_value_bytes, settings.max_snapshot_bytes) == Bounds()
    assert settings.step_budget == DEFAULT_BUDGET
