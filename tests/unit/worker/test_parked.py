"""Idle runs in; which of them leave memory, until when, and how they come back out."""

import math
from typing import Any

import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import NOW, Desk, inputs_of, loaded, rebuilt
from waymark_worker.runloop import parking
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.snapshot import SnapshotRefused


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_a_run_waits_until_its_first_timer_or_retry(desk: Desk) -> None:
    naps = desk.begin(flows.Naps, 20.0)
    tries = desk.begin(flows.Tries, 3)
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    desk.commit()
    assert parking.waits_until(naps) == NOW + 20.0
    assert parking.waits_until(tries) == NOW + 5.0


async def test_a_run_that_only_mail_can_move_is_parked_without_a_time(desk: Desk) -> None:
    live = desk.begin(flows.HeldBack)
    desk.commit()
    assert desk.idle == [live]
    assert parking.waits_until(live) == math.inf
    change = parking.parked(live, due=math.inf, limit=1 << 20)
    assert change.final is not None
    assert change.final.wake_at is None


async def test_a_run_stays_while_its_call_is_held_back(desk: Desk) -> None:
    # Heartbeats are late: parked now, the call would start when the timer beside it is due, in an hour.
    desk.runloop.dispatcher.allow(False)
    live = desk.begin(flows.Hurries)
    desk.commit()
    assert desk.pool.submitted == []
    assert parking.waits_until(live) is None
    desk.runloop.dispatcher.allow(True)
    assert len(desk.pool.submitted) == 1


async def test_a_run_whose_timed_out_attempt_is_gone_is_idle_until_its_retry(desk: Desk) -> None:
    live = desk.begin(flows.TriesLate)
    (attempt,) = desk.pool.submitted
    desk.runloop.attempt_timed_out(attempt)
    desk.commit()
    assert desk.idle == [], "its worker still works on it"
    desk.end(attempt)
    assert desk.idle == [live]


@pytest.mark.parametrize("why", ["too big", "refused"])
async def test_a_state_that_cannot_be_kept_is_rebuilt_from_the_journal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    live = desk.begin(flows.Naps, 20.0)
    desk.commit()

    def refused(_: Machine) -> Any:
        raise SnapshotRefused("a lock")

    if why == "refused":
        monkeypatch.setattr(Machine, "snapshot", refused)
    change = parking.parked(live, due=NOW + 20.0, limit=10)
    assert (change.snapshot, live.had_snapshot) == (None, False)
    desk.runloop.park(live, change)
    entries = desk.entries(live)
    desk.commit()
    assert desk.runloop.instances == {}
    again = rebuilt(
        loaded(live, inputs_of(flows.Naps, 20.0)),
        flows.Naps,
        entries,
    )
    assert again.timers[0].due_at == NOW + 20.0
