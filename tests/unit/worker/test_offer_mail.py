"""Offers and outcomes that are large, or that the database refuses, in; what is written, and who is told what, out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock
from uuid import uuid4

import psycopg
import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import Desk, taker_of
from waymark.coercion import codec
from waymark_schema.failures import SerializationError
from waymark_schema.ids import InstanceId, LeaseId, ProgramId
from waymark_schema.kinds import OutcomeKind
from waymark_schema.tables import offers
from waymark_schema.tables.offers import OfferedEnd, TakenOffer
from waymark_worker.batches import MAX_BYTES
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import mailing, sharing, taking
from waymark_worker.runloop.mailing import MOST_MAILED
from waymark_worker.runloop.offered import decode_outcome
from waymark_worker.runloop.taking import Taker


@pytest.fixture
async def desk() -> Desk:
    return Desk()


class Mail:
    """Takes the statements of offers, one at a time; what is refused is set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.sent: list[list[Any]] = []
        self.tried: list[tuple[str, list[Any]]] = []
        self.refused: Callable[[Any], bool] = lambda _row: False
        self.error: Exception = psycopg.errors.DataError("a value that no column takes")
        for name in names:
            monkeypatch.setattr(offers, name, self._query(name))
        for module in (mailing, sharing, taking):
            monkeypatch.setattr(module, "execute", self._execute)

    @staticmethod
    def _query(name: str) -> Any:
        return lambda _lease, rows: (name, list(rows))

    async def _execute(self, _session: Any, query: tuple[str, list[Any]]) -> int:
        self.tried.append(query)
        name, rows = query
        if any(map(self.refused, rows)):
            raise self.error
        if name in {"finish", "offer"}:
            self.sent.append(rows)
        return len(rows)


def _ending(desk: Desk, taker: Taker, sizes: Iterable[int], **end: Any) -> list[Attempt[Any]]:
    """Calls of one run, taken and ended with values so large."""
    run = InstanceId(uuid4())
    begun = len(desk.pool.submitted)
    for call, size in enumerate(sizes):
        offer = TakenOffer(run, call, 1, LeaseId(1), "m:act", b"", ProgramId(1), timedelta(0), 0)
        taker._start(offer, b"p")
        attempt = desk.pool.submitted[-1]
        taker._end(attempt, OutcomeKind.VALUE, b"x" * size, output=b"said", **end)
    connection = SimpleNamespace(close=AsyncMock())
    taker._reporting = cast("Any", SimpleNamespace(connection=connection))
    return desk.pool.submitted[begun:]


async def test_outcomes_are_mailed_in_their_order_a_few_megabytes_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Mail(monkeypatch, "finish")
    taker = taker_of(desk)
    sizes = [MAX_BYTES // 4] * 64 + [3 * MAX_BYTES] + [10] * (2 * MOST_MAILED)
    _ending(desk, taker, sizes)
    told: list[int] = []
    taker._told = lambda leases: told.append(len(mail.sent)) if list(leases) else None
    await taker._send()
    assert [row.call for rows in mail.sent for row in rows] == list(range(len(sizes)))
    totals = [sum(len(row.payload) for row in rows) for rows in mail.sent]
    assert all(
        total <= MAX_BYTES for total, rows in zip(totals, mail.sent, strict=True) if rows[1:]
    )
    assert max(totals) > 3 * MAX_BYTES, "what is larger goes alone"
    assert max(map(len, mail.sent)) == MOST_MAILED
    assert told == list(range(1, len(mail.sent) + 1)), "each is told of when it is written"
    assert taker._ends == []


async def test_an_outcome_that_the_database_refuses_becomes_an_error_and_the_rest_is_mailed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Mail(monkeypatch, "finish")
    mail.refused = lambda end: end.call == 5 and end.outcome_kind == OutcomeKind.VALUE
    taker = taker_of(desk)
    _ending(desk, taker, [10] * 8)
    report = asyncio.create_task(taker.report())
    async with asyncio.timeout(10):
        await taker._quiet.wait()
    assert not report.done(), "one bad row ends nothing"
    report.cancel()
    ends = [end for rows in mail.sent for end in rows]
    assert [end.call for end in ends] == list(range(8))
    kinds = [OutcomeKind.VALUE] * 8
    kinds[5] = OutcomeKind.ERROR
    assert [end.outcome_kind for end in ends] == kinds
    instead = decode_outcome(ends[5].payload)
    error = codec().decode(instead.payload)
    assert isinstance(error, SerializationError)
    assert "refused attempt 1 of act" in str(error)
    assert "a value that no column takes" in str(error)
    assert instead.output == b""


@pytest.mark.parametrize(
    ("kind", "ended"), [(OutcomeKind.TIMEOUT, False), (OutcomeKind.LOST, True)]
)
async def test_an_end_that_is_refused_stays_of_its_kind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, kind: OutcomeKind, ended: bool
) -> None:
    mail = Mail(monkeypatch, "finish")
    mail.refused = lambda end: b"bad" in end.payload
    taker = taker_of(desk)
    (attempt,) = _ending(desk, taker, [1])
    taker._ends.clear()
    taker._taken[attempt.owner.key] = attempt
    taker._end(attempt, kind, b"bad", ended=ended, died=True)
    await taker._send()
    ((end,),) = mail.sent
    assert (end.outcome_kind, end.ended) == (kind, ended)
    assert decode_outcome(end.payload).died
    assert desk.pool.withdrawn == ([] if ended else [attempt])


@pytest.mark.parametrize("ended", [True, False])
async def test_an_offer_whose_mail_is_refused_whatever_it_says_goes_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, ended: bool
) -> None:
    mail = Mail(monkeypatch, "finish", "drop_taken")
    mail.refused = lambda row: isinstance(row, OfferedEnd) and row.call == 1
    taker = taker_of(desk)
    attempts = _ending(desk, taker, [10] * 3, ended=ended)
    await taker._send()
    assert [end.call for rows in mail.sent for end in rows] == [0, 2]
    keys = [attempts[1].owner.key]
    assert mail.tried[-1] == ("drop_taken", keys) if ended else mail.tried[-1][0] == "finish"
    taker.attempt_gone(attempts[1])
    await taker._send()
    assert [name for name, _ in mail.tried].count("drop_taken") == 1, "once, when it has ended"
    assert not taker._ends
    assert not taker._drops


async def test_outcomes_whose_answer_was_lost_are_sent_again_and_none_is_told_of_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Mail(monkeypatch, "finish")
    mail.refused = lambda end: end.call == 7
    mail.error = psycopg.OperationalError("the connection was lost")
    taker = taker_of(desk)
    _ending(desk, taker, [MAX_BYTES // 3] * 10)  # two in a statement
    with pytest.raises(psycopg.OperationalError):
        await taker._send()
    assert [end.call for _, end in taker._ends] == [6, 7, 8, 9]
    mail.refused = lambda _end: False
    await taker._send()
    assert [end.call for rows in mail.sent for end in rows] == list(range(10))


async def test_what_the_statement_timeout_cancels_is_mailed_in_halves(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Mail(monkeypatch, "finish")
    taker = taker_of(desk)
    _ending(desk, taker, [10] * 4)
    mail.error = psycopg.errors.QueryCanceled("statement timeout")
    mail.refused = lambda _end: len(mail.tried[-1][1]) > 1
    await taker._send()
    assert [[end.call for end in rows] for rows in mail.sent] == [[0], [1], [2], [3]]


def _waiting(desk: Desk, sizes: Iterable[int]) -> list[Attempt[Any]]:
    """One attempt of each of several runs, with arguments so large."""
    begun = len(desk.pool.submitted)
    for size in sizes:
        desk.begin(flows.Two, 3)
        desk.pool.submitted[-1].arguments = b"x" * size
    return desk.pool.submitted[begun:]


async def test_offers_are_written_a_few_megabytes_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Mail(monkeypatch, "offer")
    told: list[bool] = []
    desk.sharer._told = lambda: told.append(desk.sharer.written.is_set())
    attempts = _waiting(desk, [MAX_BYTES // 2] * 9 + [2 * MAX_BYTES, 1])
    await desk.sharer._put(cast("Any", None), attempts)
    assert [len(rows) for rows in mail.sent] == [2, 2, 2, 2, 1, 1, 1]
    assert [row.instance for rows in mail.sent for row in rows] == [
        attempt.owner.instance.id for attempt in attempts
    ]
    assert told == [False] * 7, "more of them are on their way"
    assert desk.sharer.written.is_set()


async def test_what_is_withdrawn_while_others_are_written_is_not_offered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Mail(monkeypatch, "offer")
    first, second, third = _waiting(desk, [MAX_BYTES] * 3)
    desk.sharer._told = lambda: desk.sharer.withdraw(second)
    await desk.sharer._put(cast("Any", None), [first, second, third])
    assert [row.instance for rows in mail.sent for row in rows] == [
        each.owner.instance.id for each in (first, third)
    ]


@pytest.mark.parametrize("foreign", [True, False])
async def test_an_offer_that_the_database_refuses_ends_or_runs_at_home_and_the_rest_is_offered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, foreign: bool
) -> None:
    mail = Mail(monkeypatch, "offer")
    attempts = _waiting(desk, [10] * 6)
    if foreign:
        desk.foreign = {attempts[2].action}
    live = attempts[2].owner.instance
    mail.refused = lambda row: row.instance == live.id
    await desk.sharer._put(cast("Any", None), attempts)
    offered = [row.instance for rows in mail.sent for row in rows]
    assert offered == [each.owner.instance.id for each in attempts if each is not attempts[2]]
    assert len(desk.sharer._offered) == 5
    if foreign:
        assert len(desk.pool.submitted) == 6
        assert live.ended, "nobody can run it"
        (row,) = desk.rows(live)
        assert "refused attempt 1 of step" in str(codec().decode(row.outcome))
    else:
        assert [each.owner.instance for each in desk.pool.submitted[6:]] == [live]
