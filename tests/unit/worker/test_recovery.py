"""Journals, whole and damaged, in; live runs at their last committed point, or why not, out."""

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import NOW, Desk, inputs_of, loaded, rebuilt, value_of
from waymark_schema.kinds import JournalKind
from waymark_schema.tables.journal import JournalEntry
from waymark_worker.runloop import recovery
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.recovery import Diverged
from waymark_worker.vm.snapshot import SnapshotUnreadable


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def again(
    live: LiveInstance,
    workflow: Any,
    arguments: tuple[Any, ...],
    entries: list[JournalEntry],
    **rest: Any,
) -> LiveInstance:
    row = loaded(live, inputs_of(workflow, *arguments), snapshot=rest.pop("snapshot", None))
    return rebuilt(row, workflow, entries)


async def test_of_a_run_without_entries_nothing_has_happened(desk: Desk) -> None:
    # Claimed, advanced, and its pool killed before the first commit.
    live = desk.begin(flows.Naps, 5.0)
    found = again(live, flows.Naps, (5.0,), [])
    assert not found.begun
    assert (found.calls, found.timers, found.position) == ({}, {}, 0)
    desk.runloop.resume(found)
    assert [row.kind for row in desk.committer.all[-1].rows] == [JournalKind.START]


async def test_a_run_that_ends_at_once_ends_after_a_crash_too(desk: Desk) -> None:
    live = desk.begin(flows.AtOnce, 4)
    desk.runloop.resume(again(live, flows.AtOnce, (4,), []))
    final = desk.committer.all[-1].final
    assert final is not None
    assert value_of(final.result or b"") == 4


async def test_open_calls_are_dispatched_with_the_same_numbers_and_arguments(desk: Desk) -> None:
    live = desk.begin(flows.BothAtOnce)
    desk.end(desk.pool.submitted[1], value=2)
    desk.commit()
    found = again(live, flows.BothAtOnce, (), desk.entries(live))
    assert {number: value_of(call.arguments) for number, call in found.calls.items()} == {
        0: {"x": 1}
    }
    desk.runloop.resume(found)
    assert (desk.pool.submitted[-1].call, desk.pool.submitted[-1].number) == (0, 1)


async def test_a_backoff_keeps_its_time(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 3)
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    desk.commit()
    found = again(live, flows.Tries, (3,), desk.entries(live))
    assert (found.calls[0].failed, found.calls[0].retry_at) == (1, NOW + 5.0)
    before = len(desk.pool.submitted)
    desk.runloop.resume(found)
    assert len(desk.pool.submitted) == before
    desk.runloop.dispatcher._retry(found.calls[0])
    assert desk.pool.submitted[-1].number == 2


async def test_deaths_are_counted_across_recoveries(desk: Desk) -> None:
    live = desk.begin(flows.Two, 1)
    for _ in range(2):
        desk.runloop.attempts_lost([desk.pool.submitted[-1]], "gone")
        desk.commit()
    found = again(live, flows.Two, (1,), desk.entries(live))
    assert (found.calls[0].deaths, found.calls[0].failed) == (2, 0)
    desk.runloop.resume(found)
    assert desk.pool.submitted[-1].alone


async def test_progress_of_open_calls_outlives_a_snapshot(desk: Desk) -> None:
    live = desk.begin(flows.Tries, 3)
    desk.end(desk.pool.submitted[0], error=ValueError("no"))
    desk.commit()
    state = recovery.snapshot_state(live)
    found = again(live, flows.Tries, (3,), [], snapshot=(1, state))
    assert (found.calls[0].failed, found.calls[0].retry_at) == (1, NOW + 5.0)
    assert (found.position, found.begun, found.had_snapshot) == (1, True, True)


async def test_a_snapshot_that_cannot_be_read_asks_for_the_whole_journal(desk: Desk) -> None:
    live = desk.begin(flows.Naps, 5.0)
    desk.commit()
    state = recovery.snapshot_state(live)
    for damaged in (b"", b"\xc1", state[:10], state.replace(b"\x00", b"\xc1", 1)):
        if damaged == state:
            continue
        with pytest.raises(SnapshotUnreadable):
            again(live, flows.Naps, (5.0,), [], snapshot=(1, damaged))


async def _half_way(desk: Desk) -> tuple[LiveInstance, list[JournalEntry]]:
    live = desk.begin(flows.Two, 1)
    desk.end(desk.pool.submitted[0], value=2)
    desk.commit()
    return live, desk.entries(live)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"position": 2}, "entry 2 of the journal follows entry 0: one is missing"),
        ({"call": 5}, "settles call 5, which the program has not started"),
        ({"call": None}, "settles call None"),
        ({"action": 3}, "settles call 0 of action number 3, but the program calls"),
        ({"kind": int(JournalKind.TIMER)}, "fires timer 0, which the program has not started"),
        ({"kind": int(JournalKind.EVENT)}, "is of kind EVENT, which this version does not replay"),
    ],
)
async def test_a_journal_that_tells_another_story_is_refused_naming_both(
    desk: Desk, change: dict[str, Any], reason: str
) -> None:
    live, (entry,) = await _half_way(desk)
    with pytest.raises(Diverged) as raised:
        again(live, flows.Two, (1,), [replace(entry, **change)])
    assert reason in str(raised.value)
    assert f"entry {change.get('position', 1)}" in str(raised.value)


@pytest.mark.parametrize("change", [{"kind": 99}, {"local": b"\xc1"}, {"outcome": b"\xc1"}])
async def test_damaged_columns_are_refused(desk: Desk, change: dict[str, Any]) -> None:
    live, (entry,) = await _half_way(desk)
    with pytest.raises(Exception, match=r"."):
        again(live, flows.Two, (1,), [replace(entry, **change)])


async def test_a_timer_without_its_time_is_refused(desk: Desk) -> None:
    live = desk.begin(flows.Naps, 5.0)
    (entry,) = desk.entries(live)
    with pytest.raises(Diverged, match=r"starts timer 0 where the journal has none"):
        again(live, flows.Naps, (5.0,), [replace(entry, local=None)])


async def test_entries_that_end_the_program_of_a_run_that_has_no_end_are_refused(
    desk: Desk,
) -> None:
    live, entries = await _half_way(desk)
    desk.end(desk.pool.submitted[1], value=3)
    with pytest.raises(Diverged, match="the program has ended at entry 2"):
        again(live, flows.Two, (1,), desk.entries(live))
    assert len(entries) == 1


async def test_an_entry_twice_is_refused(desk: Desk) -> None:
    live, (entry,) = await _half_way(desk)
    with pytest.raises(Diverged, match="one is missing"):
        again(live, flows.Two, (1,), [entry, entry])
    with pytest.raises(Diverged, match="has not started"):
        again(live, flows.Two, (1,), [entry, replace(entry, position=2)])


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be set here")
async def test_a_host_in_another_zone_is_told_the_time_that_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        monkeypatch.setenv("TZ", "UTC-5")
        time.tzset()
        live = desk.begin(flows.LocalTime)
        desk.commit()
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
        live = again(live, flows.LocalTime, (), desk.entries(live))
        desk.runloop.resume(live)
        desk.end(desk.pool.submitted[-1], value=2)
    finally:
        monkeypatch.undo()
        time.tzset()
    final = desk.committer.all[-1].final
    assert final is not None
    assert value_of(final.result or b"") == pytest.approx(NOW)


@pytest.mark.parametrize("owner", ["the same", "one that replays", "one that has a snapshot"])
async def test_time_never_goes_back_for_a_run(desk: Desk, owner: str) -> None:
    live = desk.begin(flows.Moments)
    desk.commit()
    desk.clock.at += 2
    desk.end(desk.pool.submitted[-1], value=1)
    desk.commit()
    # The next owner's idea of the database's time is a little behind.
    desk.clock.at -= 1
    if owner == "one that replays":
        live = again(live, flows.Moments, (), desk.entries(live))
    elif owner == "one that has a snapshot":
        snapshot = (live.position, recovery.snapshot_state(live))
        live = again(live, flows.Moments, (), [], snapshot=snapshot)
    if owner != "the same":
        desk.runloop.resume(live)
    desk.end(desk.pool.submitted[-1], value=2)
    final = desk.committer.all[-1].final
    assert final is not None
    told = value_of(final.result or b"")
    assert told == [pytest.approx(NOW), pytest.approx(NOW), *[pytest.approx(NOW + 2)] * 3]
    assert told == sorted(told)
