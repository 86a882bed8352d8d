"""Attempts that another pool runs: what is offered, comes back, is adopted or withdrawn, and what is committed of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import (
    NOW,
    Desk,
    inputs_of,
    loaded,
    rebuilt,
    runnable,
    taker_of,
    value_of,
)
from waymark.coercion import codec
from waymark_schema.failures import ActionTimeout
from waymark_schema.ids import InboxId, InstanceId, LeaseId, ProgramId
from waymark_schema.kinds import InboxKind, JournalKind, OutcomeKind
from waymark_schema.tables import notifications
from waymark_schema.tables.inbox import Message
from waymark_schema.tables.offers import OfferKey, TakenOffer
from waymark_schema.wire.frames import CANCELLED, CallEnd
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.waiting import Waiting
from waymark_worker.runloop import recovery, taking
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.offered import OfferedOutcome, decode_outcome, encode_outcome


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def _offer(desk: Desk, attempt: Attempt[Any]) -> None:
    """The attempt has left the pool's queue and stands in an offer."""
    attempt.runs = False
    attempt.worker_number = None
    desk.sharer.adopt(attempt)


def _outcome(value: Any = None, error: BaseException | None = None) -> OfferedOutcome:
    payload = codec().encode_exception(error) if error else codec().encode(value)
    return OfferedOutcome(payload, 0.5, NOW - 1.0, b"", 7)


def _claimed(flow: Any, *arguments: Any) -> LiveInstance:
    return recovery.fresh(uuid4(), 2, runnable(flow), inputs_of(flow, *arguments), awaited=False)


def _letter(live: LiveInstance, number: int, outcome: OfferedOutcome) -> Message:
    """The value of the first attempt of the first call."""
    return Message(
        InstanceId(live.id),
        InboxId(number),
        int(InboxKind.OFFERED_OUTCOME),
        0,
        1,
        int(OutcomeKind.VALUE),
        None,
        encode_outcome(outcome),
        datetime.now(UTC),
    )


async def test_an_offered_value_is_settled_and_its_letter_consumed_in_one_commit(
    desk: Desk,
) -> None:
    live = desk.begin(flows.Two, 3)
    _offer(desk, desk.pool.submitted[0])
    desk.runloop.offered.offered_ended(
        desk.pool.submitted[0], OutcomeKind.VALUE, _outcome(30), (live.id, 5)
    )
    (change,) = desk.commit()
    assert change.consumed == [(live.id, 5)]
    (row,) = change.rows
    assert (row.kind, row.call, row.worker) == (JournalKind.OUTCOME, 0, 7)
    assert value_of(desk.pool.submitted[1].arguments) == {"x": 30}


async def test_an_attempt_lost_elsewhere_starts_again_with_the_same_number(desk: Desk) -> None:
    live = desk.begin(flows.Two, 3)
    lost = OfferedOutcome(b"worker 3 ended", 0.0, 0.0, died=True)
    desk.runloop.offered.offered_ended(desk.pool.submitted[0], OutcomeKind.LOST, lost, (live.id, 5))
    (change,) = desk.commit()
    assert [row.kind for row in change.rows] == [JournalKind.LOST]
    assert change.consumed == [(live.id, 5)]
    assert [attempt.number for attempt in desk.pool.submitted] == [1, 1]
    assert live.calls[0].deaths == 1


@pytest.mark.parametrize("alone", [True, False])
async def test_a_call_is_poison_only_where_it_was_seen_to_be_alone(
    desk: Desk, *, alone: bool
) -> None:
    desk.foreign = {"tests.unit.worker.flows:step"}
    live = desk.begin(flows.Two, 3)
    call = live.calls[0]
    for number, was_alone in enumerate([False, False, alone, alone]):
        lost = OfferedOutcome(b"worker 3 ended", 0.0, 0.0, died=True, alone=was_alone)
        assert call.attempt is not None
        desk.runloop.offered.offered_ended(call.attempt, OutcomeKind.LOST, lost, (live.id, number))
        desk.commit()
    assert call.deaths == 4
    assert live.ended is alone
    rows = [JournalKind(row.kind) for row in desk.rows(live)]
    assert rows == [JournalKind.LOST] * 3 + [JournalKind.OUTCOME if alone else JournalKind.LOST]


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("lone_before", [1, 2])
async def test_the_loss_of_a_taker_counts_only_when_nothing_else_ran_in_it(
    desk: Desk, *, lone_before: int, alone: bool
) -> None:
    desk.foreign = {"tests.unit.worker.flows:step"}
    live = desk.begin(flows.Two, 3)
    call = live.calls[0]
    call.deaths, call.lone_deaths = 2, lone_before
    assert call.attempt is not None
    desk.sharer.adopt(call.attempt)
    desk.sharer._returned(OfferKey(live.id, 0, 1), dead=True, alone=alone)
    desk.commit()
    assert live.ended is alone


async def test_what_is_being_given_back_is_not_begun_when_it_is_taken_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The answer to giving it back was lost, so it is given back once more: that would open again what runs.
    live = desk.begin(flows.BothAtOnce)
    rows = [
        TakenOffer(
            InstanceId(live.id), call, 1, LeaseId(1), "m:act", b"", ProgramId(1), timedelta(0), 0
        )
        for call in (0, 1)
    ]
    keys = [OfferKey(row.instance, row.call, row.attempt) for row in rows]

    async def fetch_all(_session: Any, _query: Any) -> list[TakenOffer]:
        return rows

    async def get(_session: Any, _ids: Any) -> dict[Any, Any]:
        return {ProgramId(1): live.program}

    taker = taker_of(desk)
    monkeypatch.setattr(taking, "fetch_all", fetch_all)
    monkeypatch.setattr(taker._shelf, "get", get)
    taker._given_back.append(keys[0])
    begun = len(desk.pool.submitted)
    assert await taker._begin(None, None)  # type: ignore[arg-type] # nobody is asked
    assert [attempt.owner.key for attempt in desk.pool.submitted[begun:]] == [keys[1]]
    assert taker._given_back == [keys[0], keys[0]], "what was taken since is given back as well"


async def test_what_was_taken_when_its_programs_could_not_be_read_is_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        TakenOffer(
            InstanceId(uuid4()), call, 1, LeaseId(1), "m:act", b"", ProgramId(1), timedelta(0), 0
        )
        for call in (0, 1)
    ]

    async def fetch_all(_session: Any, _query: Any) -> list[TakenOffer]:
        return rows

    async def get(_session: Any, _ids: Any) -> dict[Any, Any]:
        raise psycopg.OperationalError("the connection was terminated")

    taker = taker_of(desk)
    monkeypatch.setattr(taking, "fetch_all", fetch_all)
    monkeypatch.setattr(taker._shelf, "get", get)
    with pytest.raises(psycopg.OperationalError):
        await taker._begin(None, None)  # type: ignore[arg-type] # nobody is asked
    await taker._lose()
    assert taker._search.due_in <= 0, "what it holds has to be looked for"
    await taker._give_back_unknown(None)  # type: ignore[arg-type] # likewise
    assert {(key.instance, key.call) for key in taker._given_back} == {
        (row.instance, row.call) for row in rows
    }


async def test_a_taker_tells_of_a_suspect_that_it_was_alone_only_when_its_worker_died(
    desk: Desk,
) -> None:
    taker = taker_of(desk)
    taker.suspect = lambda suspect: desk.pool.submit(suspect.attempt)
    for call in range(2):
        offer = TakenOffer(
            InstanceId(uuid4()), call, 1, LeaseId(1), "m:act", b"", ProgramId(1), timedelta(0), 2
        )
        taker._start(offer, b"p")
    cut_off, died = desk.pool.submitted
    taker.attempt_ended(cut_off, CallEnd(1, CANCELLED, b"", 0.0, 0.0, b""))
    taker.attempts_lost([died], "worker 1 ended")
    told = [decode_outcome(end.payload) for _, end in taker._ends]
    assert [(one.died, one.alone) for one in told] == [(False, False), (True, True)]


async def test_a_timeout_elsewhere_is_retried_only_when_the_attempt_has_ended(desk: Desk) -> None:
    live = desk.begin(flows.TriesLate)
    (attempt,) = desk.pool.submitted
    _offer(desk, attempt)
    timeout = _outcome(error=ActionTimeout("late"))
    desk.runloop.offered.offered_ended(attempt, OutcomeKind.TIMEOUT, timeout, (live.id, 5))
    desk.commit()
    assert len(desk.pool.submitted) == 1, "its offer is still there"
    desk.runloop.attempt_gone(attempt)
    assert live.calls[0].attempt is None or len(desk.pool.submitted) == 2
    assert live.calls[0].retry_handle is not None or len(desk.pool.submitted) == 2


async def test_what_a_dead_owner_offered_is_awaited_and_not_begun_again(desk: Desk) -> None:
    live = _claimed(flows.BothAtOnce)
    keys = [OfferKey(live.id, number, 1) for number in (0, 9)]
    live.begun = False
    desk.runloop.resume(live, keys)
    assert [value_of(attempt.arguments) for attempt in desk.pool.submitted] == [{"x": 2}]
    awaited = live.calls[0].attempt
    assert awaited is not None
    assert awaited.offered
    assert live not in desk.runloop.idle
    assert live.adopted == {}


async def test_a_retry_waits_for_a_late_attempt_that_a_dead_owner_offered(desk: Desk) -> None:
    first = desk.begin(flows.TriesLate)
    (attempt,) = desk.pool.submitted
    _offer(desk, attempt)
    timeout = _outcome(error=ActionTimeout("late"))
    desk.runloop.offered.offered_ended(attempt, OutcomeKind.TIMEOUT, timeout, (first.id, 5))
    live = rebuilt(loaded(first, inputs_of(flows.TriesLate)), flows.TriesLate, desk.entries(first))
    live.calls[0].retry_at = None
    desk.runloop.resume(live, [OfferKey(live.id, 0, 1)])
    assert desk.pool.submitted == [attempt]
    assert live not in desk.runloop.idle
    desk.sharer._returned(OfferKey(live.id, 0, 1), dead=False)
    assert [each.number for each in desk.pool.submitted] == [1, 2]


async def test_mail_that_no_call_waits_for_is_consumed(desk: Desk) -> None:
    live = _claimed(flows.Two, 1)
    desk.runloop.resume(live, (), {OfferKey(live.id, 4, 1): 11})
    (change,) = desk.commit()
    assert change.rows == []
    assert change.consumed == [(live.id, 11)]


async def test_a_run_that_is_handed_on_leaves_its_offers(desk: Desk) -> None:
    live = desk.begin(flows.BothAtOnce)
    offered, own = desk.pool.submitted
    _offer(desk, offered)
    desk.runloop.dispatcher.leave_offered(live)
    assert not offered.offered
    desk.runloop.dispatcher.withdraw(own)
    assert desk.pool.withdrawn == [own]


async def test_what_nobody_took_runs_here_after_all(desk: Desk) -> None:
    live = desk.begin(flows.BothAtOnce)
    attempt = desk.pool.submitted[0]
    desk.runloop.offered.resubmit(attempt)
    assert len(desk.pool.submitted) == 3
    desk.runloop.offered.resubmit(attempt)
    assert len(desk.pool.submitted) == 3, "only once"
    assert live.calls[0].attempt is desk.pool.submitted[2]


async def test_an_outcome_for_a_run_that_has_ended_is_dropped(desk: Desk) -> None:
    live = desk.begin(flows.Two, 3)
    attempt = desk.pool.submitted[0]
    desk.runloop.drop(live)
    desk.runloop.offered.offered_ended(attempt, OutcomeKind.VALUE, _outcome(1), (live.id, 5))
    assert desk.committer.all == []
    assert live.letters == []


async def test_the_last_ones_in_the_queue_are_given_up_and_the_others_keep_their_places(
    desk: Desk,
) -> None:
    for number in range(6):
        desk.begin(flows.Two, number)
    waiting = Waiting(desk.pool.submitted)
    odd = waiting.steal(2, lambda attempt: value_of(attempt.arguments)["x"] % 2 == 1)
    assert [value_of(attempt.arguments)["x"] for attempt in odd] == [5, 3]
    assert [value_of(attempt.arguments)["x"] for attempt in waiting] == [0, 1, 2, 4]


def test_an_outcome_crosses_as_it_is() -> None:
    outcome = OfferedOutcome(b"\x00\xff", 1.5, NOW, b"log", None, died=True)
    assert decode_outcome(encode_outcome(outcome)) == outcome


def test_leases_are_read_out_of_any_payload() -> None:
    assert notifications.pack_leases([]) == []
    (payload,) = notifications.pack_leases([3, 12])  # type: ignore[list-item]
    assert notifications.unpack_leases(payload) == [3, 12]
    assert notifications.unpack_leases("x,,-1,٣,4") == [4]


async def test_a_run_that_ends_withdraws_what_it_offered(desk: Desk) -> None:
    live = desk.begin(flows.Two, 3)
    attempt = desk.pool.submitted[0]
    _offer(desk, attempt)
    desk.runloop.drop(live)
    assert attempt.abandoned
    assert desk.pool.withdrawn == []


async def test_an_outcome_that_is_there_before_its_run_is_not_thrown_away(desk: Desk) -> None:
    live = _claimed(flows.Two, 3)
    key = OfferKey(live.id, 0, 1)
    letter = _letter(live, 5, _outcome(30))
    desk.sharer._deliver([letter])  # claimed by now, but still being loaded
    desk.runloop.resume(live, (), {key: 5})
    assert desk.pool.submitted == []
    desk.sharer._deliver([letter])
    desk.sharer._deliver([letter])
    (change,) = desk.commit()
    assert change.consumed == [(live.id, 5)]
    assert [row.kind for row in change.rows] == [JournalKind.OUTCOME]
    assert [attempt.call for attempt in desk.pool.submitted] == [1]
