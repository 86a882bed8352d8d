"""What ends an instance against its will, what a worker must do for it, and what is refused."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.vm.parking import Driver, linked_form, on_machine
from waymark.coercion import codec
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.digest import encode_spans
from waymark_schema.ir.policies import RetryPolicy
from waymark_schema.values import faults
from waymark_schema.values.errors import MalformedValue
from waymark_worker.vm.effects import (
    CancelCall,
    Cancelled,
    Complete,
    Fail,
    Log,
    StartCall,
    StartTimer,
)
from waymark_worker.vm.entries import CallRaised, CallReturned, CancelRequested, TimerFired
from waymark_worker.vm.limits import MAX_DEPTH
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.snapshot import SnapshotRefused, SnapshotUnreadable

CASES: Any = import_module("tests.unit.vm.cases.limits")
SCHEDULING: Any = import_module("tests.unit.vm.cases.scheduling")


def driver(case: Any, **inputs: Any) -> Driver:
    return Driver(linked_form(case), inputs)


def failure(run: Driver, effect: Any) -> Any:
    assert isinstance(effect, Fail)
    assert run.machine.finished
    return run.linked.codec.decode(effect.error)


# --- budgets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["loop", "recursion", "builtin", "generator", "catches everything"])
def test_work_without_end_fails_the_instance_and_no_handler_sees_it(how: str) -> None:
    run = driver(CASES.VmEndless, how=how)
    effects = run.machine.advance(None, FreshLocals(), budget=50_000)
    error = failure(run, effects[-1])
    assert "50000" in str(error)
    assert not any(isinstance(each, StartCall) for each in effects)


@pytest.mark.parametrize("how", ["map of a builtin", "map of maps", "texts of its own"])
def test_what_a_builtin_has_made_for_it_is_charged_for_what_it_takes(how: str) -> None:
    """Once, and not in a loop, which would end the budget whatever the builtin is charged."""
    run = driver(CASES.VmMadeForBuiltins, how=how)
    effects = run.machine.advance(None, FreshLocals(), budget=150_000)
    assert "150000" in str(failure(run, effects[-1]))


def test_a_spent_budget_is_fresh_again_after_the_next_entry() -> None:
    run = driver(CASES.VmBusyTwice)
    first = run.machine.advance(None, FreshLocals(), budget=60_000)
    assert isinstance(first[-1], StartCall)
    second = run.machine.advance(
        CallReturned(0, run.linked.codec.encode(None)), FreshLocals(), budget=60_000
    )
    assert isinstance(second[-1], Complete)


def test_replay_does_not_enforce_the_budget() -> None:
    run = driver(CASES.VmBusyTwice)
    effects = run.machine.advance(None, FreshLocals(), replay=True, budget=100)
    assert isinstance(effects[-1], StartCall)


def test_calls_that_run_when_a_limit_strikes_are_cancelled() -> None:
    run = driver(CASES.VmEndlessBesideCalls)
    run.machine.advance(None, FreshLocals())
    effects = run.machine.advance(
        CallReturned(1, run.linked.codec.encode(1)), FreshLocals(), budget=20_000
    )
    assert [type(each) for each in effects] == [CancelCall, Fail]


def test_frames_are_counted_to_the_same_depth_everywhere() -> None:
    """Counted from the frame of ``run()``: neither the host's stack nor a recovery changes it."""

    def nested(times: int) -> Any:
        return on_machine(CASES.VmDepth, {}, CASES.OUTCOMES) if not times else nested(times - 1)

    shallow = on_machine(CASES.VmDepth, {}, CASES.OUTCOMES, crash="snapshot")
    assert shallow.value == [MAX_DEPTH - 1, "maximum recursion depth exceeded", MAX_DEPTH - 1]
    assert nested(200) == shallow


def test_builtins_inside_one_another_end_before_the_hosts_stack_does() -> None:
    ending = on_machine(CASES.VmMapOfMaps, {}, CASES.OUTCOMES)
    assert ending.value == [50, "RecursionError"]


# --- endings ------------------------------------------------------------------------------------


def test_cancelling_by_force_runs_no_finally_and_names_no_error() -> None:
    run = driver(SCHEDULING.VmCancelMe)
    run.machine.advance(None, FreshLocals())
    effects = run.machine.advance(CancelRequested(force=True), FreshLocals())
    assert effects == [CancelCall(0), Cancelled(None)]
    assert run.machine.finished
    assert run.machine.advance(CallReturned(0, b"\xc0"), FreshLocals()) == []


def test_a_second_request_to_cancel_changes_nothing() -> None:
    run = driver(SCHEDULING.VmCancelMe)
    run.machine.advance(None, FreshLocals())
    first = run.machine.advance(CancelRequested(), FreshLocals())
    assert [type(each) for each in first] == [CancelCall, StartCall]
    assert run.machine.advance(CancelRequested(), FreshLocals()) == []


def test_the_late_outcome_of_a_cancelled_call_is_dropped() -> None:
    run = driver(SCHEDULING.VmCancelMe)
    run.machine.advance(None, FreshLocals())
    run.machine.advance(CancelRequested(), FreshLocals())
    before = run.machine.snapshot()
    assert run.machine.advance(CallReturned(0, b"\xc0"), FreshLocals()) == []
    assert run.machine.advance(TimerFired(99), FreshLocals()) == []
    assert run.machine.snapshot() == before


def test_a_result_that_cannot_be_kept_fails_with_its_path() -> None:
    run = driver(CASES.VmReturnsFunction)
    error = failure(run, run.machine.advance(None, FreshLocals())[-1])
    assert "items" in str(error)
    assert type(error).__name__ == "SerializationError"


def test_an_argument_that_cannot_be_kept_can_be_caught_where_it_is_awaited() -> None:
    ending = on_machine(CASES.VmPassesFunction, {}, CASES.OUTCOMES)
    assert ending.value[0] == "SerializationError"
    assert ending.trace == [("act", {"x": "after"})]


def test_print_is_logged_in_order() -> None:
    run = driver(CASES.VmPrints)
    effects = run.machine.advance(None, FreshLocals())
    assert effects[:2] == [Log("info", "one 2"), Log("info", "a-b!\n")]


# --- entries that are no entries ----------------------------------------------------------------


@pytest.mark.parametrize("broken", [b"", b"\xc1", b"\xc7\x05\x63hello", b"\x93\x01"])
def test_an_outcome_that_is_no_value_is_refused_and_leaves_the_machine_as_it_was(
    broken: bytes,
) -> None:
    run = driver(SCHEDULING.VmOneAfterTheOther)
    run.machine.advance(None, FreshLocals())
    before = run.machine.snapshot()
    for entry in (CallReturned(0, broken), CallRaised(0, broken), CallRaised(0, b"\x01")):
        with pytest.raises(MalformedValue):
            run.machine.advance(entry, FreshLocals())
    assert run.machine.snapshot() == before
    effects = run.machine.advance(CallReturned(0, run.linked.codec.encode("fine")), FreshLocals())
    assert isinstance(effects[0], StartCall)


@pytest.mark.parametrize("inputs", [{}, {"n": 1, "more": 2}, {"more": 2}, [1], None], ids=repr)
def test_inputs_that_do_not_fit_are_refused_at_the_start(inputs: Any) -> None:
    linked = linked_form(CASES.VmBusyTwice if inputs == {"more": 2} else CASES.VmNeedsInput)
    with pytest.raises(MalformedValue):
        Machine.start(
            linked, inputs=linked.codec.encode(inputs), attributes=linked.codec.encode({})
        )


# --- inline steps -------------------------------------------------------------------------------


def test_an_opaque_class_is_made_by_a_worker_while_everything_else_stands_still() -> None:
    run = driver(CASES.VmMakesOpaque)
    codec = run.linked.codec
    effects = run.machine.advance(None, FreshLocals())
    starts = [each for each in effects if isinstance(each, StartCall)]
    assert [(each.action, each.inline) for each in starts] == [
        ("waymark:construct", True),
    ]
    asked = codec.decode(starts[0].arguments)
    assert asked == {
        "type": f"{CASES.__name__}:Checked",
        "args": [],
        "kwargs": {"low": 1, "high": 5},
        "graft": True,
    }
    assert not run.machine.idle
    with pytest.raises(SnapshotRefused):
        run.machine.snapshot()
    made: Any = object.__new__(run.linked.classes[0])
    object.__setattr__(made, "__dict__", {"low": 1, "high": 5})
    object.__setattr__(made, "__pydantic_fields_set__", {"low", "high"})
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    effects = run.machine.advance(CallReturned(0, codec.encode(made)), FreshLocals())
    # Only now does the other branch of the gather take its first step.
    assert [(each.action.partition(":")[2], codec.decode(each.arguments)) for each in effects if isinstance(each, StartCall)] == [
        ("act", {"x": 5}), ("act", {"x": "other"}),
    ]  # fmt: skip


def test_what_validation_refuses_is_raised_where_the_object_was_made() -> None:
    run = driver(CASES.VmMakesOpaque)
    run.machine.advance(None, FreshLocals())
    error = run.linked.codec.encode_exception(ValueError("high is too low"))
    effects = run.machine.advance(CallRaised(0, error), FreshLocals())
    started = [each for each in effects if isinstance(each, StartCall)]
    assert run.linked.codec.decode(started[0].arguments) == {"x": "ValueError high is too low"}


# --- policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("crash", ["", "snapshot"])
def test_a_policy_is_honoured_wherever_it_comes_from(crash: str) -> None:
    workflow = CASES.VmPolicies()
    linked = linked_form(CASES.VmPolicies)
    run = Driver(linked, {"given": None})
    wire = codec()
    run.start = (
        wire.encode({"given": RetryPolicy(attempts=7, backoff_seconds=1)}),
        wire.encode(vars(workflow)),
    )
    run.machine = run._fresh()
    run.crash = crash
    effects = run.feed(None)
    while not run.machine.finished:
        effects = run.feed(run.next_entry(CASES.OUTCOMES))
    started = [each.policy for each in run.effects if isinstance(each, StartCall)]
    assert [
        (each.attempts, each.base, each.factor, each.max, each.timeout) for each in started
    ] == [
        (3, 2.0, 3.0, 9.0, 0.0),
        (4, 0.0, 1.0, 86400.0, 60.0),
        (7, 1.0, 1.0, 86400.0, 0.0),
        (2, 0.0, 1.0, 86400.0, 5.0),
        (1, 0.0, 1.0, 86400.0, 0.0),
    ]
    assert started[1].exception_types == ("ValueError",)
    assert isinstance(effects[-1], Complete)
    assert linked.codec.decode(effects[-1].result) == "cannot reuse already awaited coroutine"


# --- what was not compiled in -------------------------------------------------------------------


@pytest.mark.parametrize("what", ["str", "eq", "len", "bool", "in dict"])
def test_a_special_method_that_was_not_compiled_in_ends_the_instance(what: str) -> None:
    run = driver(CASES.VmSpecial, what=what)
    run.machine.advance(None, FreshLocals())
    odd: Any = object.__new__(run.linked.classes[0])
    odd.x = 1
    outcome = CallReturned(0, run.linked.codec.encode(odd))
    error = failure(run, run.machine.advance(outcome, FreshLocals())[-1])
    assert "WM2" in str(error)
    assert "Odd" in str(error)


# --- snapshots that are none --------------------------------------------------------------------


def snapshot() -> tuple[Any, bytes]:
    run = driver(SCHEDULING.VmLeftOver)
    run.feed(None)
    run.feed(run.next_entry(SCHEDULING.OUTCOMES))
    return run.linked, run.machine.snapshot()


def test_bytes_that_are_no_snapshot_are_refused() -> None:
    linked, stored = snapshot()
    for broken in (b"", b"\xc0", stored[:-1], stored + b"\x00", stored[: len(stored) // 2]):
        with pytest.raises(SnapshotUnreadable):
            Machine.restore(linked, broken)


def test_a_snapshot_of_another_program_or_minor_is_refused() -> None:
    linked, stored = snapshot()
    with pytest.raises(SnapshotUnreadable, match="written as"):
        Machine.restore(linked_form(SCHEDULING.VmHops), stored)
    parts = msgspec.msgpack.decode(stored)
    parts[4] = 99
    with pytest.raises(SnapshotUnreadable, match="written as"):
        Machine.restore(linked, msgspec.msgpack.encode(parts))


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_snapshot_is_refused_or_read_but_nothing_else(seed: int) -> None:
    linked, stored = snapshot()
    chance = random.Random(seed)
    parts = msgspec.msgpack.decode(stored)
    nodes = parts[-1]
    for _ in range(chance.randint(1, 4)):
        node = chance.choice(nodes)
        place = chance.randrange(len(node))
        node[place] = chance.choice(
            [
                None,
                -1,
                10**6,
                "frame",
                [0],
                [len(nodes)],
                [-1],
                [],
                {},
                [[1], [2]],
                b"",
                True,
                "list",
            ]
        )
    try:
        machine = Machine.restore(linked, msgspec.msgpack.encode(parts))
    except SnapshotUnreadable:
        return
    assert isinstance(machine.pending_calls, dict)


def test_a_finished_machine_gives_no_snapshot() -> None:
    run = driver(CASES.VmPrints)
    run.machine.advance(None, FreshLocals())
    run.machine.advance(CancelRequested(force=True), FreshLocals())
    with pytest.raises(SnapshotRefused):
        run.machine.snapshot()


# --- linking ------------------------------------------------------------------------------------


def test_a_program_is_linked_once_per_digest() -> None:
    compiled = compile_workflow(CASES.VmPrints)
    assert link(compiled.program_bytes, compiled.digest) is link(
        compiled.program_bytes, compiled.digest
    )


def test_timers_and_calls_are_numbered_apart_and_in_order() -> None:
    run = driver(SCHEDULING.VmSleepsInOrder)
    effects = run.machine.advance(None, FreshLocals())
    assert [each.timer for each in effects if isinstance(each, StartTimer)] == [0, 1, 2, 3]
    assert [each.call for each in effects if isinstance(each, StartCall)] == [0, 1]


# --- tracebacks ---------------------------------------------------------------------------------


def test_a_failure_tells_the_way_through_the_workflow_and_through_the_worker() -> None:
    compiled = compile_workflow(CASES.VmFailsDeepInside)
    linked = link(compiled.program_bytes, compiled.digest, spans=encode_spans(compiled.spans))
    run = Driver(linked, {})
    run.machine.advance(None, FreshLocals())
    with pytest.raises(ZeroDivisionError) as raised:
        CASES.broken()
    wire = linked.codec.encode_exception(raised.value)
    error = failure(run, run.machine.advance(CallRaised(0, wire), FreshLocals())[-1])
    past = faults.remains(error)
    assert past is not None
    told = past.traceback.splitlines()
    assert any("in broken" in line for line in told)
    start = told.index("Traceback of the workflow (most recent call last):")
    ways = [line for line in told[start:] if "limits.py" in line]
    assert [line.rpartition(" in ")[2] for line in ways] == [
        "VmFailsDeepInside.run", "VmFailsDeepInside.outer", "VmFailsDeepInside.inner",
    ]  # fmt: skip
    source = Path(CASES.__file__).read_text().splitlines()
    numbers = [int(line.split("line ")[1].split(",")[0]) for line in ways]
    assert [source[number - 1].strip() for number in numbers] == [
        "return await asyncio.gather(self.outer())", "return await self.inner()", "return await act(1)",
    ]  # fmt: skip
    assert told[-1] == "ZeroDivisionError: integer division or modulo by zero"


def test_a_limit_tells_where_it_struck() -> None:
    run = driver(CASES.VmEndless, how="recursion")
    error = failure(run, run.machine.advance(None, FreshLocals(), budget=5_000)[-1])
    past = faults.remains(error)
    assert past is not None
    assert "in again, block" in past.traceback
