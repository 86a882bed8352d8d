"""Claimed runs and ended attempts in; what is committed, and what leaves only after the commit, out."""

from typing import Any

import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import NOW, Desk, inputs_of, loaded, rebuilt, value_of
from waymark.coercion import codec
from waymark_schema.errors import NotTheOwner
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.recorded import EntryLocals, decode_locals, encode_locals
from waymark_worker.journal import Change
from waymark_worker.runloop import parking, recovery, rows
from waymark_worker.vm.machine import Machine


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_a_first_call_needs_no_commit(desk: Desk) -> None:
    desk.begin(flows.Two, 3)
    assert desk.committer.all == []
    assert [value_of(attempt.arguments) for attempt in desk.pool.submitted] == [{"x": 3}]


async def test_the_next_call_leaves_only_after_the_outcome_is_committed(desk: Desk) -> None:
    live = desk.begin(flows.Two, 3)
    desk.end(desk.pool.submitted[0], value=30)
    assert len(desk.pool.submitted) == 1
    (change,) = desk.commit()
    assert [(row.position, row.kind, row.call) for row in change.rows] == [
        (1, JournalKind.OUTCOME, 0)
    ]
    assert len(desk.pool.submitted) == 2
    desk.end(desk.pool.submitted[1], value=300)
    assert desk.finished == []
    (change,) = desk.commit()
    assert change.final is not None
    assert (change.final.state, value_of(change.final.result or b"")) == (
        InstanceState.COMPLETED,
        300,
    )
    assert desk.finished == [live]
    assert desk.runloop.instances == {}


async def test_a_run_without_calls_ends_in_one_commit(desk: Desk) -> None:
    desk.begin(flows.AtOnce, 5)
    (change,) = desk.commit()
    assert change.rows == []
    assert change.final is not None
    assert value_of(change.final.result or b"") == 5


async def test_a_first_advance_that_starts_a_timer_is_committed_before_it_counts(
    desk: Desk,
) -> None:
    live = desk.begin(flows.Naps, 20.0)
    (row,) = desk.rows(live)
    assert (row.kind, row.position) == (JournalKind.START, 1)
    assert decode_locals(row.local).timers == {0: NOW + 20.0}
    assert not live.timers[0].handle
    desk.commit()
    assert live.timers[0].handle
    assert desk.idle == [live]


@pytest.mark.parametrize("seconds", [float("nan"), -5.0, float("inf"), 1e300])
async def test_no_length_of_a_sleep_upsets_the_runloop(desk: Desk, seconds: float) -> None:
    live = desk.begin(flows.Naps, seconds)
    for change in desk.commit():
        assert change.final is None or change.final.state == InstanceState.FAILED
    if live.timers:
        due = parking.waits_until(live)
        assert due is not None
        parked = parking.parked(live, due=due, limit=1 << 20)
        assert parked.final is not None
        assert parked.final.wake_at is not None


async def test_a_timer_is_journaled_and_fires_once(desk: Desk) -> None:
    live = desk.begin(flows.Naps, 20.0)
    desk.commit()
    desk.clock.at += 20.0
    desk.runloop.dispatcher._due(live, 0)
    desk.runloop.dispatcher._due(live, 0)
    assert [row.kind for row in desk.rows(live)] == [JournalKind.START, JournalKind.TIMER]
    assert desk.pool.submitted == []
    desk.commit()
    assert len(desk.pool.submitted) == 1


async def test_a_timer_that_is_early_waits_again(desk: Desk) -> None:
    live = desk.begin(flows.Naps, 20.0)
    desk.commit()
    desk.clock.at += 19.0
    desk.runloop.dispatcher._due(live, 0)
    assert len(desk.rows(live)) == 1
    assert live.timers[0].handle is not None


async def test_a_retry_time_is_committed_before_the_retry_is_set(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 3)
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    (row,) = desk.rows(live)
    assert (row.kind, row.outcome_kind, row.attempt) == (JournalKind.RETRY, OutcomeKind.ERROR, 1)
    assert decode_locals(row.local).retry_at == NOW + 5.0
    assert not live.calls[0].retry_handle
    desk.commit()
    assert live.calls[0].retry_handle
    assert desk.idle == [live]
    desk.runloop.dispatcher._retry(live.calls[0])
    assert [attempt.number for attempt in desk.pool.submitted] == [1, 2]
    assert desk.runloop.idle == set()


async def test_a_lost_attempt_is_not_the_users(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 2)
    desk.runloop.attempts_lost([desk.pool.submitted[0]], "worker 1 ended with signal 9")
    (row,) = desk.rows(live)
    assert (row.kind, row.outcome_kind) == (JournalKind.LOST, OutcomeKind.LOST)
    assert len(desk.pool.submitted) == 1
    desk.commit()
    assert [attempt.number for attempt in desk.pool.submitted] == [1, 1]


@pytest.mark.parametrize(
    ("beside", "attempts"),
    [
        ([False, False, False], 3),
        ([True, False, False], 3),
        ([True, True, False, False], 4),
    ],
)
async def test_three_deaths_two_of_them_with_nothing_beside_it_fail_a_call(
    desk: Desk, beside: list[bool], attempts: int
) -> None:
    """Who was there when a neighbour ended the worker, twice, may still have one death of its own."""
    live = desk.begin(flows.Two, 1)
    for others in beside:
        attempt = desk.pool.submitted[-1]
        attempt.alone = not others
        desk.runloop.attempts_lost([attempt], "worker 1 ended with exit status 3")
        desk.commit()
    assert len(desk.pool.submitted) == attempts
    kinds = [row.kind for row in desk.rows(live)]
    assert kinds == [JournalKind.LOST] * (attempts - 1) + [JournalKind.OUTCOME]
    error = value_of(desk.rows(live)[-1].outcome)
    assert type(error).__name__ == "WorkerCrashed"
    assert desk.committer.all[-1].final is not None


async def test_after_two_deaths_a_call_gets_a_worker_of_its_own(desk: Desk) -> None:
    desk.begin(flows.Two, 1)
    for alone in (False, False, True):
        attempt = desk.pool.submitted[-1]
        assert attempt.alone is alone
        desk.runloop.attempts_lost([attempt], "worker 1 ended with exit status 3")
        desk.commit()


async def test_a_timeout_is_committed_before_its_cancellation_leaves(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 1)
    (attempt,) = desk.pool.submitted
    desk.runloop.attempt_timed_out(attempt)
    assert desk.pool.withdrawn == []
    assert [row.kind for row in desk.rows(live)] == [JournalKind.TIMEOUT]
    desk.commit()
    assert desk.pool.withdrawn == [attempt]


async def test_what_comes_after_a_timeout_is_not_used(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 1)
    (attempt,) = desk.pool.submitted
    desk.runloop.attempt_timed_out(attempt)
    desk.end(attempt, value=9)
    desk.commit()
    assert len(desk.rows(live)) == 1
    assert desk.committer.all[-1].final is not None
    assert desk.committer.all[-1].final.state == InstanceState.FAILED


async def test_output_of_an_attempt_is_kept_with_its_entry(desk: Desk) -> None:
    lines = codec().encode([["stdout", "hi", 1.0]])
    live = desk.begin(flows.Tries, 2)
    desk.end(desk.pool.submitted[0], error=ValueError("no"), log=lines)
    desk.commit()
    desk.runloop.dispatcher._retry(live.calls[0])
    desk.end(desk.pool.submitted[1], value=1, log=lines)
    first, second = (decode_locals(row.local) for row in desk.rows(live))
    assert (first.output, first.retry_at) == (lines, NOW + 5.0)
    assert (second.output, second.retry_at) == (lines, None)


async def test_what_the_workflow_prints_is_kept_with_the_entry(desk: Desk) -> None:
    live = desk.begin(flows.Prints)
    (row,) = desk.rows(live)
    assert decode_locals(row.local).log == [("info", "hello")]


async def test_nothing_is_dispatched_while_beats_are_late_and_all_of_it_afterwards(
    desk: Desk,
) -> None:
    desk.runloop.dispatcher.allow(False)
    desk.begin(flows.BothAtOnce)
    assert desk.pool.submitted == []
    desk.runloop.dispatcher.allow(True)
    assert [attempt.call for attempt in desk.pool.submitted] == [0, 1]
    desk.runloop.dispatcher.allow(True)
    assert len(desk.pool.submitted) == 2


async def test_a_call_that_was_cancelled_while_it_was_held_back_never_starts(desk: Desk) -> None:
    desk.runloop.dispatcher.allow(False)
    live = desk.begin(flows.BothAtOnce)
    desk.runloop.dispatcher.cancel(live, 0)
    desk.runloop.dispatcher.allow(True)
    assert [attempt.call for attempt in desk.pool.submitted] == [1]


async def test_a_call_that_was_cancelled_while_its_loss_was_committed_never_starts(
    desk: Desk,
) -> None:
    live = desk.begin(flows.BothAtOnce)
    desk.runloop.attempts_lost([desk.pool.submitted[0]], "gone")
    desk.runloop.dispatcher.cancel(live, 0)
    desk.commit()
    assert len(desk.pool.submitted) == 2


async def test_an_outcome_that_is_no_value_becomes_the_calls_error(desk: Desk) -> None:
    live = desk.begin(flows.Two, 1)
    attempt = desk.pool.submitted[0]
    attempt.runs = False
    from waymark_schema.wire.frames import CallEnd  # noqa: PLC0415 - only here

    desk.runloop.attempt_ended(attempt, CallEnd(1, 0, b"\xc1", 0.0, 0.1))
    (row,) = desk.rows(live)
    assert row.outcome_kind == OutcomeKind.ERROR
    assert type(value_of(row.outcome)).__name__ == "SerializationError"
    (change,) = desk.commit()
    assert change.final is not None
    assert change.final.state == InstanceState.FAILED


async def test_a_defect_of_the_machine_costs_one_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    guilty = desk.begin(flows.Two, 1)

    def broken(*_: Any, **__: Any) -> Any:
        raise AttributeError("'NoneType' object has no attribute 'frame'")

    monkeypatch.setattr(Machine, "advance", broken)
    desk.end(desk.pool.submitted[0], value=1)
    monkeypatch.undo()
    (change,) = desk.commit()
    assert change.final is not None
    assert change.final.state == InstanceState.QUARANTINED
    assert "the machine failed: AttributeError" in str(value_of(change.final.error or b""))
    assert [row.position for row in change.rows] == [1], "its outcome is not lost"
    assert guilty.id not in desk.runloop.instances
    desk.begin(flows.Two, 1)
    assert desk.advanced[-1] is None


async def test_a_run_that_is_somebody_elses_is_forgotten(desk: Desk) -> None:
    live = desk.begin(flows.Two, 1)
    attempt = desk.pool.submitted[0]
    desk.end(attempt, value=1)
    (change,) = desk.committer.waiting
    desk.runloop.rejected(change, NotTheOwner("theirs"))
    assert live.ended
    assert desk.runloop.instances == {}
    assert desk.committer.all == [change]


async def test_a_run_whose_commit_is_refused_is_quarantined_with_the_reason(desk: Desk) -> None:
    live = desk.begin(flows.BothAtOnce)
    desk.end(desk.pool.submitted[0], value=1)
    (change,) = desk.committer.waiting
    desk.runloop.rejected(change, ValueError("value too large"))
    last = desk.committer.all[-1]
    assert last.last_word
    assert last.rows == []
    assert last.final is not None
    assert "value too large" in str(value_of(last.final.error or b""))
    assert desk.pool.withdrawn == [desk.pool.submitted[1]]
    assert live.id not in desk.runloop.instances


async def test_nothing_is_fed_to_a_run_that_was_dropped(desk: Desk) -> None:
    desk.begin(flows.BothAtOnce)
    desk.runloop.drop_all()
    for attempt in desk.pool.submitted:
        attempt.abandoned = False
        desk.end(attempt, value=1)
        desk.runloop.attempt_timed_out(attempt)
        desk.runloop.attempts_lost([attempt], "gone")
    assert desk.committer.all == []


async def test_attempts_beyond_what_a_row_can_count_keep_the_largest_number(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 10**6)
    live.calls[0].failed = 50_000
    desk.pool.submitted[0].number = 50_001
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    assert desk.rows(live)[0].attempt == 32_767


async def test_only_what_waits_for_time_is_idle(desk: Desk) -> None:
    desk.begin(flows.BothAtOnce)
    assert desk.idle == []
    desk.end(desk.pool.submitted[0], value=1)
    desk.commit()
    assert desk.idle == [], "the other call still runs"


async def test_a_run_whose_call_is_held_back_is_not_idle_whatever_it_sleeps(desk: Desk) -> None:
    desk.runloop.dispatcher.allow(False)
    desk.begin(flows.StepsAndNaps)
    desk.commit()
    # Parked, its call would not start before the sleep is over.
    assert (desk.idle, desk.runloop.idle) == ([], set())
    desk.runloop.dispatcher.allow(True)
    (attempt,) = desk.pool.submitted
    desk.end(attempt, value=1)
    desk.commit()
    assert len(desk.idle) == 1


async def test_a_run_whose_retry_is_held_back_is_idle_no_longer(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 3)
    desk.end(desk.pool.submitted[0], error=ConnectionError("no"))
    desk.commit()
    assert desk.runloop.idle == {live}
    desk.runloop.dispatcher.allow(False)
    desk.runloop.dispatcher._retry(live.calls[0])
    assert desk.runloop.idle == set()
    desk.runloop.dispatcher.allow(True)
    assert len(desk.pool.submitted) == 2


async def test_a_parked_run_goes_on_where_it_was(desk: Desk) -> None:
    live = desk.begin(flows.Naps, 20.0)
    desk.commit()
    assert parking.waits_until(live) == NOW + 20.0
    change = parking.parked(live, due=NOW + 20.0, limit=1 << 20)
    assert change.snapshot is not None
    assert change.final is not None
    assert change.final.state == InstanceState.WAITING
    desk.runloop.park(live, change)
    desk.commit()
    assert desk.runloop.instances == {}
    snapshot = (change.snapshot.position, change.snapshot.state)
    again = rebuilt(
        loaded(live, inputs_of(flows.Naps, 20.0), snapshot=snapshot),
        flows.Naps,
        [],
    )
    assert again.timers[0].due_at == NOW + 20.0
    assert again.position == 1
    desk.runloop.resume(again)
    desk.clock.at += 20
    desk.runloop.dispatcher._due(again, 0)
    desk.commit()
    assert len(desk.pool.submitted) == 1


async def test_a_run_that_is_handed_back_keeps_its_lost_owners_but_is_not_to_blame(
    desk: Desk,
) -> None:
    live = desk.begin(flows.Two, 1)
    live.recoveries = 4
    assert rows.queued_row(live, crash_limit=3).recoveries == 4
    # It was about to run alone, or did, when its pool ended in order.
    live.calls[0].alone_epoch = live.epoch
    assert rows.queued_row(live, crash_limit=3).recoveries == 3
    live.calls[0].alone_epoch = live.epoch - 1
    assert rows.queued_row(live, crash_limit=3).recoveries == 4
    live.calls[0].beside_epochs = (live.epoch,)
    assert rows.queued_row(live, crash_limit=3).recoveries == 0


@pytest.mark.parametrize(
    ("beside", "recoveries", "guilty"),
    [
        ((), 5, False),
        ((9,), 5, False),
        ((8, 9), 5, True),
        ((6, 8), 5, True),
        ((8, 9), 3, False),
        ((3, 9), 5, False),
        ((5, 9), 5, False),
    ],
    ids=[
        "never tried",
        "once",
        "twice",
        "not in a row, since others were tried",
        "within the limit",
        "one before it last came further",
        "one under the claim in which it came further",
    ],
)
async def test_a_call_that_was_tried_beside_others_is_blamed_at_the_second_death(
    desk: Desk, beside: tuple[int, ...], recoveries: int, *, guilty: bool
) -> None:
    live = desk.begin(flows.Two, 1)
    live.epoch = 10
    call = live.calls[0]
    for epoch in beside:
        local = encode_locals(EntryLocals(beside_epoch=epoch))
        kind, outcome = JournalKind.LOST, OutcomeKind.LOST
        row = desk.runloop.row(desk.pool.submitted[0], kind, outcome, b"", 0.0)
        desk.runloop.commit(
            live, Change(live.id, live.epoch, None, rows=[row._replace(local=local)])
        )
    live.recoveries = recoveries
    again = rebuilt(loaded(live, inputs_of(flows.Two, 1)), flows.Two, desk.entries(live))
    if not beside:
        assert not again.begun, "nothing of it is written yet"
        again = live
    assert again.calls[0].beside_epochs == beside
    assert again.calls[0].deaths == 0, "nobody has died of a record"
    snapshot = (again.position, recovery.snapshot_state(again))
    kept = rebuilt(loaded(live, inputs_of(flows.Two, 1), snapshot=snapshot), flows.Two, [])
    assert kept.calls[0].beside_epochs == beside
    call.beside_epochs = beside
    desk.runloop.suspects.blame(live)
    assert live.ended is guilty
    if guilty:
        change = desk.committer.all[-1]
        assert change.final is not None
        assert "nothing else had been started" in str(value_of(change.final.error or b""))
