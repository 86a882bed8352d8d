"""Runloops as their pages show them in; beats, session locks and what the supervisor says of a lost lease out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.engine import settings_of
from tests.support.runloops import READY, Alive, Ended
from waymark_schema.database.execute import Session, fetch_one
from waymark_schema.database.statement import Query
from waymark_schema.ids import LeaseId, PoolId
from waymark_schema.ir.program import FORMAT, SEMANTICS
from waymark_schema.tables import leases, pools
from waymark_schema.tables.leases import Held, lock_class, unlock_session
from waymark_worker import heartbeats as room
from waymark_worker import supervisor
from waymark_worker.clock import SystemClock, pause
from waymark_worker.heartbeats import Heartbeats
from waymark_worker.runloop.child import RunloopChild
from waymark_worker.sessions import LeaseSessions
from waymark_worker.settings import PoolSettings
from waymark_worker.supervisor import Supervisor

pytestmark = pytest.mark.postgres

OFTEN: dict[str, Any] = {"lock_ttl_ms": 4_000, "lock_heartbeat_ms": 200}
SELDOM: dict[str, Any] = {"lock_ttl_ms": 600_000, "lock_heartbeat_ms": 200_000}
"""More seldom than a test waits: a beat that comes has another reason than the time."""


@dataclass
class Watch:
    """A supervisor's heartbeats over runloops whose ticks the test makes."""

    children: list[RunloopChild]
    connection: psycopg.AsyncConnection[Any]

    async def row(self, query: str, *values: object) -> Any:
        cursor = await self.connection.execute(query.encode(), values)
        row = await cursor.fetchone()
        return row[0] if row else None

    async def beat(self, index: int = 0) -> int:
        lease = self.children[index].lease
        return int(await self.row("select beat from waymark.leases where id = %s", lease) or 0)

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not await true():
                await pause(0.02)

    async def locked_by(self, lease: int | None) -> int | None:
        found = await self.row(
            "select pid from pg_locks where locktype = 'advisory' and classid = %s::bigint::oid"
            " and objid = %s::bigint::oid and granted"
            " and database = (select oid from pg_database where datname = current_database())",
            lock_class("waymark"),
            lease,
        )
        return None if found is None else int(found)


async def _registered(session: Session) -> PoolId:
    made = await fetch_one(
        session,
        pools.register(
            pid=1,
            host="here",
            version="0",
            python="3.12.1",
            program_format=FORMAT,
            program_semantics=SEMANTICS,
        ),
    )
    return made.id


async def _never(session: Session) -> None:
    raise AssertionError(session)


@asynccontextmanager
async def beating(
    url: str,
    *,
    runloops: int = 1,
    ticking: set[int] | None = None,
    session_features: bool = True,
    **settings: Any,
) -> AsyncIterator[Watch]:
    database = settings_of(url)
    children = [
        RunloopChild(application=f"waymark pool t/{index}", workers=1, session_features=True)
        for index in range(runloops)
    ]
    for child in children:
        child.process = Alive()  # type: ignore[assignment] # as far as heartbeats go
        child.report = READY
    heartbeats = Heartbeats(
        PoolSettings(user_module=("x",), **settings),
        children,
        clock=SystemClock(),
        session_features=session_features,
        stopping=asyncio.Event(),
        register=_registered,
        retire=_never,
    )
    moving = set(range(runloops)) if ticking is None else ticking

    async def tick() -> None:
        while True:
            for index in moving:
                children[index].board.tick()
            await pause(0.02)

    sessions = LeaseSessions(
        database, application="waymark pool t", session_features=session_features
    )
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        tasks = [asyncio.ensure_future(tick()), asyncio.ensure_future(heartbeats.run(sessions))]
        try:
            watch = Watch(children, connection)
            await asyncio.wait_for(heartbeats.ready.wait(), 60)
            yield watch
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            for child in children:
                child.close()


async def test_only_a_runloop_that_moves_is_kept_alive(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "STUCK_SECONDS", 0.5)
    moving = {0, 1}
    async with beating(database_url, runloops=2, ticking=moving, **OFTEN) as watch:
        await watch.until(lambda: _above(watch, 0, 2))
        moving.discard(0)
        async with asyncio.timeout(60):
            while True:
                before, other = await watch.beat(0), await watch.beat(1)
                await watch.until(lambda: _above(watch, 1, other + 3))  # noqa: B023 - awaited at once
                if await watch.beat(0) == before:
                    break
        moving.add(0)
        await watch.until(lambda: _above(watch, 0, before))


async def _above(watch: Watch, index: int, beat: int) -> bool:
    return await watch.beat(index) > beat


async def test_after_a_reconnect_the_lock_is_held_and_a_beat_is_written_at_once(
    database_url: str,
) -> None:
    async with beating(database_url, **SELDOM) as watch:
        lease = watch.children[0].lease
        assert lease is not None
        before, holder = await watch.beat(), await watch.locked_by(lease)
        assert holder is not None
        await watch.row("select pg_terminate_backend(%s)", holder)
        await watch.until(lambda: _locked_by_another(watch, holder))
        await watch.until(lambda: _above(watch, 0, before))


async def test_while_a_lost_session_still_holds_the_lock_beats_come_often(
    database_url: str,
) -> None:
    """When the server misses that session at last, the lock is free for a moment and nobody is taken for dead."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as ghost:
        await ghost.execute("select pg_advisory_lock(%s, 1)", [lock_class("waymark")])
        async with beating(database_url, **SELDOM) as watch:
            assert watch.children[0].lease == 1
            await watch.until(lambda: _above(watch, 0, 4))
            ghost_pid = ghost.info.backend_pid
            assert await watch.locked_by(1) == ghost_pid
            await ghost.close()

            async def ours() -> bool:
                return await watch.locked_by(1) not in (None, ghost_pid)

            await watch.until(ours)


async def test_a_fenced_lease_is_told_to_its_runloop_which_may_start_nothing(
    database_url: str,
) -> None:
    async with beating(database_url, **OFTEN) as watch:
        (child,) = watch.children
        assert child.board.time("beat_at") > 0
        await watch.connection.execute("update waymark.leases set fenced = true")

        async def told() -> bool:
            return child.board.get("fenced") == child.generation

        await watch.until(told)
        assert child.board.time("beat_at") == 0.0
        # The runloop drops everything and says so: it gets a lease of another id.
        old = child.lease
        child.board.put("lost", child.generation)

        async def another() -> bool:
            return child.lease != old and child.board.time("beat_at") > 0

        await watch.until(another)


async def test_the_lock_of_a_lease_that_was_given_up_is_given_back(database_url: str) -> None:
    async with beating(database_url, **OFTEN) as watch:
        for _ in range(2):
            await _give_up(watch)
        (child,) = watch.children
        assert child.lease is not None
        holder = await watch.locked_by(child.lease)
        await watch.row("select pg_terminate_backend(%s)", holder)
        await watch.until(lambda: _locked_by_another(watch, holder))
        for _ in range(2):
            await _give_up(watch)
        assert await _locked(watch) == [child.lease]


async def test_a_lock_that_is_not_held_is_not_given_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[LeaseId] = []

    def noted(lease: LeaseId, *, schema: str) -> Query[Held]:
        given.append(lease)
        return unlock_session(lease, schema=schema)

    monkeypatch.setattr(leases, "unlock_session", noted)
    async with beating(database_url, session_features=False, **OFTEN) as watch:
        await _give_up(watch)
        assert await _locked(watch) == []
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as ghost:
        await ghost.execute("select pg_advisory_lock(%s, 3)", [lock_class("waymark")])
        async with beating(database_url, **OFTEN) as watch:
            assert watch.children[0].lease == 3
            await _give_up(watch)
            assert given == []
            await _give_up(watch)
            assert given == [4]


async def _give_up(watch: Watch) -> None:
    """As a runloop does that was fenced; it has another lease, and its lock, when this returns."""
    (child,) = watch.children
    old = child.lease
    child.board.put("lost", child.generation)
    await watch.until(lambda: _holds_another(watch, 0, old))
    assert await _fenced(watch, old)
    beat = await watch.beat()
    await watch.until(lambda: _above(watch, 0, beat))


async def _locked_by_another(watch: Watch, than: int | None) -> bool:
    (child,) = watch.children
    assert child.lease is not None
    return await watch.locked_by(child.lease) not in (than, None)


async def _locked(watch: Watch) -> list[int]:
    cursor = await watch.connection.execute(
        "select objid::bigint from pg_locks where locktype = 'advisory' and classid = %s::bigint::oid"
        " and database = (select oid from pg_database where datname = current_database())",
        [lock_class("waymark")],
    )
    return [lease for (lease,) in await cursor.fetchall()]


@asynccontextmanager
async def _still_at_work(database_url: str, lease: int | None) -> AsyncIterator[None]:
    """Hold a lease as the last commit of a runloop does whose session is not known to have ended."""
    async with await psycopg.AsyncConnection.connect(database_url) as ghost:
        await ghost.execute("select from waymark.leases where id = %s for key share", [lease])
        yield


async def test_while_somebody_holds_a_lease_that_was_given_up_the_others_beat(
    database_url: str,
) -> None:
    async with beating(database_url, runloops=2, **OFTEN) as watch:
        first = watch.children[0]
        old = first.lease
        async with _still_at_work(database_url, old):
            with capture_logs() as said:
                first.board.put("lost", first.generation)
                await watch.until(lambda: _told(said, "lease.put_off"))
            before = await watch.beat(1)
            await watch.until(lambda: _above(watch, 1, before + 2))
            assert first.lease == old
            assert await watch.locked_by(old) is not None, "free before it is fenced"
        await watch.until(lambda: _holds_another(watch, 0, old))


async def test_while_no_lease_is_to_be_had_those_that_are_held_are_kept(database_url: str) -> None:
    async with beating(database_url, runloops=2, **OFTEN) as watch:
        first = watch.children[0]
        old = first.lease
        await watch.connection.execute(
            "alter table waymark.leases add constraint none_more check (id <= 2) not valid"
        )
        first.board.put("lost", first.generation)
        await watch.until(lambda: _fenced(watch, old))
        before = await watch.beat(1)
        await watch.until(lambda: _above(watch, 1, before + 2))
        await watch.connection.execute("alter table waymark.leases drop constraint none_more")
        await watch.until(lambda: _holds_another(watch, 0, old))


async def test_a_lease_whose_runloop_has_ended_is_given_up_before_there_is_another_runloop(
    database_url: str,
) -> None:
    async with beating(database_url, runloops=2, **SELDOM) as watch:
        first, second = watch.children
        old = first.lease
        first.process = Ended()  # type: ignore[assignment] # as far as heartbeats go
        await watch.until(lambda: _fenced(watch, old))

        async def given_up() -> bool:
            return first.lease is None

        await watch.until(given_up)
        assert await _locked(watch) == [second.lease]
        assert not await _fenced(watch, second.lease)
        # As a supervisor does that could start it again after all.
        first.board.put("lost", first.generation)
        first.process = Alive()  # type: ignore[assignment] # as far as heartbeats go
        await watch.until(lambda: _holds_another(watch, 0, None))
        assert first.lease != old


async def test_a_commit_of_a_runloop_that_has_ended_keeps_no_other_from_beating(
    database_url: str,
) -> None:
    async with beating(database_url, runloops=2, **OFTEN) as watch:
        first = watch.children[0]
        old = first.lease
        async with _still_at_work(database_url, old):
            with capture_logs() as said:
                first.process = Ended()  # type: ignore[assignment] # as far as heartbeats go
                await watch.until(lambda: _told(said, "lease.put_off"))
            stands, before = await watch.beat(0), await watch.beat(1)
            await watch.until(lambda: _above(watch, 1, before + 2))
            assert (await watch.beat(0), await _fenced(watch, old)) == (stands, False)
            assert await watch.locked_by(old) is not None, "free before it is fenced"
        await watch.until(lambda: _fenced(watch, old))


async def test_a_beat_that_is_not_answered_keeps_nobody_else_from_beating(
    database_url: str,
) -> None:
    async with beating(database_url, runloops=2, **OFTEN) as watch:
        async with await psycopg.AsyncConnection.connect(database_url) as ghost:
            held = watch.children[0].lease
            await ghost.execute("select from waymark.leases where id = %s for update", [held])
            stands, before = await watch.beat(0), await watch.beat(1)
            await watch.until(lambda: _above(watch, 1, before + 2))
            assert await watch.beat(0) == stands
        await watch.until(lambda: _above(watch, 0, stands))


async def test_at_the_end_of_a_pool_a_lease_that_somebody_holds_keeps_no_other_from_being_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LEAVE_SECONDS", 60.0)
    database = settings_of(database_url)
    ending = Supervisor(
        PoolSettings(user_module=("x",)), database, workers=1, session_features=True
    )
    sessions = LeaseSessions(database, application="waymark pool t", session_features=True)
    async with beating(database_url, runloops=2, **SELDOM) as watch:
        ending._children = watch.children
        held, free = [child.lease for child in watch.children]
        async with await psycopg.AsyncConnection.connect(database_url) as ghost:
            await ghost.execute("select from waymark.leases where id = %s for key share", [held])
            await ending._leave(sessions)
            assert (await _fenced(watch, held), await _fenced(watch, free)) == (False, True)


async def test_a_pool_that_is_written_down_anew_says_anew_that_it_takes_nothing_more(
    database_url: str,
) -> None:
    database = settings_of(database_url)
    ending = Supervisor(
        PoolSettings(user_module=("x",)), database, workers=1, session_features=True
    )
    sessions = LeaseSessions(database, application="waymark pool t", session_features=True)
    session = await sessions.open(role="heartbeat")
    async with session.connection as connection:
        for _ in range(2):
            await ending._register(session)
            await connection.execute("update waymark.pools set programs = '{1}'")
            await ending._retire_pool(session)
            cursor = await connection.execute("select programs from waymark.pools")
            assert await cursor.fetchall() == [([],)]
            await connection.execute("delete from waymark.pools")


async def _told(said: Sequence[Mapping[str, Any]], event: str) -> bool:
    return event in {line["event"] for line in said}


async def _holds_another(watch: Watch, index: int, than: int | None) -> bool:
    return watch.children[index].lease not in (than, None)


async def _fenced(watch: Watch, lease: int | None) -> bool:
    return bool(await watch.row("select fenced from waymark.leases where id = %s", lease))


@pytest.mark.slow
def test_a_run_that_computes_for_longer_than_a_lease_lives_keeps_it(farm: Farm) -> None:
    """Its runloop does nothing else meanwhile, not even tick; the supervisor beats, and no reaper takes it for dead."""
    farm.variables.update(
        WAYMARK_LOCK_TTL_MS="4000",
        WAYMARK_LOCK_HEARTBEAT_MS="400",
        WAYMARK_STEP_BUDGET="10000000000",
    )
    pools = farm.start_several(2)
    held = farm.leases()
    (run,) = farm.queue(jobs.ComputesFor, (7.0,))
    farm.wait_for_ledger("add")
    owner = "select owner from waymark.instances where id = %s"
    ((before,),) = farm.query(owner, run)
    (found,) = farm.finished([run])
    farm.assert_held_throughout(held, *pools)
    assert before in [lease for lease, _ in held]
    assert farm.query("select recoveries, epoch from waymark.instances") == [(0, 1)]
    rounds, result = found
    assert result == 2 + 5_000 * rounds + 1
    begun, ended = [float(line[6]) for line in farm.ledger("add")]
    assert ended - begun > 4.0, "it did not compute for longer than the lease lives"
    farm.assert_exactly_once()
    for pool in pools:
        farm.stop(pool)
