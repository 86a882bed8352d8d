"""Suspects and a pool that is at rest or not in; when each is tried, and beside whom, out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import solo
from waymark_worker.runloop.solo import PATIENCE_SECONDS, RESTS, ROUND_SECONDS, Solo

STEP_SECONDS = 0.25


@dataclass
class Pool:
    """What a lonely call asks of the workers."""

    busy: bool = False
    room: bool = True
    empty: bool = True
    waits: bool = True
    """What was taken back waits to be begun again."""
    held: set[str] = field(default_factory=set)
    begun: list[tuple[Any, bool]] = field(default_factory=list)
    submitted: list[Any] = field(default_factory=list)

    def keep_from_starting(self, reason: str) -> None:
        self.held.add(reason)

    def let_start(self, reason: str) -> None:
        self.held.discard(reason)

    def has_room(self, attempt: Any) -> bool:
        return self.room

    def recall(self, attempt: Any) -> bool:
        return self.waits

    def begin(self, attempt: Any, *, beside: bool) -> bool:
        if not self.empty:
            return False
        attempt.runs = True
        self.begun.append((attempt, beside))
        return True

    def submit(self, attempt: Any) -> None:
        self.submitted.append(attempt)


@dataclass(eq=False)
class Suspect:
    """A call that may have ended pools."""

    bears_company: bool = True
    over: bool = False
    cleared: bool = False
    recorded: bool = False
    trial_seconds: float = 5.0
    records: list[bool] = field(default_factory=list)
    put_offs: int = 0
    acquitted: int = 0
    attempt: Any = field(
        default_factory=lambda: Attempt(
            None,
            instance=uuid4().bytes,
            program=b"",
            call=0,
            number=1,
            action="app:act",
            arguments=b"",
            timeout=0.0,
            queued_at=0.0,
        )
    )

    def put_off(self) -> None:
        self.put_offs += 1

    def record(self, *, beside: bool) -> None:
        self.records.append(beside)
        self.recorded = True

    def acquit(self) -> None:
        self.acquitted += 1


class Court:
    """A solo and its time."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.now = 100.0
        self.solo = Solo(self.pool, now=lambda: self.now)  # type: ignore[arg-type] # a pool to it
        self.granted = True
        self.floor = True

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds / STEP_SECONDS)):
            self.solo.step(granted=self.granted, floor=self.floor)
            self.now += STEP_SECONDS


@pytest.fixture
def court() -> Court:
    return Court()


def test_in_a_pool_at_rest_it_is_alone(court: Court) -> None:
    suspect = Suspect()
    court.solo.take(suspect)
    court.run(1)
    assert (suspect.records, court.pool.begun) == ([False], [(suspect.attempt, False)])
    assert court.pool.held == {solo.REASON}, "nothing is started beside it"
    court.run(suspect.trial_seconds + 1)
    assert suspect.acquitted == 1
    assert court.pool.held == set()


def test_the_record_is_kept_before_the_call_begins(court: Court) -> None:
    suspect = Suspect()
    suspect.record = lambda *, beside: suspect.records.append(beside)  # type: ignore[method-assign]
    court.solo.take(suspect)
    court.run(3)
    assert (suspect.records, court.pool.begun) == ([False], [])
    suspect.recorded = True
    court.run(1)
    assert court.pool.begun == [(suspect.attempt, False)]


def test_in_a_pool_that_does_not_come_to_rest_it_is_tried_beside_what_is_old(court: Court) -> None:
    suspect = Suspect()
    court.pool.busy = True
    court.solo.take(suspect)
    court.run(PATIENCE_SECONDS)
    assert suspect.records == []
    assert court.pool.held == {solo.REASON}, "nothing new is started meanwhile"
    court.run(1)
    assert (suspect.records, court.pool.begun) == ([True], [(suspect.attempt, True)])
    assert court.pool.held == {solo.REASON}


def test_with_company_one_follows_the_other_until_the_others_have_their_turn(court: Court) -> None:
    suspects = [Suspect() for _ in range(8)]
    court.pool.busy = True
    for suspect in suspects:
        court.solo.take(suspect)

    def tried() -> int:
        return sum(bool(suspect.records) for suspect in suspects)

    court.run(PATIENCE_SECONDS + 2 * suspects[0].trial_seconds + 2)
    assert tried() == 3
    while court.pool.held:
        court.run(1)
    assert court.now - 100.0 >= ROUND_SECONDS
    before = tried()
    assert 0 < before < 8
    court.run(ROUND_SECONDS - 1)
    assert (court.pool.held, tried()) == (set(), before)
    court.run(60)
    assert tried() == 8
    assert all(suspect.acquitted == 1 and suspect.records == [True] for suspect in suspects)


def test_alone_one_follows_the_other(court: Court) -> None:
    first, second = Suspect(), Suspect()
    court.solo.take(first)
    court.solo.take(second)
    court.run(first.trial_seconds + 1)
    assert (first.acquitted, second.records) == (1, [False])


def test_without_a_free_slot_the_others_go_on(court: Court) -> None:
    suspect = Suspect()
    court.pool.busy, court.pool.room = True, False
    court.solo.take(suspect)
    court.run(PATIENCE_SECONDS + 1)
    assert (suspect.records, suspect.put_offs, court.pool.held) == ([], 1, set())
    court.pool.room = True
    court.run(RESTS * PATIENCE_SECONDS + PATIENCE_SECONDS + 2)
    assert suspect.records == [True]


def test_without_any_worker_nobody_is_held_up_for_it_nor_is_it_to_blame(court: Court) -> None:
    suspect = Suspect()
    court.pool.empty = False
    court.solo.take(suspect)
    court.run(PATIENCE_SECONDS + 1)
    assert (court.pool.begun, suspect.acquitted, court.pool.held) == ([], 1, set())
    suspect.cleared = True
    court.run(1)
    assert court.pool.submitted == [suspect.attempt]


def test_what_was_taken_back_unread_has_not_been_tried(court: Court) -> None:
    suspect = Suspect()
    court.solo.take(suspect)
    court.run(2)
    suspect.attempt.runs = False
    court.run(0.5)
    assert court.pool.begun == [(suspect.attempt, False)] * 2
    court.run(suspect.trial_seconds - 1)
    assert suspect.acquitted == 0, "its time begins anew"
    court.run(2)
    assert suspect.acquitted == 1


def test_what_was_offered_meanwhile_is_not_begun_here_too(court: Court) -> None:
    suspect = Suspect()
    court.solo.take(suspect)
    court.run(2)
    suspect.attempt.runs = court.pool.waits = False
    court.run(2)
    assert len(court.pool.begun) == 1
    assert court.pool.held == set()


def test_behind_one_that_bears_none_another_has_company(court: Court) -> None:
    foreign, own = Suspect(bears_company=False), Suspect()
    court.pool.busy = True
    court.solo.take(foreign)
    court.solo.take(own)
    court.run(PATIENCE_SECONDS + 1)
    assert (foreign.records, own.records) == ([], [True])


def test_one_whose_record_cannot_tell_of_company_has_none(court: Court) -> None:
    suspect = Suspect(bears_company=False)
    court.pool.busy = True
    court.solo.take(suspect)
    court.run(60)
    assert suspect.records == []
    assert suspect.put_offs > 1
    suspect.cleared = True
    court.run(1)
    assert court.pool.submitted == [suspect.attempt]


def test_while_another_runloop_has_the_floor_nothing_is_tried(court: Court) -> None:
    suspect = Suspect()
    court.granted = court.floor = False
    court.solo.take(suspect)
    court.run(PATIENCE_SECONDS - 1)
    court.floor = True
    court.run(PATIENCE_SECONDS)
    assert suspect.records == [], "what others have started a moment ago is not old"
    court.run(1)
    assert suspect.records == [True]


def test_a_call_that_ended_in_its_trial_makes_room_for_the_next(court: Court) -> None:
    first, second = Suspect(), Suspect()
    court.solo.take(first)
    court.solo.take(second)
    court.run(1)
    first.over = True
    court.run(1)
    assert second.records == [], "it has not ended"
    first.attempt.runs = False
    court.run(1)
    assert second.records == [False]
