"""A committer whose server is a fake: what goes wrong is set by the test, what was committed is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from waymark_schema.errors import HistoryLost, NotTheOwner
from waymark_schema.ids import LeaseId
from waymark_schema.tables import transactions
from waymark_schema.tables.settle import (
    JournalRow,
    LastCommit,
    SettleBatch,
    SettleResult,
)
from waymark_worker import journal
from waymark_worker.journal import Change, Committer
from waymark_worker.telemetry import Counters


@dataclass
class Server:
    """Commits batches as the guarded statement does; what goes wrong is set by the test."""

    batches: list[SettleBatch] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    opened: int = 0
    terminated: int = 0
    lost: int = 0
    knows_backends: bool = True
    faults: list[Callable[[SettleBatch], Exception | None]] = field(default_factory=list)
    """One for each statement that arrives, in turn; then none."""
    hostile: set[UUID] = field(default_factory=set)
    foreign: set[UUID] = field(default_factory=set)
    fenced: bool = False
    gate: asyncio.Event | None = None
    trimmed: list[int] = field(default_factory=list)

    async def open(self, *, role: str) -> Any:
        self.opened += 1
        return FakeSession(self)

    async def open_after_lost(self, *, role: str) -> Any:
        return await self.open(role=role)

    async def lose(self, session: Any) -> None:
        self.lost += 1

    async def terminate_lost(self) -> None:
        self.terminated += 1

    async def commit(self, batch: SettleBatch) -> SettleResult:
        if self.gate is not None:
            await self.gate.wait()
        self.seen.append(batch.seq)
        fault = self.faults.pop(0)(batch) if self.faults else None
        lost_answer = isinstance(fault, AnswerLost)
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


class AnswerLost(psycopg.OperationalError):
    """The server committed; the client hears of a broken connection."""


class FakeSession:
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
    async def commit(session: FakeSession, batch: SettleBatch) -> SettleResult:
        return await session.server.commit(batch)

    async def nap(seconds: float) -> None:
        await asyncio.sleep(0)

    async def last(session: FakeSession, query: Any) -> LastCommit:
        batches = session.server.batches
        return LastCommit(batches[-1].seq if batches else 0)

    async def trim(session: FakeSession, query: Any) -> int:
        session.server.trimmed.append(query.values[1])
        return 0

    monkeypatch.setattr(transactions, "commit", commit)
    monkeypatch.setattr(journal, "pause", nap)
    monkeypatch.setattr(journal, "execute", trim)
    monkeypatch.setattr(journal, "fetch_one", last)
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
