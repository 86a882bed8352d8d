"""Runs that end, or do not, in; what their callers get out."""

from __future__ import annotations

import asyncio
import logging
from uuid import uuid4

import pytest

from tests.integration.bridge.greetings import Counting, Greeting
from tests.support.bridges import Bridges, finish, rows
from waymark import InstanceNotFound, Run, WorkflowCancelled, WorkflowFailed
from waymark_schema.kinds import InstanceState


async def _after(seconds: float) -> None:
    await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=seconds)


async def test_the_result_comes_with_the_notification(bridges: Bridges, database_url: str) -> None:
    run = await Greeting.start("you")
    waiting = asyncio.ensure_future(run.result(timeout=20))
    await _after(0.2)
    assert not waiting.done()
    begun = asyncio.get_running_loop().time()
    await asyncio.to_thread(finish, database_url, [run.id], result="hello you")
    assert await waiting == "hello you"
    assert asyncio.get_running_loop().time() - begun < 0.8
    assert await run.status() == "completed"


async def test_an_end_that_was_heard_before_anybody_asked_is_found(
    bridges: Bridges, database_url: str
) -> None:
    run = await Greeting.start("you")
    await asyncio.to_thread(finish, database_url, [run.id], result="early")
    await _after(0.2)
    begun = asyncio.get_running_loop().time()
    assert await run.result(timeout=20) == "early"
    assert asyncio.get_running_loop().time() - begun < 0.5


async def test_a_lost_notification_costs_a_look(bridges: Bridges, database_url: str) -> None:
    run = await Greeting.start("you")
    waiting = asyncio.ensure_future(run.result(timeout=20))
    await asyncio.to_thread(finish, database_url, [run.id], result="silent", notify=False)
    assert await waiting == "silent"


async def test_runs_that_are_not_notified_are_polled(bridges: Bridges, database_url: str) -> None:
    runs = await Counting.start_many([Counting.call(number) for number in range(50)])
    waiting = asyncio.gather(*(run.result(timeout=20) for run in runs))
    await _after(0.3)
    begun = asyncio.get_running_loop().time()
    await asyncio.to_thread(finish, database_url, [run.id for run in runs], result=3, notify=False)
    assert await waiting == [3] * 50
    assert asyncio.get_running_loop().time() - begun < 2


async def test_many_callers_wait_for_one_run(bridges: Bridges, database_url: str) -> None:
    run = await Counting.start(1)
    waiting = asyncio.gather(*(Run.get(run.id).result(timeout=20) for _ in range(100)))
    await _after(0.1)
    await asyncio.to_thread(finish, database_url, [run.id], result=5)
    assert await waiting == [5] * 100


async def test_a_result_is_what_run_promises(bridges: Bridges, database_url: str) -> None:
    run = await Counting.start(1)
    finish(database_url, [run.id], result="7")
    assert await run.result() == 7


async def test_a_failed_run_raises_with_the_original_as_cause(
    bridges: Bridges, database_url: str
) -> None:
    run = await Counting.start(1)
    finish(database_url, [run.id], state=InstanceState.FAILED, error=KeyError("missing"))
    with pytest.raises(WorkflowFailed) as raised:
        await run.result()
    assert isinstance(raised.value.__cause__, KeyError)
    assert raised.value.instance_id == run.id
    assert (raised.value.error.type, raised.value.error.message) == ("KeyError", "'missing'")


async def test_a_cancelled_run_raises(bridges: Bridges, database_url: str) -> None:
    run = await Counting.start(1)
    finish(database_url, [run.id], state=InstanceState.CANCELLED)
    with pytest.raises(WorkflowCancelled, match=run.id):
        await run.result()


async def test_callers_of_a_quarantined_run_are_told_and_go_on_waiting(
    bridges: Bridges, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = await Counting.start(1)
    finish(database_url, [run.id], state=InstanceState.QUARANTINED, error=ValueError("stuck"))
    with caplog.at_level(logging.WARNING, "waymark.bridge"), pytest.raises(TimeoutError):
        await run.result(timeout=1.5)
    assert await run.status() == "quarantined"
    (told,) = [said for said in caplog.messages if run.id in said]
    assert f"its page /runs/{run.id} of the web application tells why" in told
    waiting = asyncio.ensure_future(run.result(timeout=20))
    await _after(0.1)
    await asyncio.to_thread(finish, database_url, [run.id], result=9)
    assert await waiting == 9


async def test_giving_up_says_which_run_and_leaves_it_alone(
    bridges: Bridges, database_url: str
) -> None:
    run = await Counting.start(1)
    for timeout in (0, 0.05):
        with pytest.raises(TimeoutError, match=run.id) as raised:
            await run.result(timeout=timeout)
        assert raised.value.instance_id == run.id  # type: ignore[attr-defined] # promised in prose
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run.result(), 0.05)
    assert rows(database_url, "select state from waymark.instances") == [(0,)]
    finish(database_url, [run.id], result=4)
    assert await run.result(timeout=0) == 4


async def test_no_such_run(bridges: Bridges) -> None:
    unknown = Run.get(uuid4())
    with pytest.raises(InstanceNotFound, match=unknown.id):
        await unknown.status()
    with pytest.raises(InstanceNotFound, match=unknown.id):
        await unknown.result(timeout=10)


def test_everything_has_a_synchronous_twin(bridges: Bridges, database_url: str) -> None:
    run = Counting.start_sync(1)
    assert run.status_sync() == "queued"
    finish(database_url, [run.id], result=1)
    assert run.result_sync(timeout=10) == 1
    assert Run.get(run.id).status_sync() == "completed"
