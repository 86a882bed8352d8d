"""A migrated database in; sessions, a registered program and queued instances for tests of the guards out."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from waymark_schema import ids
from waymark_schema.database import execute
from waymark_schema.database.sessions import Purpose, open_session
from waymark_schema.database.settings import DatabaseSettings, from_environment
from waymark_schema.ids import InstanceId, LeaseId, PoolId, ProgramId
from waymark_schema.ir.program import FORMAT, SEMANTICS
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.tables import instances, leases, pools, programs, transactions
from waymark_schema.tables.instances import Claimed, NewInstance, Stretch
from waymark_schema.tables.settle import FinalRow, JournalRow, SettleBatch

TTL = timedelta(seconds=15)
MINOR = 12


def settings_of(url: str, **variables: str) -> DatabaseSettings:
    return from_environment({"WAYMARK_DATABASE_URL": url, **variables})


@dataclass(slots=True)
class Owner:
    """One lease with its own session and the number of its last commit."""

    session: execute.Session
    lease: LeaseId
    application: str
    programs: Sequence[ProgramId]
    seq: int = 0

    async def claim(
        self,
        room: int = 100,
        *,
        stretches: Sequence[Stretch] | None = None,
        python_minor: int = MINOR,
    ) -> list[Claimed]:
        asked = instances.whole(self.programs) if stretches is None else stretches
        query = instances.claim(self.lease, asked, room=room, python_minor=python_minor)
        return await execute.fetch_all(self.session, query)

    def batch(self, journal: Sequence[JournalRow] = (), **rest: Any) -> SettleBatch:
        """Number the next batch; a batch that is resent is the same value again."""
        self.seq += 1
        return SettleBatch(self.lease, self.seq, MINOR, journal=journal, **rest)


@dataclass(slots=True)
class Engine:
    """A database in which tests play pools against each other."""

    settings: DatabaseSettings
    session: execute.Session
    program: ProgramId = field(default=ids.program_id(bytes(32)))
    pool: PoolId = field(default=PoolId(0))

    async def prepare(self) -> None:
        self.program = await transactions.store_program(self.session, program_of("orders"))
        self.pool = await self.register_pool()

    async def register_pool(self, *, python: str = "3.12.1") -> PoolId:
        made = await execute.fetch_one(
            self.session,
            pools.register(
                pid=1,
                host="here",
                version="0",
                python=python,
                program_format=FORMAT,
                program_semantics=SEMANTICS,
            ),
        )
        return made.id

    @asynccontextmanager
    async def owner(
        self,
        *,
        ttl: timedelta = TTL,
        application: str = "owner",
        pool: PoolId | None = None,
        has_lock: bool = True,
    ) -> AsyncIterator[Owner]:
        session = await open_session(self.settings, application=application, purpose=Purpose.OWNER)
        async with session.connection:
            taken = leases.register(
                pool or self.pool, application=application, ttl=ttl, has_lock=has_lock
            )
            lease = await execute.fetch_one(session, taken)
            yield Owner(session, lease.id, application, [self.program])

    @asynccontextmanager
    async def another(self, application: str = "another") -> AsyncIterator[execute.Session]:
        session = await open_session(self.settings, application=application, purpose=Purpose.OWNER)
        async with session.connection:
            yield session

    async def enqueue(
        self, count: int, *, program: ProgramId | None = None, **rest: Any
    ) -> list[InstanceId]:
        wanted = self.program if program is None else program
        runs = [NewInstance(ids.new_instance_id(), wanted, b"in", **rest) for _ in range(count)]
        assert await execute.fetch_all(self.session, instances.enqueue(runs)) == []
        return [run.id for run in runs]

    async def states(self, wanted: Sequence[InstanceId]) -> list[InstanceState]:
        rows = await execute.fetch_all(self.session, instances.status(wanted))
        found = {row.id: InstanceState(row.state) for row in rows}
        return [found[instance] for instance in wanted]

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = await self.session.connection.execute(query.encode(), values or None)
        return await cursor.fetchall()

    async def count(self, table: str) -> int:
        ((found,),) = await self.rows(f"select count(*) from waymark.{table}")
        return int(found)

    async def release_all(self) -> int:
        released = 0
        while batch := await execute.fetch_all(self.session, instances.release(room=100)):
            released += len(batch)
        return released


def program_of(workflow: str, *, version: str = "1", code: bytes = b"") -> programs.NewProgram:
    digest = hashlib.sha256(f"{workflow} {version} ".encode() + code).digest()
    return programs.NewProgram(workflow, version, digest, 1, 1, ["app:ship"], b"program", "source")


def outcome_of(claimed: Claimed, position: int) -> JournalRow:
    return JournalRow(
        claimed.id,
        position,
        JournalKind.OUTCOME,
        call=position,
        attempt=1,
        action=0,
        inputs=b"in",
        outcome=b"out",
        outcome_kind=OutcomeKind.VALUE,
    )


def completed(claimed: Claimed) -> FinalRow:
    return FinalRow(claimed.id, claimed.epoch, InstanceState.COMPLETED, result=b"done")


@asynccontextmanager
async def engine_on(url: str) -> AsyncIterator[Engine]:
    settings = settings_of(url)
    session = await open_session(settings, application="test")
    async with session.connection:
        engine = Engine(settings, session)
        await engine.prepare()
        yield engine
