"""Claimed runs in; what the next claim reads out."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.tables.instances import HIGHEST, LOWEST, Claimed, Stretch
from waymark_worker.runloop.marks import FULL_SECONDS, MOST_PRIORITIES, SLACK, Marks

A, B, C = ProgramId(1), ProgramId(2), ProgramId(3)
START = datetime(2026, 1, 1, tzinfo=UTC)


def row(program: ProgramId, *, priority: int = 0, seconds: float = 0.0) -> Claimed:
    ready_at = START + timedelta(seconds=seconds)
    return Claimed(InstanceId(uuid4()), 1, program, priority, 0, False, START, ready_at, True, b"")


def test_the_first_claim_and_one_each_second_read_everything() -> None:
    marks = Marks()
    whole = [Stretch(A, LOWEST, HIGHEST)]
    assert marks.stretches([A], now=100.0) == whole
    marks.note([row(A)])
    assert marks.stretches([A], now=100.0 + FULL_SECONDS / 2) != whole
    assert marks.stretches([A], now=100.0 + FULL_SECONDS) == whole
    assert marks.stretches([A], now=100.1 + FULL_SECONDS) != whole


def test_between_them_a_claim_begins_where_the_last_one_ended() -> None:
    marks = Marks()
    marks.stretches([A, B], now=0.0)
    marks.note([row(A, seconds=60), row(A, seconds=90), row(A, seconds=70)])
    assert marks.stretches([A, B], now=0.1) == [
        Stretch(B, LOWEST, HIGHEST),
        Stretch(A, 1, HIGHEST),
        Stretch(A, 0, 0, START + timedelta(seconds=90) - SLACK),
        Stretch(A, LOWEST, -1),
    ]


def test_every_priority_is_covered_whatever_was_claimed() -> None:
    for priorities in ([0], [5, 0], [1, 0], [HIGHEST, LOWEST], [7, 3, -2, -3, LOWEST], [HIGHEST]):
        marks = Marks()
        marks.stretches([A], now=0.0)
        marks.note([row(A, priority=priority) for priority in priorities])
        found = marks.stretches([A], now=0.1)
        next_one = HIGHEST
        for stretch in found:
            assert stretch.high == next_one, found
            assert stretch.low <= stretch.high
            assert (stretch.since is not None) == (stretch.low in priorities)
            next_one = stretch.low - 1
        assert next_one == LOWEST - 1


def test_a_program_of_ever_other_priorities_is_read_as_a_whole() -> None:
    marks = Marks()
    marks.stretches([A], now=0.0)
    for priority in range(1_000):
        marks.note([row(A, priority=priority)])
        assert len(marks.stretches([A], now=0.1)) <= 2 * MOST_PRIORITIES + 1


def test_who_got_something_comes_last_the_next_time() -> None:
    marks = Marks()
    served = []
    for _ in range(6):
        first = marks.stretches([A, B, C], now=0.0)[0].program
        served.append(first)
        marks.note([row(first)])
    assert served == [A, B, C, A, B, C]
