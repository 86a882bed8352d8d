"""Workflows started as users start them in; what they return, and how time passes meanwhile, out."""

import asyncio
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.testing import flows
from waymark import InstanceNotFound, Run, SerializationError, WorkflowFailed
from waymark_schema.errors import RunIdTaken
from waymark_worker.testing import InProcessRuntime, NeverEnds

# The options of waiting, for compatibility, are unknown to type checkers.
UNTYPED_DOZES: Any = flows.Dozes
UNTYPED_SEVERAL: Any = flows.Several


async def test_a_sleep_of_thirty_days_takes_no_time(served: InProcessRuntime) -> None:
    began, moment = time.monotonic(), served.clock.moment
    assert await flows.Dozes().run(30) == "awake"
    assert time.monotonic() - began < 5
    assert served.clock.elapsed == timedelta(days=30)
    assert served.clock.moment - moment == timedelta(days=30)


def test_a_plain_test_uses_the_synchronous_twins() -> None:
    run = flows.Dozes.start_sync(3)
    assert run.status_sync() == "waiting"
    assert run.result_sync() == "awake"
    assert run.status_sync() == "completed"
    assert flows.Dozes().run_sync(3) == "awake"


async def test_time_passes_only_while_somebody_waits(served: InProcessRuntime) -> None:
    run = await flows.Dozes.start(2)
    assert await run.status() == "waiting"
    await asyncio.sleep(0.01)
    assert await run.status() == "waiting"
    await served.advance(timedelta(days=1))
    assert (await run.status(), served.clock.elapsed) == ("waiting", timedelta(days=1))
    await served.advance(timedelta(days=1))
    assert await run.status() == "completed"
    await served.advance(timedelta(days=1))
    assert served.clock.elapsed == timedelta(days=3)


def test_a_plain_test_can_let_time_pass(served: InProcessRuntime) -> None:
    run = flows.Shout.start_sync("a")
    served.advance_sync(flows.DAY - 1)
    assert flows.TRACE == []
    served.advance_sync(1)
    assert (flows.TRACE, run.status_sync()) == (["a"], "completed")


async def test_runs_share_one_time(served: InProcessRuntime) -> None:
    late, early = (
        await flows.Shout.options(delay=flows.DAY).start("late"),
        await flows.Shout.start("early"),
    )
    assert await late.result() == "LATE"
    assert flows.TRACE == ["early", "late"]
    assert await early.status() == "completed"


async def test_a_delayed_run_is_queued_until_its_time(served: InProcessRuntime) -> None:
    start_at = served.clock.moment + timedelta(hours=1)
    runs = [
        await flows.Several.options(delay=3600).start(["delayed"]),
        await flows.Several.options(start_at=start_at).start(["later"]),
    ]
    assert [await run.status() for run in runs] == ["queued", "queued"]
    await served.advance(3599)
    assert [await run.status() for run in runs] == ["queued", "queued"]
    await served.advance(1)
    assert [await run.status() for run in runs] == ["completed", "completed"]


async def test_a_wait_that_ends_first_leaves_the_run_alone(served: InProcessRuntime) -> None:
    with pytest.raises(TimeoutError, match=r"had not ended after 3600 s") as caught:
        await UNTYPED_DOZES().run(1, _timeout=3600)
    assert served.clock.elapsed == timedelta(hours=1)
    run = Run.get(caught.value.instance_id)  # type: ignore[attr-defined] # as the documentation says
    assert await run.status() == "waiting"
    assert await run.result(timeout=timedelta(days=1)) == "awake"
    with pytest.raises(TimeoutError):
        await (await flows.Dozes.start(1)).result(timeout=0)


async def test_a_wait_exactly_as_long_as_the_run_is_long_enough(served: InProcessRuntime) -> None:
    assert await UNTYPED_DOZES().run(1, _timeout=flows.DAY) == "awake"


async def test_handles_ids_and_keys_are_those_of_production(served: InProcessRuntime) -> None:
    chosen = uuid.uuid4()
    same = [await flows.Several.options(id=chosen).start(["a"]) for _ in range(2)]
    assert {run.id for run in same} == {str(chosen)}
    keyed = [await flows.Several.options(idempotency_key="k").start(["b"]) for _ in range(2)]
    other = await flows.Dozes.options(idempotency_key="k").start(0)
    assert len({run.id for run in keyed} | {other.id}) == 2
    many = await flows.Several.start_many([flows.Several.call([name]) for name in "cd"])
    assert [await run.result() for run in many] == [["C"], ["D"]]
    run_id = await UNTYPED_SEVERAL().run(["e"], _blocking=False)
    assert await Run.get(run_id).result() == ["E"]
    assert flows.TRACE == list("abcde")
    with pytest.raises(InstanceNotFound, match="in this process"):
        await Run.get(uuid.uuid4()).status()


async def test_an_id_of_another_workflows_run_is_refused_and_nothing_started(
    served: InProcessRuntime,
) -> None:
    chosen = uuid.uuid4()
    await flows.Several.options(id=chosen).start(["a"])
    with pytest.raises(RunIdTaken, match=f"run {chosen} is one of "):
        await flows.Dozes.options(id=chosen).start(0)
    assert [run.id for run in served.runs] == [str(chosen)]


async def test_arguments_and_results_pass_through_the_durable_form() -> None:
    item = flows.Item(name="tea", price=2)
    before, after = await flows.Doubles().run(item)
    assert (before, after) == (item, flows.Item(name="tea", price=4))
    assert flows.TRACE[0] is not item
    assert type(after) is flows.Item


async def test_what_cannot_be_kept_fails_as_it_does_in_a_worker() -> None:
    with pytest.raises(WorkflowFailed, match="lock") as caught:
        await flows.Undurable().run()
    assert isinstance(caught.value.__cause__, SerializationError)


async def test_exceptions_cross_with_their_attributes() -> None:
    assert await flows.Sells().run("tea", catch=True) == "tea: 3, only 3 of tea left"
    with pytest.raises(WorkflowFailed, match="only 3 of tea left") as caught:
        await flows.Sells().run("tea")
    cause = caught.value.__cause__
    assert isinstance(cause, flows.SoldOut)
    told = caught.value.error.traceback
    assert 'flows.py", line ' in told
    assert "in Sells.run" in told
    assert (cause.name, cause.left) == ("tea", 3)


async def test_a_body_that_never_ends_fails_its_run_only() -> None:
    with pytest.raises(WorkflowFailed, match="did more work than"):
        await flows.NeverEnding().run()
    assert await flows.Several().run(["a"]) == ["A"]


async def test_waiting_for_what_can_never_happen_is_told(served: InProcessRuntime) -> None:
    with pytest.raises(WorkflowFailed, match="can never happen") as caught:
        await flows.WaitsForItself().run()
    assert caught.value.error.type.endswith("NeverEnds")


async def test_two_runs_that_wait_for_each_other_are_told(served: InProcessRuntime) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    runs = [
        await flows.WaitsFor.options(id=first).start(str(second)),
        await flows.WaitsFor.options(id=second).start(str(first)),
    ]
    outcomes = await asyncio.gather(*[run.result() for run in runs], return_exceptions=True)
    assert all(isinstance(outcome, WorkflowFailed | NeverEnds) for outcome in outcomes), outcomes


async def test_a_run_without_an_end_leaves_the_event_loop_alive() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await flows.Polls().run()


async def test_what_workflow_and_actions_print_is_kept(
    served: InProcessRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    await flows.Dozes().run(1)
    assert served.runs[0].log == ["asleep"]
    assert capsys.readouterr().out == "asleep\n"


async def test_runs_and_calls_can_be_looked_at(served: InProcessRuntime) -> None:
    await flows.Several().run(["a", "b"])
    with pytest.raises(WorkflowFailed):
        await flows.Sells().run("tea")
    several, sells = served.runs
    assert (several.workflow, several.arguments, several.result) == (
        "several", {"names": ["a", "b"]}, ["A", "B"],
    )  # fmt: skip
    assert (several.state, sells.state) == ("completed", "failed")
    assert isinstance(sells.error, flows.SoldOut)
    assert [(call.name, call.arguments, call.attempts, call.ended) for call in served.calls] == [
        ("note", {"what": "a"}, 1, "returned"),
        ("note", {"what": "b"}, 1, "returned"),
        ("sell", {"name": "tea"}, 1, "raised"),
    ]
    assert [call.result for call in served.calls_of(flows.note)] == ["A", "B"]
    assert isinstance(served.calls_of("tests.unit.testing.flows:sell")[0].error, flows.SoldOut)
    with pytest.raises(TypeError, match="is no action"):
        served.calls_of(flows.opened)
