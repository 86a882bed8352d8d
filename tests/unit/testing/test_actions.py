"""Actions of workflows in; when and how often they run in the process of a test, and what may stand in for them, out."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.testing import flows
from waymark import ActionTimeout, WorkflowFailed
from waymark_worker.testing import InProcessRuntime, override


async def test_actions_of_a_gather_run_in_their_order() -> None:
    names = [str(number) for number in range(50)]
    await flows.Several().run(names)
    assert flows.TRACE == names


async def test_sync_actions_run_in_threads_yet_one_after_the_other() -> None:
    await flows.Threads().run(list("abcdefgh"))
    assert flows.TRACE == [(name, "waymark-action") for name in "abcdefgh"]


async def test_an_action_that_waits_for_a_later_one_does_not_hold_it_up() -> None:
    assert await flows.Passes().run("gate") == "gate"


async def test_an_action_can_wait_for_the_test() -> None:
    run = await flows.Gate.start("mine")
    while flows.TRACE != ["at mine"]:
        await asyncio.sleep(0)
    assert await run.status() == "running"
    flows.GATES["mine"].set()
    assert await run.result() == "mine"


async def test_retries_obey_their_backoff_in_virtual_time(served: InProcessRuntime) -> None:
    run = await flows.TriesAgain.start(3)
    assert await run.result() == (4, run.id)
    assert served.clock.elapsed == timedelta(seconds=60 + 120 + 240)
    assert len(set(flows.TRACE)) == 1
    assert [call.attempts for call in served.calls] == [4]


async def test_exhausted_retries_raise_the_last_exception_with_a_note() -> None:
    with pytest.raises(WorkflowFailed) as caught:
        await flows.TriesAgain().run(9)
    cause = caught.value.__cause__
    assert isinstance(cause, ConnectionError)
    assert str(cause) == "attempt 4"
    assert "attempt 4 of 4" in cause.__notes__[0]


async def test_a_timeout_is_obeyed_in_virtual_time(served: InProcessRuntime) -> None:
    served.stub(flows.slow, returns="x", takes=timedelta(minutes=1, seconds=59))
    assert await flows.Late().run("x") == "x"
    served.stub(flows.slow, returns="x", takes=timedelta(minutes=3))
    assert await flows.Late().run("x") == "ActionTimeout: slow did not end within 120 s (attempt 1)"
    assert served.clock.elapsed == timedelta(minutes=3, seconds=59)


async def test_an_action_that_hangs_is_timed_out_in_real_time() -> None:
    began = time.monotonic()
    with pytest.raises(WorkflowFailed) as caught:
        await flows.Gate().run("never", seconds=0.1)
    assert isinstance(caught.value.__cause__, ActionTimeout)
    assert 0.1 <= time.monotonic() - began < 5
    await asyncio.sleep(0)
    assert flows.TRACE == ["at never", "cancelled at never"]


async def test_a_thread_that_hangs_is_timed_out_too() -> None:
    assert await flows.Hangs().run() == "ActionTimeout"


async def test_a_long_timeout_does_not_make_an_action_late_that_waits_for_a_run(
    served: InProcessRuntime,
) -> None:
    assert await flows.Nests().run("you") == ["YOU", "YOU"]
    assert served.clock.elapsed == timedelta(days=2)
    assert [run.workflow for run in served.runs] == ["nests", "shout", "shout"]


def test_nested_runs_work_in_a_synchronous_test() -> None:
    assert flows.Nests().run_sync("you") == ["YOU", "YOU"]


async def test_nothing_of_the_tests_context_leaks_into_actions() -> None:
    flows.VARIABLE.set("of the test")
    assert await flows.Varies().run() == "unset"


async def test_dependencies_are_resolved_and_those_of_the_worker_live_as_long_as_the_run() -> None:
    assert await flows.Charges().run([1, 2]) == ["1 EUR by connection", "2 EUR by connection"]
    assert flows.TRACE == ["opened", "charge 1", "charge 2", "closed"]


async def test_dependencies_can_be_overridden(served: InProcessRuntime) -> None:
    with override(flows.currency, lambda: "USD"):
        assert await flows.Charges().run([1]) == ["1 USD by connection"]
    served.override(flows.opened, lambda: "nothing")
    assert await flows.Charges().run([1]) == ["1 EUR by nothing"]


@pytest.mark.parametrize("side", ["returns", "function", "coroutine", "several"])
async def test_a_stub_stands_in_for_an_action(served: InProcessRuntime, side: str) -> None:
    async def later(cents: int) -> str:
        return f"{cents} later"

    given: dict[str, dict[str, Any]] = {
        "returns": {"returns": "paid"},
        "function": {"side_effect": lambda cents: f"{cents} now"},
        "coroutine": {"side_effect": later},
        "several": {"side_effect": ["first", ValueError("second")]},
    }
    expected = {"returns": "paid", "function": "5 now", "coroutine": "5 later", "several": "first"}
    stub = served.stub(flows.charge, **given[side])
    assert await flows.Charges().run([5]) == [expected[side]]
    assert stub.arguments == [{"cents": 5}]
    assert flows.TRACE == []
    if side == "several":
        with pytest.raises(WorkflowFailed, match="second"):
            await flows.Charges().run([6])
        with pytest.raises(WorkflowFailed, match="no outcome left"):
            await flows.Charges().run([7])


async def test_a_stub_without_an_outcome_returns_nothing_and_can_be_removed(
    served: InProcessRuntime,
) -> None:
    with served.stub(flows.note), pytest.raises(ValueError, match="valid string"):
        await flows.Several().run(["a"])
    assert await flows.Several().run(["a"]) == ["A"]


async def test_a_stub_gets_its_arguments_in_the_types_of_the_action(
    served: InProcessRuntime,
) -> None:
    stub = served.stub(flows.price, side_effect=lambda item: item)
    await flows.Doubles().run(flows.Item(name="tea", price=1))
    assert stub.arguments == [{"item": flows.Item(name="tea", price=1)}]
    assert stub.attempts == 1


async def test_a_stub_that_fails_is_tried_again_under_the_actions_policy(
    served: InProcessRuntime,
) -> None:
    served.stub(flows.unreliable, side_effect=[ConnectionError, OSError("x"), (3, "third")])
    assert await flows.TriesAgain().run(0) == (3, "third")
    served.stub(flows.unreliable, raises=ConnectionError("down"))
    with pytest.raises(WorkflowFailed, match="down"):
        await flows.TriesAgain().run(0)


def test_a_stub_takes_one_outcome_of_an_action(served: InProcessRuntime) -> None:
    with pytest.raises(TypeError, match="not several"):
        served.stub(flows.note, returns=1, raises=ValueError)
    with pytest.raises(TypeError, match="expected a function"):
        served.stub(flows.note, side_effect=7)  # type: ignore[arg-type] # the mistake
    with pytest.raises(TypeError, match="is no action"):
        served.stub(flows.opened)


async def test_a_call_that_the_workflow_gives_up_is_cancelled(served: InProcessRuntime) -> None:
    assert await flows.Impatient().run("never", 0.3) == "GAVE UP"
    assert flows.TRACE == ["at never", "cancelled at never", "gave up"]
    assert [call.ended for call in served.calls] == ["cancelled", "returned"]
    assert served.clock.elapsed == timedelta(seconds=0.3)


async def test_a_stub_that_takes_too_long_is_given_up_without_waiting(
    served: InProcessRuntime,
) -> None:
    served.stub(flows.wait_at, returns="late", takes=timedelta(days=2))
    assert await flows.Impatient().run("gate", flows.DAY) == "GAVE UP"
    assert served.clock.elapsed == timedelta(days=1)
    assert await flows.Impatient().run("gate", 3 * flows.DAY) == "late"


async def test_siblings_of_a_failing_call_in_a_group_are_cancelled(
    served: InProcessRuntime,
) -> None:
    assert await flows.Grouped().run("never") == ["only 3 of tea left"]
    assert [call.ended for call in served.calls] == ["cancelled", "raised"]
    await asyncio.sleep(0)
    assert flows.TRACE == ["at never", "cancelled at never"]
