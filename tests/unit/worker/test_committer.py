"""Changes and a fake server in; what is committed, in which order, and who is given up out."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.unit.worker.committing import AnswerLost, Server, desk
from waymark_schema.errors import DatabaseUnreachable, HistoryLost, NotTheOwner
from waymark_schema.kinds import InstanceState
from waymark_schema.tables.settle import (
    FinalRow,
    JournalRow,
    SettleBatch,
)
from waymark_worker import journal
from waymark_worker.journal import Change, Fenced


async def test_what_settles_during_a_commit_goes_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(gate=asyncio.Event())
    async with desk(server, monkeypatch) as at:
        at.add()
        await asyncio.sleep(0.01)
        for _ in range(50):
            at.add()
        assert at.committed == []
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
    assert [len(batch.journal) for batch in server.batches] == [1, 50]
    assert [batch.seq for batch in server.batches] == [1, 2]


async def test_nothing_is_told_before_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(gate=asyncio.Event())
    async with desk(server, monkeypatch) as at:
        at.add(3)
        await asyncio.sleep(0.01)
        assert (at.committed, server.batches) == ([], [])
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
        assert len(at.carried) == 3


async def test_a_change_settles_until_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(gate=asyncio.Event())
    under_way, queued = uuid4(), uuid4()
    async with desk(server, monkeypatch) as at:
        assert not at.committer.settles(under_way)
        at.committer.add(Change(under_way, 1, None, final=FinalRow(under_way, 1, 4)))
        await asyncio.sleep(0.01)
        at.committer.add(Change(queued, 1, None, final=FinalRow(queued, 1, 4)))
        assert [at.committer.settles(each) for each in (under_way, queued)] == [True, True]
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
        assert [at.committer.settles(each) for each in (under_way, queued)] == [False, False]


async def test_one_final_row_per_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(gate=asyncio.Event())
    instance = uuid4()
    async with desk(server, monkeypatch) as at:
        at.add()
        await asyncio.sleep(0.01)
        for state in (InstanceState.WAITING, InstanceState.COMPLETED):
            at.committer.add(Change(instance, 1, None, final=FinalRow(instance, 1, int(state))))
        assert server.gate is not None
        server.gate.set()
        await at.committer.drain()
    assert server.batches[1].instances == [FinalRow(instance, 1, int(InstanceState.COMPLETED))]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_a_value_that_cannot_be_stored_is_found_by_halving_and_the_rest_commits(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        instances = [at.add() for _ in range(size)]
        server.hostile = {instances[size // 2]}
        await at.committer.drain()
    assert [carried for carried, _ in at.rejected] == [(instances[size // 2], 0)]
    stored = {row.instance for batch in server.batches for row in batch.journal}
    assert stored == set(instances) - server.hostile
    assert [batch.seq for batch in server.batches] == list(range(1, len(server.batches) + 1))


async def test_nothing_of_an_instance_is_written_behind_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        guilty = uuid4()
        server.faults = [_hostile_value, _hostile_value, _hostile_value]
        at.committer.add(Change(guilty, 1, "first", rows=[JournalRow(guilty, 1, 1)]))
        at.committer.add(Change(guilty, 1, "second", rows=[JournalRow(guilty, 2, 1)]))
        await at.committer.drain()
        at.committer.add(Change(guilty, 1, "third", rows=[JournalRow(guilty, 3, 1)]))
        last = Change(guilty, 1, "end", final=FinalRow(guilty, 1, 7), last_word=True)
        at.committer.add(last)
        await at.committer.drain()
        again = Change(guilty, 2, "claimed anew", rows=[JournalRow(guilty, 1, 1)])
        at.committer.add(again)
        await at.committer.drain()
    assert [carried for carried, _ in at.rejected] == ["first"]
    assert at.carried == ["end", "claimed anew"]


def _hostile_value(batch: SettleBatch) -> Exception | None:
    return (
        psycopg.errors.DataError("no") if batch.journal and batch.journal[0].position == 1 else None
    )


async def test_what_cannot_even_be_encoded_costs_its_own_instance_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        good = at.add()
        bad = uuid4()
        server.faults = [
            lambda batch: OverflowError("int too large") if _names(batch, bad) else None
        ] * 3
        at.committer.add(Change(bad, 1, "bad", rows=[JournalRow(bad, 2**40, 1)]))
        await at.committer.drain()
    assert [carried for carried, _ in at.rejected] == ["bad"]
    assert at.carried == [(good, 0)]


def _names(batch: SettleBatch, instance: UUID) -> bool:
    return any(row.instance == instance for row in batch.journal)


async def test_a_foreign_instance_is_given_up_and_the_rest_commits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        mine, theirs = at.add(), at.add()
        server.foreign = {theirs}
        await at.committer.drain()
    assert [type(error) for _, error in at.rejected] == [NotTheOwner]
    assert at.carried == [(mine, 0)]


async def test_after_a_lost_answer_the_identical_batch_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    server.faults = [lambda _: AnswerLost("gone"), lambda _: AnswerLost("gone again")]
    async with desk(server, monkeypatch) as at:
        at.add(5)
        await at.committer.drain()
        at.add()
        await at.committer.drain()
    assert server.seen == [1, 1, 1, 2]
    assert [len(batch.journal) for batch in server.batches] == [5, 1]
    assert len(at.carried) == 6
    assert (server.opened, server.terminated) == (3, 2), "the old backend is ended before a resend"
    assert server.lost == 2


@pytest.mark.parametrize(
    "fault",
    [
        psycopg.errors.SerializationFailure("x"),
        psycopg.errors.DeadlockDetected("x"),
        psycopg.errors.DiskFull("x"),
        psycopg.errors.InsufficientPrivilege("x"),
        psycopg.errors.UndefinedTable("x"),
        DatabaseUnreachable("away"),
        ConnectionResetError("x"),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_what_passes_or_a_person_can_mend_is_waited_out(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    server = Server()
    server.faults = [lambda _: fault] * 6
    async with desk(server, monkeypatch) as at:
        at.add(3)
        await at.committer.drain()
    assert server.seen == [1] * 7
    assert at.rejected == []
    assert len(at.carried) == 3


async def test_a_fenced_lease_ends_the_committer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(fenced=True)
    with pytest.raises(Fenced):
        async with desk(server, monkeypatch) as at:
            at.add()
            await asyncio.sleep(0.02)
    assert at.carried == []
    assert at.rejected == []


async def test_a_server_that_forgot_ends_the_committer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    with pytest.raises(HistoryLost):
        async with desk(server, monkeypatch) as at:
            at.add()
            await at.committer.drain()
            at.add()
            await at.committer.drain()
            server.batches.pop()
            at.add(2)
            await asyncio.sleep(0.02)
    assert len(at.carried) == 2
    assert at.rejected == []


async def test_markers_are_trimmed_behind_the_newest_confirmed_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        for _ in range(2 * journal.TRIM_EVERY):
            at.add()
            await at.committer.drain()
    assert len(server.trimmed) == 2
    # Of the commit that would be resent next, and of its predecessor, nothing is trimmed.
    assert all(before <= seq - 1 for before, seq in zip(server.trimmed, (256, 512), strict=True))
