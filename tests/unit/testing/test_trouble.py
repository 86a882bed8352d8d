"""Loops that end, tests that end, threads and forks in; runs that go on where they can, and say so where not, out."""

import asyncio
import logging
import os
import sys
import threading
import time

import pytest

from tests.support.processes import wait_until
from tests.unit.testing import flows
from waymark import Run, runtime
from waymark_worker.testing import InProcessRuntime, in_process, performing


def test_a_run_goes_on_in_the_loop_of_whoever_waits_for_it(served: InProcessRuntime) -> None:
    async def begin() -> Run[str]:
        run = await flows.Gate.start("gate")
        while flows.TRACE != ["at gate"]:
            await asyncio.sleep(0)
        return run

    run = asyncio.run(begin())
    assert flows.TRACE == ["at gate", "cancelled at gate"]
    flows.GATES.clear()

    async def finish() -> str:
        waiting = asyncio.ensure_future(run.result())
        while flows.TRACE[-1] != "at gate":
            await asyncio.sleep(0)
        flows.GATES["gate"].set()
        return await waiting

    assert asyncio.run(finish()) == "gate"
    # Lost with its loop, as with a worker that died: it does not use up the attempts of the user.
    assert [(call.attempts, call.ended) for call in served.calls] == [(2, "returned")]


def test_a_run_started_in_a_loop_ends_without_it() -> None:
    async def begin() -> Run[str]:
        return await flows.Shout.start("you")

    run = asyncio.run(begin())
    assert run.result_sync() == "YOU"


def test_a_loop_that_stands_still_holds_nothing_up() -> None:
    loop = asyncio.new_event_loop()
    try:
        flows.GATES["gate"] = asyncio.Event()
        run = loop.run_until_complete(flows.Gate.start("gate"))
        assert flows.Dozes().run_sync(30) == "awake"
        assert run.status_sync() == "running"
        flows.GATES["gate"].set()
        assert loop.run_until_complete(run.result()) == "gate"
    finally:
        loop.close()


async def test_a_cancelled_wait_leaves_the_run_alone() -> None:
    run = await flows.Gate.start("gate")
    waiting = asyncio.ensure_future(run.result())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    flows.GATES["gate"].set()
    assert await run.result() == "gate"


async def test_many_runs_at_once_keep_apart() -> None:
    results = await asyncio.gather(*[flows.Loop().run(20) for _ in range(25)])
    assert results == [30] * 25
    assert len(flows.TRACE) == 500


def test_threads_of_a_test_run_side_by_side(served: InProcessRuntime) -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(flows.Loop().run_sync(20)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [30] * 10
    assert len(served.runs) == 10


async def test_what_still_runs_when_a_test_ends_is_cancelled() -> None:
    with in_process() as served:
        await flows.Gate.start("gate")
        await asyncio.sleep(0.01)
        assert flows.TRACE == ["at gate"]
    await asyncio.sleep(0.01)
    assert flows.TRACE == ["at gate", "cancelled at gate"]
    previous = runtime.install(served)
    try:
        with pytest.raises(RuntimeError, match="after its test had ended"):
            await flows.Several.start(["late"])
    finally:
        runtime.install(previous)


async def test_whoever_waits_beyond_the_end_of_the_test_is_told() -> None:
    with in_process():
        run = await flows.Gate.start("gate")
        waiting = asyncio.ensure_future(run.result())
        await asyncio.sleep(0.01)
    with pytest.raises(RuntimeError, match="the test is over"):
        await waiting


def test_a_forked_process_has_runs_of_its_own(served: InProcessRuntime) -> None:
    ended, unended = flows.Shout.start_sync("before"), flows.Gate.start_sync("gate")
    assert ended.result_sync() == "BEFORE"
    child = os.fork()
    if child == 0:  # pragma: no cover - measured in the parent only
        status = 1
        try:
            assert flows.Shout().run_sync("child") == "CHILD"
            assert ended.result_sync() == "BEFORE"
            try:
                unended.result_sync()
            except RuntimeError as error:
                status = 0 if "forked" in str(error) else 2
        finally:
            os._exit(status)
    deadline = time.monotonic() + 60
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(done[1]) == 0
    assert len(served.runs) == 2


async def test_streams_are_left_as_they_were() -> None:
    # Attempts that the runtime of the test before it had on a thread of its own end behind that test.
    wait_until(lambda: performing._captures.count == 0, what="no attempt of another test runs")
    before = sys.stdout, sys.stderr, logging.getLogRecordFactory()
    await flows.Several().run(["a"])
    assert (sys.stdout, sys.stderr, logging.getLogRecordFactory()) == before


def test_in_process_serves_without_pytest_and_gives_back_what_served_before() -> None:
    before = runtime.current()
    with in_process() as served:
        assert runtime.current() is served
        assert flows.Several().run_sync(["a"]) == ["A"]
        assert len(served.runs) == 1
    assert runtime.current() is before


async def test_a_long_lived_process_forgets_old_runs_but_none_that_goes_on() -> None:
    served = InProcessRuntime(keep=3)
    previous = runtime.install(served)
    try:
        going_on = await flows.Gate.options(idempotency_key="gate").start("gate")
        first = await flows.Several.options(idempotency_key="k").start(["first"])
        for number in range(20):
            assert await flows.Several().run([str(number)]) == [str(number)]
        assert len(served.runs) <= 2 * 3 + 1
        again = await flows.Several.options(idempotency_key="k").start(["again"])
        assert again.id != first.id
        assert await again.result() == ["AGAIN"]
        assert await going_on.status() == "running"
    finally:
        runtime.install(previous)
        served.close()
