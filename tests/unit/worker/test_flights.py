"""Attempts that have run for a moment in; which live rows are written, and when they go, out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import NOW, Desk, value_of
from waymark_schema.kinds import InstanceState
from waymark_worker.journal import Change
from waymark_worker.runloop import flights, parking, rows
from waymark_worker.runloop.live import LiveInstance


class Watched(Desk):
    """A desk that looks as the runloop's process does."""

    def look(self) -> list[Change]:
        """What is written by one look."""
        before = len(self.committer.waiting)
        self.runloop.flights.look([attempt for attempt in self.pool.submitted if attempt.runs])
        return self.committer.waiting[before:]

    def shown(self) -> set[tuple[Any, int, int]]:
        """The live rows that all changes so far leave: instance, call, attempt."""
        rows: dict[tuple[Any, int], int] = {}
        for change in self.committer.all:
            for call in change.landed:
                assert rows.pop((change.instance, call), None), "nothing is deleted in vain"
            rows.update({(row.instance, row.call): row.attempt for row in change.flying})
        return {(*key, attempt) for key, attempt in rows.items()}

    def commit(self) -> list[Change]:
        changes, self.committer.waiting = self.committer.waiting, []
        self.runloop.committed([change for change in changes if change.carried is not None])
        return changes


@pytest.fixture
async def desk() -> Watched:
    return Watched()


def _begun(desk: Watched, workflow: Any, *arguments: Any) -> LiveInstance:
    return desk.begin(workflow, *arguments)


async def test_a_call_is_shown_once_it_has_run_for_a_moment(desk: Watched) -> None:
    live = _begun(desk, flows.Two, 3)
    (attempt,) = desk.pool.submitted
    attempt.started_at = desk.runloop.loop_time(NOW)
    assert desk.look() == []
    attempt.started_at -= flights.SHOWN_AFTER_SECONDS
    (change,) = desk.look()
    (row,) = change.flying
    assert (row.instance, row.call, row.attempt, row.worker) == (live.id, 0, 1, 1)
    assert value_of(row.inputs or b"") == {"x": 3}
    assert NOW - 1 < row.started_at.timestamp() < NOW
    assert row.queued_at.timestamp() == NOW
    assert desk.look() == [], "it is written once"


async def test_the_row_goes_with_the_outcome(desk: Watched) -> None:
    live = _begun(desk, flows.Two, 3)
    desk.look()
    desk.end(desk.pool.submitted[0], value=30)
    assert desk.shown() == set()
    desk.commit()
    desk.look()
    assert desk.shown() == {(live.id, 1, 1)}
    desk.end(desk.pool.submitted[1], value=300)
    assert desk.shown() == set()


async def test_what_ends_at_once_costs_nothing_more(desk: Watched) -> None:
    _begun(desk, flows.Two, 3)
    desk.end(desk.pool.submitted[0], value=30)
    desk.commit()
    desk.end(desk.pool.submitted[1], value=300)
    assert all(not change.flying and not change.landed for change in desk.committer.all)


async def test_the_next_attempt_has_a_row_of_its_own(desk: Watched) -> None:
    live = _begun(desk, flows.Tries, 3)
    desk.look()
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    assert desk.shown() == set()
    desk.commit()
    desk.clock.at += 10
    (call,) = live.calls.values()
    call.retry_at = None
    desk.runloop.dispatcher.dispatch(call)
    desk.look()
    assert desk.shown() == {(live.id, 0, 2)}


async def test_an_attempt_that_timed_out_is_not_shown_while_it_ends(desk: Watched) -> None:
    _begun(desk, flows.Tries, 2)
    desk.look()
    desk.runloop.attempt_timed_out(desk.pool.submitted[0])
    assert desk.shown() == set()
    assert desk.look() == []


async def test_a_call_that_nobody_waits_for_any_more_is_forgotten(desk: Watched) -> None:
    live = _begun(desk, flows.BothAtOnce)
    desk.look()
    assert desk.shown() == {(live.id, 0, 1), (live.id, 1, 1)}
    desk.runloop.dispatcher.cancel(live, 1)
    (change,) = desk.look()
    assert (change.landed, desk.shown()) == ([1], {(live.id, 0, 1)})
    assert desk.look() == []


async def test_what_was_taken_back_unread_is_not_shown_until_it_is_begun_again(
    desk: Watched,
) -> None:
    live = _begun(desk, flows.Two, 3)
    (attempt,) = desk.pool.submitted
    desk.look()
    attempt.runs = False
    desk.look()
    assert desk.shown() == set()
    attempt.runs, attempt.ticket, attempt.worker_number = True, 7, 2
    (change,) = desk.look()
    assert [row.worker for row in change.flying] == [2]
    attempt.ticket, attempt.worker_number = 8, 3
    (change,) = desk.look()
    assert [row.worker for row in change.flying] == [3], "it was begun again between two looks"
    assert desk.shown() == {(live.id, 0, 1)}


async def test_large_inputs_are_not_written_twice(desk: Watched) -> None:
    _begun(desk, flows.Two, 3)
    (attempt,) = desk.pool.submitted
    attempt.owner.arguments = b"x" * (rows.MOST_SHOWN_BYTES + 1)
    (change,) = desk.look()
    assert change.flying[0].inputs is None


async def test_a_refused_change_leaves_no_row(desk: Watched) -> None:
    live = _begun(desk, flows.Two, 3)
    desk.look()
    desk.end(desk.pool.submitted[0], value=30)
    refused = desk.committer.all.pop()
    assert refused.landed == [0]
    desk.runloop.rejected(refused, OSError("no"))
    assert desk.committer.all[-1].landed == [0]
    assert desk.shown() == set()
    assert live.ended


async def test_a_timer_of_the_same_number_ends_no_call(desk: Watched) -> None:
    live = _begun(desk, flows.StepsAndNaps)
    desk.commit()
    desk.look()
    before = desk.shown()
    assert before
    (number, *_) = live.timers
    desk.runloop._timer_due(live, number)
    assert desk.shown() == before


async def test_an_end_takes_every_row_along(desk: Watched) -> None:
    live = _begun(desk, flows.BothAtOnce)
    desk.look()
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    change = desk.committer.all[-1]
    assert change.final is not None
    assert change.final.state == InstanceState.FAILED
    assert sorted(change.landed) == [0, 1]
    assert desk.shown() == set()
    assert live.ended
    assert desk.look() == []


async def test_handing_a_run_back_takes_every_row_along(desk: Watched) -> None:
    live = _begun(desk, flows.Two, 3)
    desk.look()
    desk.runloop.park(live, parking.parked(live, due=NOW + 60, limit=1 << 20))
    assert desk.shown() == set()
    assert desk.look() == []


async def test_a_run_that_is_set_aside_leaves_no_row(desk: Watched) -> None:
    live = _begun(desk, flows.Two, 3)
    desk.look()
    desk.end(desk.pool.submitted[0], value=30)
    desk.commit()
    desk.look()
    desk.runloop.rejected(Change(live.id, live.epoch, (live, (), None, None)), OSError("no"))
    change = desk.committer.all[-1]
    assert change.final is not None
    assert change.final.state == InstanceState.QUARANTINED
    assert desk.shown() == set()


async def test_of_a_run_that_is_no_longer_ours_nothing_is_written(desk: Watched) -> None:
    live = _begun(desk, flows.Two, 3)
    desk.look()
    written = len(desk.committer.all)
    desk.runloop.drop(live)
    assert desk.look() == []
    assert len(desk.committer.all) == written
