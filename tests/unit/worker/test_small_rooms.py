"""Pages, ticks, rates, moments, stored progress and deaths in; what is read back out."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_schema.recorded import EntryLocals, decode_locals, encode_locals
from waymark_worker.board import Board, create_page
from waymark_worker.clock import moment
from waymark_worker.deaths import Deaths
from waymark_worker.runloop.child import LOOK_SECONDS, RunloopChild
from waymark_worker.runloop.locals import (
    CallProgress,
    StoredSnapshot,
    decode_snapshot,
    encode_snapshot,
)
from waymark_worker.runloop.pace import WINDOW_SECONDS, Pace
from waymark_worker.supervisor import restart_pause


def test_a_runloop_may_fail_to_start_for_days() -> None:
    assert [restart_pause(useless) for useless in (0, 1, 5, 100_000)] == [0.5, 1.0, 10.0, 10.0]


@pytest.fixture
def page() -> int:
    return create_page()


def test_what_one_side_of_a_page_writes_the_other_reads(page: int) -> None:
    ours, theirs = Board(page), Board(os.dup(page))
    ours.put("lease", 2**62)
    ours.put_time("beat_at", 12.5)
    theirs.tick()
    theirs.tick()
    assert (theirs.get("lease"), theirs.time("beat_at")) == (2**62, 12.5)
    assert ours.get("tick") == 2
    assert [ours.get(name) for name in ("generation", "lost", "fenced")] == [0, 0, 0]


def test_a_page_names_the_instance_that_is_being_advanced(page: int) -> None:
    board, instance = Board(page), uuid4()
    assert board.last_advancing() is None
    board.advancing(instance.bytes, 7)
    assert Board(os.dup(page)).last_advancing() == (instance, 7)
    board.advanced()
    assert board.last_advancing() is None


def test_the_fields_of_a_page_do_not_overlap(page: int) -> None:
    board = Board(page)
    integers = ("tick", "lease", "generation", "lost", "fenced")
    times = ("beat_at", "database_ahead")
    for index, name in enumerate(integers):
        board.put(name, index + 1)
    for index, name in enumerate(times):
        board.put_time(name, index + 0.5)
    board.advancing(b"\xff" * 16, 2**63)
    assert [board.get(name) for name in integers] == [1, 2, 3, 4, 5]
    assert [board.time(name) for name in times] == [0.5, 1.5]
    assert board.last_advancing() == (UUID(bytes=b"\xff" * 16), 2**63)


@pytest.fixture
def child() -> Iterator[RunloopChild]:
    made = RunloopChild(application="a", workers=1, session_features=False)
    yield made
    made.close()


def test_a_runloop_that_does_not_move_grows_old(child: RunloopChild) -> None:
    child.board.tick()
    assert child.tick_age(100.0) == 0.0
    assert [child.tick_age(100.0 + 0.25 * look) for look in range(1, 49)][-1] == 12.0
    child.board.tick()
    assert child.tick_age(112.5) == 0.0


def test_while_the_supervisor_itself_stood_still_no_runloop_grew_old(child: RunloopChild) -> None:
    child.board.tick()
    child.tick_age(100.0)
    child.tick_age(100.25)
    assert child.tick_age(200.0) == 0.25 + LOOK_SECONDS
    assert child.tick_age(200.25) == 0.5 + LOOK_SECONDS


def test_a_page_is_closed_once_and_for_all(page: int) -> None:
    board = Board(page)
    board.close()
    with pytest.raises(ValueError, match="released"):
        board.get("tick")


def test_a_pace_is_what_ended_in_the_last_window() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    assert pace.per(1.0) == 0
    for _ in range(50):
        pace.count()
    now = WINDOW_SECONDS
    assert pace.per(1.0) == 100
    assert pace.per(0.25) == 25
    now = 2 * WINDOW_SECONDS
    assert pace.per(1.0) == 0


def test_after_a_long_silence_the_next_window_is_a_short_one() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    now = 3_600.0
    pace.count()
    now = 3_600.0 + WINDOW_SECONDS
    pace.count()
    assert pace.per(1.0) <= 4


@given(st.floats())
def test_every_number_of_seconds_has_a_moment(seconds: float) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) <= moment(seconds) <= datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "entry",
    [
        EntryLocals(),
        EntryLocals(values=[b"\x01"], timers={0: 1.5, 7: float("inf")}, retry_at=2.0),
        EntryLocals(
            log=[("info", "a\x00\ud800".encode("utf-8", "replace").decode())], output=b"\x90"
        ),
    ],
)
def test_entries_keep_what_their_advance_recorded(entry: EntryLocals) -> None:
    assert decode_locals(encode_locals(entry)) == entry


def test_an_entry_without_a_column_recorded_nothing() -> None:
    assert decode_locals(None) == EntryLocals()


def test_an_entry_of_the_first_release_still_reads() -> None:
    old = msgspec.msgpack.encode([[b"\x01"], {3: 1.0}, None, [["info", "x"]]])
    assert decode_locals(old) == EntryLocals([b"\x01"], {3: 1.0}, None, [("info", "x")], b"")


@pytest.mark.parametrize("column", [b"", b"\xc1", b"\x81\x01\x02", b"\x91\x01"])
def test_a_damaged_column_is_refused(column: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_locals(column)
    with pytest.raises(msgspec.MsgspecError):
        decode_snapshot(column)


def test_snapshots_keep_machine_timers_and_progress() -> None:
    stored = StoredSnapshot(b"machine", {1: 2.5}, {4: CallProgress(2, 1, 9.5)})
    assert decode_snapshot(encode_snapshot(stored)) == stored


def _die(deaths: Deaths, board: Board, instance: UUID | None, position: int = 0) -> None:
    if instance is not None:
        board.advancing(instance.bytes, position)
    deaths.note(board)


def test_a_run_that_kills_at_the_same_place_three_times_in_a_row_is_poison(page: int) -> None:
    deaths, board, guilty = Deaths(3), Board(page), uuid4()
    _die(deaths, board, guilty, 5)
    _die(deaths, board, guilty, 5)
    assert deaths.poison == set()
    _die(deaths, board, guilty, 5)
    assert deaths.poison == {guilty}
    assert board.last_advancing() is None


def test_a_run_that_gets_on_between_deaths_is_innocent(page: int) -> None:
    deaths, board, innocent = Deaths(3), Board(page), uuid4()
    for position in range(20):
        _die(deaths, board, innocent, position)
    assert deaths.poison == set()


def test_deaths_between_advances_accuse_nobody(page: int) -> None:
    deaths, board = Deaths(1), Board(page)
    _die(deaths, board, None)
    assert deaths.poison == set()
