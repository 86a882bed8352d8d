"""Calls sent to a real worker process in; values, errors and side effects out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.executor.jobs import Order, Receipt, Refused
from tests.support.executor import INSTANCE, WorkerUnderTest, exists
from waymark.coercion import codec
from waymark.errors import SerializationError, WaymarkError
from waymark_schema.values.descriptors import digest

JOBS = "tests.integration.executor.jobs"


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerUnderTest]:
    async with WorkerUnderTest(JOBS, environment={"JOBS_DIRECTORY": str(tmp_path)}) as worker:
        await worker.said_hello()
        yield worker


async def test_the_hello_says_who_it_is_and_what_it_can_run(worker: WorkerUnderTest) -> None:
    hello = await worker.said_hello()
    assert (hello.token, hello.pid, hello.failures) == ("secret", worker.process.pid, [])
    assert f"{JOBS}:double" in hello.actions
    await worker.until(lambda: worker.ticks)
    assert worker.ticks[0].resident_bytes > 1_000_000


async def test_a_batch_of_calls_that_never_wait_comes_back_as_one_frame(
    worker: WorkerUnderTest,
) -> None:
    tickets = worker.start(*(("double", {"x": x}) for x in range(50)))
    ends = [await worker.end(ticket) for ticket in tickets]
    assert [codec().decode(end.payload) for end in ends] == [2 * x for x in range(50)]
    assert worker.batches == [50]


async def test_models_and_dataclasses_go_in_and_come_out(worker: WorkerUnderTest) -> None:
    order = Order(id=5, lines=["a"])
    assert await worker.value("charge", order=order) == Receipt(order, 1.0)
    assert await worker.value("charge", order={"id": "5"}, cents=250) == Receipt(Order(id=5), 2.5)


async def test_a_malformed_argument_fails_with_its_path(worker: WorkerUnderTest) -> None:
    error = await worker.error("charge", order={"id": "five"})
    assert "order" in str(error)
    assert "id" in str(error)


async def test_wrong_arguments_fail_as_python_does(worker: WorkerUnderTest) -> None:
    error = await worker.error("double")
    assert type(error) is TypeError
    assert "missing 1 required positional argument: 'x'" in str(error)
    error = await worker.error("double", x=1, y=2)
    assert str(error) == "double() got an unexpected keyword argument 'y'"


async def test_arguments_that_are_no_durable_value_fail_the_attempt(
    worker: WorkerUnderTest,
) -> None:
    from waymark_schema.wire.frames import Calls, CallStart  # noqa: PLC0415 - only here

    worker.send(Calls([CallStart(99, f"{JOBS}:double", b"\xc1", INSTANCE.bytes, 1, 1)]))
    assert (await worker.end(99)).kind == 1
    assert await worker.value("double", x=1) == 2


async def test_parameters_of_every_kind_are_passed(worker: WorkerUnderTest) -> None:
    assert await worker.value("positional", a=1) == [1, (), "k", {}]
    given = {"a": 1, "rest": [2, "3"], "key": "q", "more": {"z": 9}}
    assert await worker.value("positional", **given) == [1, (2, 3), "q", {"z": 9}]


async def test_an_error_keeps_attributes_cause_and_traceback(worker: WorkerUnderTest) -> None:
    error = await worker.error("refuse", reason="no money")
    assert type(error) is Refused
    assert (error.args, error.reason, error.code) == (("no money",), "no money", 402)
    assert type(error.__cause__) is ValueError
    payload = (await worker.call("refuse", reason="no money")).payload
    assert b"jobs.py" in payload
    assert b"invoke.py" not in payload


async def test_an_action_may_not_take_the_worker_with_it(worker: WorkerUnderTest) -> None:
    error = await worker.error("leave")
    assert (type(error).__name__, error.args) == ("SystemExit", (7,))
    assert type(await worker.error("interrupt")).__name__ == "KeyboardInterrupt"
    # As CPython: no coroutine raises StopIteration.
    assert type(await worker.error("stop_iteration")) is RuntimeError
    assert await worker.value("double", x=1) == 2


async def test_a_cancellation_of_its_own_making_is_an_error(worker: WorkerUnderTest) -> None:
    assert type(await worker.error("cancels_itself")).__name__ == "CancelledError"


async def test_a_task_is_current_from_the_first_step_on(worker: WorkerUnderTest) -> None:
    assert await worker.value("timed_block") == "timed out"


async def test_a_value_that_cannot_be_kept_is_the_attempts_error(worker: WorkerUnderTest) -> None:
    error = await worker.error("lock")
    assert type(error) is SerializationError
    assert "result['items'][1]['lock']" in str(error) or "result.items[1].lock" in str(error)


async def test_huge_values_pass_and_larger_ones_are_an_error(worker: WorkerUnderTest) -> None:
    assert len(await worker.value("big", size=8_000_000)) == 8_000_000
    assert type(await worker.error("big", size=20_000_000)) is SerializationError
    assert await worker.value("double", x=1) == 2


async def test_an_unknown_action_is_an_error_that_names_the_known_ones(
    worker: WorkerUnderTest,
) -> None:
    error = await worker.error("elsewhere:gone")
    assert isinstance(error, WaymarkError)
    assert "'elsewhere:gone' is not known" in str(error)
    assert f"{JOBS}:double" in str(error)


async def test_a_sync_action_runs_in_a_thread_with_its_dependencies(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    assert await worker.value("sync_pid", x=3) == (worker.process.pid, False, 3)
    assert await worker.value("in_thread", directory=str(tmp_path)) is True
    assert (tmp_path / "closed").exists()


async def test_a_provider_that_swallows_an_error_does_not_make_it_a_success(
    worker: WorkerUnderTest,
) -> None:
    assert str(await worker.error("fails_in_swallower")) == "not to be lost"


async def test_cancelling_cleans_dependencies_up_and_ends_the_attempt(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    (ticket,) = worker.start(("waits", {"directory": str(tmp_path)}), timeout=60)
    await exists(tmp_path / "waits-resource")
    worker.cancel(ticket, ticket)
    assert (await worker.end(ticket)).kind == 2
    assert (tmp_path / "closed").exists()


async def test_an_action_that_ignores_its_cancellation_still_ends_once(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    (ticket,) = worker.start(("stubborn", {"directory": str(tmp_path)}))
    await exists(tmp_path / "stubborn")
    worker.cancel(ticket)
    end = await worker.end(ticket)
    assert (end.kind, codec().decode(end.payload)) == (0, "finished anyway")
    worker.cancel(ticket, 12345)
    assert await worker.value("double", x=1) == 2


async def test_a_cancelled_sync_action_keeps_its_thread_and_its_resources_until_it_ends(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    (ticket,) = worker.start(("blocks", {"directory": str(tmp_path)}))
    await exists(tmp_path / "blocks-resource")
    worker.cancel(ticket)
    assert (await worker.end(ticket)).kind == 2
    seen = len(worker.ticks)
    await worker.until(lambda: len(worker.ticks) > seen)
    assert worker.ticks[-1].running == 1
    assert not (tmp_path / "closed").exists()
    (tmp_path / "release").touch()
    await exists(tmp_path / "resource-open")
    await exists(tmp_path / "closed")
    await worker.until(lambda: worker.ticks[-1].running == 0)


async def test_the_current_action_tells_run_attempt_and_key(worker: WorkerUnderTest) -> None:
    (ticket,) = worker.start(("identity", {}))
    end = await worker.end(ticket)
    assert codec().decode(end.payload) == (str(INSTANCE), 2, f"{INSTANCE}:{ticket}", True)


async def test_what_an_attempt_prints_and_logs_comes_with_its_end(worker: WorkerUnderTest) -> None:
    end = await worker.call("noisy")
    lines = [(level, text) for level, text, _ in codec().decode(end.log)]
    assert sorted(lines) == [
        ("info", "said 5"),
        ("stderr", "to stderr"),
        ("stdout", "half a line"),
        ("stdout", "to stdout"),
        ("warning", "logged here"),
    ]
    assert (await worker.call("double", x=1)).log == b""


@pytest.mark.parametrize("action", ["sings", "sings_in_a_thread"])
async def test_attempts_at_once_keep_their_lines_apart(
    worker: WorkerUnderTest, action: str
) -> None:
    names = [f"voice{number}" for number in range(4)]
    tickets = worker.start(*[(action, {"name": name, "turns": 50}) for name in names])
    for name, ticket in zip(names, tickets, strict=True):
        end = await worker.end(ticket)
        lines = codec().decode(end.log)
        for level in ("stdout", "warning"):
            kept = [text for found, text, _ in lines if found == level]
            assert kept == [f"{name} {turn}" for turn in range(50)]


async def test_what_is_kept_is_bounded_and_what_is_shown_is_not(worker: WorkerUnderTest) -> None:
    end = await worker.call("floods", lines=600, width=120)
    lines = [text for _, text, _ in codec().decode(end.log)]
    assert lines[0] == "0".ljust(120, ".")
    assert sum(map(len, lines)) < 66_000
    assert "more lines were left out" in lines[-1]
    shown = await worker.shown()
    assert shown.count(b"...\n") >= 600
    assert b"no endno end" in shown


async def test_what_goes_around_the_streams_is_shown_and_not_kept(worker: WorkerUnderTest) -> None:
    end = await worker.call("goes_around")
    assert [text for _, text, _ in codec().decode(end.log)] == ["by itself"]
    shown = await worker.shown()
    for line in (b"by descriptor", b"by a process", b"by a thread of its own", b"by itself"):
        assert line in shown


async def test_worker_scope_is_built_once_and_closed_when_the_worker_drains(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    tickets = worker.start(*[("uses_shared", {})] * 5)
    ends = [await worker.end(ticket) for ticket in tickets]
    assert {codec().decode(end.payload) for end in ends} == {1}
    assert not (tmp_path / "shared-closed").exists()
    worker.drain()
    assert await worker.exit_code() == 0
    assert (tmp_path / "shared-closed").exists()


async def test_an_opaque_object_is_constructed_by_its_own_code(worker: WorkerUnderTest) -> None:
    order = await worker.value(
        "waymark:construct", type=f"{JOBS}:Order", args=[], kwargs={"id": "5"}
    )
    assert order == Order(id=5)
    error = await worker.error("waymark:construct", type="os:system", args=["true"], kwargs={})
    assert "expected a model" in str(error)


async def test_known_types_are_left_out_of_outcomes(worker: WorkerUnderTest) -> None:
    (plain,) = worker.start(("charge", {"order": {"id": 1}}))
    whole = await worker.end(plain)
    found = [codec().binding.describe(cls) for cls in (Receipt, Order)]
    worker.know(3, [digest(described[0]) for described in found if described is not None])
    (known,) = worker.start(("charge", {"order": {"id": 1}}), program=3)
    assert len((await worker.end(known)).payload) < len(whole.payload)


async def test_hundreds_of_waiting_calls_are_cancelled_one_by_one(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    tickets = worker.start(*[("stubborn", {"directory": str(tmp_path)})] * 300)
    await exists(tmp_path / "stubborn")
    worker.cancel(*tickets)
    ends = await asyncio.gather(*(worker.end(ticket) for ticket in tickets))
    assert [end.kind for end in ends] == [0] * 300


async def test_a_call_that_is_cancelled_before_it_began_still_ends_once(
    worker: WorkerUnderTest, tmp_path: Path
) -> None:
    tickets = worker.start(*[("waits", {"directory": str(tmp_path)})] * 20)
    worker.cancel(*tickets)
    ends = [await worker.end(ticket) for ticket in tickets]
    assert [end.kind for end in ends] == [2] * 20
    worker.drain()
    assert await worker.exit_code() == 0


async def test_what_one_attempt_leaves_in_its_context_is_not_seen_by_the_next(
    worker: WorkerUnderTest,
) -> None:
    tickets = worker.start(*[("remembers", {})] * 5)
    ends = [await worker.end(ticket) for ticket in tickets]
    assert [codec().decode(end.payload) for end in ends] == ["nothing"] * 5
