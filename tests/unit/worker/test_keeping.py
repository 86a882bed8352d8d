"""Runs with long journals in; how often their state is written down, and what is rebuilt from it, out."""

from typing import Any

import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import Desk, inputs_of, loaded, rebuilt, value_of
from waymark_schema.tables.settle import SnapshotRow
from waymark_worker.runloop import keeping, recovery
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.snapshot import SnapshotRefused

LEAST = 100


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(keeping, "LEAST_ENTRIES", LEAST)
    return Desk()


def steps(desk: Desk, count: int, value: Any = 1) -> list[SnapshotRow]:
    """End the open call so many times; the snapshots written meanwhile."""
    found = []
    for _ in range(count):
        desk.end(desk.pool.submitted.pop(), value=value)
        found += [change.snapshot for change in desk.commit() if change.snapshot is not None]
    return found


def journal_bytes(desk: Desk, live: LiveInstance) -> int:
    return sum(recovery.entry_size(row) for row in desk.rows(live))


async def test_a_short_run_is_never_written_down(desk: Desk) -> None:
    desk.begin(flows.Long, LEAST, True)
    assert steps(desk, LEAST - 1) == []


async def test_a_long_run_is_rebuilt_from_its_snapshot_and_what_came_behind(desk: Desk) -> None:
    live = desk.begin(flows.Long, 5 * LEAST, True)
    kept = steps(desk, 2 * LEAST + 10)
    assert [row.position for row in kept] == [LEAST, 2 * LEAST]
    tail = desk.entries(live)[2 * LEAST :]
    assert len(tail) == 10
    again = rebuilt(
        loaded(live, inputs_of(flows.Long, 5 * LEAST, True), snapshot=(2 * LEAST, kept[-1].state)),
        flows.Long,
        tail,
    )
    assert again.machine.snapshot() == live.machine.snapshot()
    assert (again.kept_at, again.kept_bytes, again.grown) == (
        2 * LEAST,
        len(kept[-1].state),
        live.grown,
    )
    desk.runloop.drop(live)
    desk.runloop.resume(again)
    desk.pool.submitted = desk.pool.submitted[-1:]
    assert [row.position for row in steps(desk, LEAST)] == [3 * LEAST]
    steps(desk, 2 * LEAST - 10)
    (final,) = [change.final for change in desk.committer.all if change.final is not None]
    assert value_of(final.result or b"") == 5 * LEAST
    assert desk.committer.all[-1].forget_snapshot


async def test_few_entries_with_large_values_are_written_down_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 40_000)
    desk.begin(flows.Long, LEAST, False)
    kept = steps(desk, LEAST - 1, "x" * 2_000)
    assert [row.position for row in kept] == [20, 40, 60, 80]


async def test_large_values_do_not_mean_a_snapshot_at_every_step(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 40_000)
    desk.begin(flows.Long, LEAST, False)
    kept = steps(desk, 35, "x" * 80_000)
    assert [row.position for row in kept] == [10, 20, 30]


async def test_a_large_state_is_written_down_ever_more_rarely_as_it_grows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 40_000)
    live = desk.begin(flows.Gathers, LEAST)
    kept = steps(desk, LEAST - 1, "x" * 2_000)
    assert 2 <= len(kept) <= 4
    assert sum(len(row.state) for row in kept) <= 2 * journal_bytes(desk, live)


async def test_what_snapshots_take_is_no_more_than_what_the_journal_does(desk: Desk) -> None:
    live = desk.begin(flows.Long, 20 * LEAST, True)
    value = 2**62
    kept = steps(desk, 10 * LEAST, value)
    assert len(kept) >= 3
    assert sum(len(row.state) for row in kept) <= journal_bytes(desk, live)
    assert live.position - live.kept_at <= 5 * LEAST


async def test_a_wide_fan_is_not_written_down_again_and_again(desk: Desk) -> None:
    live = desk.begin(flows.WideFan, 4 * LEAST)
    sizes = []
    for attempt in list(desk.pool.submitted)[: 4 * LEAST - 10]:
        desk.end(attempt, value=1)
        sizes += [len(c.snapshot.state) for c in desk.commit() if c.snapshot is not None]
    assert len(sizes) >= 1
    assert sum(sizes) <= 2 * journal_bytes(desk, live)


async def test_a_state_that_has_no_stored_form_is_tried_ever_more_rarely(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    def refused(_: Machine) -> Any:
        nonlocal tried
        tried += 1
        raise SnapshotRefused("something without a stored form")

    monkeypatch.setattr(Machine, "snapshot", refused)
    live = desk.begin(flows.Long, 10 * LEAST, False)
    assert steps(desk, 9 * LEAST) == []
    assert tried == 4, "after 1, 2, 4 and 8 hundred entries"
    assert not live.had_snapshot
