"""Many changes, large ones and slow ones in; how they are divided into commits, and that nobody waits for long, out."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.unit.worker.committing import AnswerLost, Server, desk
from waymark_schema.tables.settle import (
    InFlightRow,
    JournalRow,
    SettleBatch,
)
from waymark_worker.batches import MAX_BYTES, MAX_ROWS
from waymark_worker.journal import Change


async def test_a_batch_is_bounded_in_rows_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        added = {
            at.add(MAX_ROWS): MAX_ROWS,
            at.add(3, outcome=b"x" * (MAX_BYTES // 2)): 3,
            at.add(1, outcome=b"x" * (2 * MAX_BYTES)): 1,
        }
        await at.committer.drain()
    sizes = [sum(len(row.outcome or b"") for row in batch.journal) for batch in server.batches]
    assert all(len(batch.journal) <= MAX_ROWS for batch in server.batches)
    assert max(sizes) == 2 * MAX_BYTES, "a value larger than a batch goes alone"
    assert [
        len(batch.journal)
        for batch in server.batches
        if sum(map(_weight, batch.journal)) > MAX_BYTES
    ] == [1]
    written = [row for batch in server.batches for row in batch.journal]
    for run, count in added.items():
        assert [row.position for row in written if row.instance == run] == [*range(1, count + 1)]


def _weight(row: JournalRow) -> int:
    return len(row.outcome or b"")


async def test_an_instance_with_many_changes_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(gate=asyncio.Event())
    async with desk(server, monkeypatch) as at:
        at.add()
        await asyncio.sleep(0.01)
        wide = at.add(4 * MAX_ROWS)
        heavy = at.add(8, outcome=b"x" * (MAX_BYTES // 4))
        others = [at.add(2) for _ in range(20)]
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
    second, third = (
        {row.instance for row in server.batches[1].journal},
        {row.instance for row in server.batches[2].journal},
    )
    assert {*others, wide, heavy} == second
    assert all(at.carried.index((run, 1)) < at.carried.index((wide, MAX_ROWS)) for run in others)
    assert {wide, heavy} <= third
    for run, count in [(wide, 4 * MAX_ROWS), (heavy, 8), *((run, 2) for run in others)]:
        positions = [position for carried, position in at.carried if carried == run]
        assert positions == list(range(count)), "the changes of one instance keep their order"


def _shows(run: UUID, *calls: int) -> Change:
    moment = datetime.now(UTC)
    rows = [InFlightRow(run, call, 1, 0, b"", moment, moment, 1) for call in calls]
    return Change(run, 1, None, flying=rows)


async def test_a_live_row_that_came_and_went_in_one_batch_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(gate=asyncio.Event())
    run = uuid4()
    async with desk(server, monkeypatch) as at:
        at.add()
        await asyncio.sleep(0.01)
        at.committer.add(_shows(run, 1, 2))
        at.committer.add(Change(run, 1, None, landed=[1, 3]))
        at.committer.add(_shows(run, 3))
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
    assert [row.call for row in server.batches[1].in_flight] == [2, 3]
    assert server.batches[1].landed == [(run, 1)], "an attempt before it may have been written"


async def test_a_live_row_that_is_refused_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(gate=asyncio.Event())
    run = uuid4()
    fault: Callable[[SettleBatch], Exception | None] = lambda batch: (  # noqa: E731
        psycopg.errors.DataError("x") if batch.in_flight else None
    )
    server.faults = [fault] * 20
    async with desk(server, monkeypatch) as at:
        at.add()
        await asyncio.sleep(0.01)
        at.committer.add(_shows(run, 1))
        at.add(3, run)
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
    assert at.rejected == []
    assert [carried for carried in at.carried if carried and carried[0] == run] == [
        (run, position) for position in range(3)
    ]


async def test_what_entries_keep_beside_their_outcomes_counts_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        printed = b"x" * (MAX_BYTES // 64)
        for _ in range(640):
            run = uuid4()
            at.committer.add(Change(run, 1, run, rows=[JournalRow(run, 1, 1, local=printed)]))
        await at.committer.drain()
    assert [len(batch.journal) for batch in server.batches] == [64] * 10


def _too_long_for(most: int) -> Callable[[SettleBatch], Exception | None]:
    """A server that gets no more than so many rows done before it cancels the statement."""
    return lambda batch: psycopg.errors.QueryCanceled("x") if len(batch.journal) > most else None


async def test_what_takes_too_long_is_halved_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.faults = [_too_long_for(3)] * 100
    async with desk(server, monkeypatch) as at:
        run = at.add(10)
        await at.committer.drain()
    assert at.rejected == []
    assert at.carried == [(run, position) for position in range(10)], "in their order"
    assert [len(batch.journal) for batch in server.batches] == [2, 3, 2, 3]
    assert [batch.seq for batch in server.batches] == [1, 2, 3, 4]
    assert (server.opened, server.terminated) == (1, 0)


async def test_a_single_change_that_takes_too_long_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    server.faults = [_too_long_for(0)] * 3
    async with desk(server, monkeypatch) as at:
        at.add()
        await at.committer.drain()
    assert (server.seen, at.rejected, len(at.carried)) == ([1] * 4, [], 1)


async def test_what_may_be_committed_already_is_not_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.faults = [lambda _: AnswerLost("gone"), *[_too_long_for(0)] * 3]
    async with desk(server, monkeypatch) as at:
        at.add(8)
        await at.committer.drain()
    assert server.seen == [1] * 5
    assert [len(batch.journal) for batch in server.batches] == [8]
    assert len(at.carried) == 8


async def test_what_left_no_marker_is_halved_once_the_old_backend_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    server.faults = [lambda _: ConnectionResetError("before it arrived"), *[_too_long_for(4)] * 2]
    async with desk(server, monkeypatch) as at:
        at.add(8)
        await at.committer.drain()
    assert [len(batch.journal) for batch in server.batches] == [4, 4]
    assert len(at.carried) == 8


async def test_behind_a_pooler_nobody_knows_whether_the_old_backend_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(knows_backends=False)
    server.faults = [lambda _: ConnectionResetError("x"), *[_too_long_for(4)] * 2]
    async with desk(server, monkeypatch) as at:
        at.add(8)
        await at.committer.drain()
    assert [len(batch.journal) for batch in server.batches] == [8]


async def test_what_a_server_surely_did_not_do_may_be_halved_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    server.faults = [lambda _: psycopg.errors.DeadlockDetected("x"), _too_long_for(4)]
    async with desk(server, monkeypatch) as at:
        at.add(8)
        await at.committer.drain()
    assert [len(batch.journal) for batch in server.batches] == [4, 4]
