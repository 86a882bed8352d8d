"""Runloops as their pages show them in; beats, session locks and what the supervisor says of a lost lease out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.support.engine import settings_of
from waymark_schema.tables.leases import lock_class
from waymark_worker import supervisor as room
from waymark_worker.clock import pause
from waymark_worker.runloop.child import RunloopChild
from waymark_worker.runloop.report import RunloopReport
from waymark_worker.sessions import LeaseSessions
from waymark_worker.settings import PoolSettings
from waymark_worker.supervisor import Supervisor

pytestmark = pytest.mark.postgres

READY = RunloopReport(
    ready=True,
    actions=[],
    programs=[],
    workflows=[],
    workers=[],
    counters={},
    instances_active=0,
    calls_in_flight=0,
    calls_queued=0,
    memory_bytes=0,
)
OFTEN: dict[str, Any] = {"lock_ttl_ms": 4_000, "lock_heartbeat_ms": 200}
SELDOM: dict[str, Any] = {"lock_ttl_ms": 120_000, "lock_heartbeat_ms": 50_000}


class Alive:
    """A process that runs."""

    returncode = None


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

    async def locked_by(self, lease: int) -> int | None:
        found = await self.row(
            "select pid from pg_locks where locktype = 'advisory' and classid = %s::bigint::oid"
            " and objid = %s::bigint::oid and granted"
            " and database = (select oid from pg_database where datname = current_database())",
            lock_class("waymark"),
            lease,
        )
        return None if found is None else int(found)


@asynccontextmanager
async def beating(
    url: str, *, runloops: int = 1, ticking: set[int] | None = None, **settings: Any
) -> AsyncIterator[Watch]:
    database = settings_of(url)
    supervisor = Supervisor(
        PoolSettings(user_module=("x",), **settings),
        database,
        workers=1,
        session_features=True,
    )
    children = [
        RunloopChild(application=f"waymark pool t/{index}", workers=1, session_features=True)
        for index in range(runloops)
    ]
    for child in children:
        child.process = Alive()  # type: ignore[assignment] # as far as heartbeats go
        child.report = READY
    supervisor._children = children
    moving = set(range(runloops)) if ticking is None else ticking

    async def tick() -> None:
        while True:
            for index in moving:
                children[index].board.tick()
            await pause(0.02)

    sessions = LeaseSessions(database, application="waymark pool t", session_features=True)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        tasks = [asyncio.ensure_future(tick()), asyncio.ensure_future(supervisor._beat(sessions))]
        try:
            watch = Watch(children, connection)
            await asyncio.wait_for(supervisor.ready.wait(), 60)
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

        async def back() -> bool:
            now = await watch.locked_by(lease)
            return now not in (None, holder) and await watch.beat() > before

        await watch.until(back)


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
