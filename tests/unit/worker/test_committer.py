"""Changes and a fake server in; what is committed, in which order, and who is given up out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from waymark_schema.errors import DatabaseUnreachable, HistoryLost, NotTheOwner
from waymark_schema.ids import LeaseId
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import transactions
from waymark_schema.tables.settle import FinalRow, JournalRow, SettleBatch, SettleResult
from waymark_worker import journal
from waymark_worker.journal import MAX_BYTES, MAX_ROWS, Change, Committer, Fenced
from waymark_worker.telemetry import Counters


@dataclass
class Server:
    """Commits batches as the guarded statement does; what goes wrong is set by the test."""

    batches: list[SettleBatch] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    opened: int = 0
    terminated: int = 0
    faults: list[Callable[[SettleBatch], Exception | None]] = field(default_factory=list)
    """One for each statement that arrives, in turn; then none."""
    hostile: set[UUID] = field(default_factory=set)
    foreign: set[UUID] = field(default_factory=set)
    fenced: bool = False
    gate: asyncio.Event | None = None
    trimmed: list[int] = field(default_factory=list)

    async def open(self, *, role: str) -> Any:
        self.opened += 1
        return _Session(self)

    async def open_after_lost(self, *, role: str) -> Any:
        return await self.open(role=role)

    async def lose(self, session: Any) -> None:
        raise AssertionError("the committer resends instead")

    async def terminate_lost(self) -> None:
        self.terminated += 1

    async def commit(self, batch: SettleBatch) -> SettleResult:
        if self.gate is not None:
            await self.gate.wait()
        self.seen.append(batch.seq)
        fault = self.faults.pop(0)(batch) if self.faults else None
        lost_answer = isinstance(fault, _AnswerLost)
        if fault is not None and not lost_answer:
            raise fault
        named = {row.instance for row in batch.journal} | {row.id for row in batch.instances}
        if named & self.hostile:
            raise psycopg.errors.DataError("a value that no column takes")
        if named & self.foreign:
            raise NotTheOwner("somebody else's")
        if self.fenced:
            return SettleResult.FENCED
        last = self.batches[-1].seq if self.batches else 0
        if batch.seq == last:
            assert batch == self.batches[-1], "a resend is the identical batch"
            if fault is not None:
                raise fault
            return SettleResult.COMMITTED_BEFORE
        if batch.seq != last + 1:
            raise HistoryLost(1, batch.seq - 1, last)
        self.batches.append(batch)
        if lost_answer:
            assert fault is not None
            raise fault
        return SettleResult.COMMITTED


class _AnswerLost(psycopg.OperationalError):
    """The server committed; the client hears of a broken connection."""


class _Session:
    schema = "waymark"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connection = self

    async def close(self) -> None:
        return


@dataclass
class Desk:
    """A committer, its server and what it said."""

    server: Server
    committer: Committer
    committed: list[list[Any]] = field(default_factory=list)
    rejected: list[tuple[Any, Exception]] = field(default_factory=list)

    def add(self, count: int = 1, instance: UUID | None = None, **more: Any) -> UUID:
        chosen = instance or uuid4()
        for position in range(count):
            rows = [JournalRow(chosen, position + 1, 1, outcome=more.get("outcome"))]
            self.committer.add(Change(chosen, 1, (chosen, position), rows=rows))
        return chosen

    @property
    def carried(self) -> list[Any]:
        return [carried for batch in self.committed for carried in batch]


@asynccontextmanager
async def desk(
    server: Server, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> AsyncIterator[Desk]:
    async def commit(session: _Session, batch: SettleBatch) -> SettleResult:
        return await session.server.commit(batch)

    async def nap(seconds: float) -> None:
        await asyncio.sleep(0)

    async def trim(session: _Session, query: Any) -> int:
        session.server.trimmed.append(query.values[1])
        return 0

    monkeypatch.setattr(transactions, "commit", commit)
    monkeypatch.setattr(journal, "pause", nap)
    monkeypatch.setattr(journal, "execute", trim)
    made: list[Desk] = []
    committer = Committer(
        LeaseId(1),
        server,
        committed=lambda changes: made[0].committed.append([each.carried for each in changes]),
        rejected=lambda change, error: made[0].rejected.append((change.carried, error)),
        counters=Counters(),
        **options,
    )
    made.append(Desk(server, committer))
    running = asyncio.create_task(committer.run())
    try:
        yield made[0]
    finally:
        committer.stop()
        if not running.done():
            await asyncio.wait_for(running, 5)
        elif (error := running.exception()) is not None:
            raise error


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


async def test_a_batch_is_bounded_in_rows_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    async with desk(server, monkeypatch) as at:
        at.add(MAX_ROWS)
        at.add(3, outcome=b"x" * (MAX_BYTES // 2))
        at.add(1, outcome=b"x" * (2 * MAX_BYTES))
        await at.committer.drain()
    sizes = [sum(len(row.outcome or b"") for row in batch.journal) for batch in server.batches]
    assert all(len(batch.journal) <= MAX_ROWS for batch in server.batches)
    assert max(sizes) == 2 * MAX_BYTES, "a value larger than a batch goes alone"
    assert [
        len(batch.journal)
        for batch in server.batches
        if sum(map(_weight, batch.journal)) > MAX_BYTES
    ] == [1]
    positions = [row.position for batch in server.batches for row in batch.journal]
    assert positions == [*range(1, MAX_ROWS + 1), 1, 2, 3, 1]


def _weight(row: JournalRow) -> int:
    return len(row.outcome or b"")


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
    server.faults = [lambda _: _AnswerLost("gone"), lambda _: _AnswerLost("gone again")]
    async with desk(server, monkeypatch) as at:
        at.add(5)
        await at.committer.drain()
        at.add()
        await at.committer.drain()
    assert server.seen == [1, 1, 1, 2]
    assert [len(batch.journal) for batch in server.batches] == [5, 1]
    assert len(at.carried) == 6
    assert (server.opened, server.terminated) == (3, 2), "the old backend is ended before a resend"


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
    server.faults = [lambda _: _AnswerLost("gone"), *[_too_long_for(0)] * 3]
    async with desk(server, monkeypatch) as at:
        at.add(8)
        await at.committer.drain()
    assert server.seen == [1] * 5
    assert [len(batch.journal) for batch in server.batches] == [8]
    assert len(at.carried) == 8


async def test_what_a_server_surely_did_not_do_may_be_halved_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    server.faults = [lambda _: psycopg.errors.DeadlockDetected("x"), _too_long_for(4)]
    async with desk(server, monkeypatch) as at:
        at.add(8)
        await at.committer.drain()
    assert [len(batch.journal) for batch in server.batches] == [4, 4]


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
