"""Answers that take their time, and a clock that is set, in; what the page of a runloop tells it of its lease out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.support.runloops import READY, Alive
from waymark_schema.ids import LeaseId, PoolId
from waymark_schema.tables.leases import Beat, NewLease
from waymark_worker import heartbeats as room
from waymark_worker.heartbeats import Heartbeats
from waymark_worker.runloop.child import RunloopChild
from waymark_worker.sessions import SHORT_PAUSE_SECONDS
from waymark_worker.settings import PoolSettings

ANSWER_SECONDS = 3.0
SERVER_AHEAD = 1_000_000.0
"""By how much the server's clock is ahead of the one that is set."""
SETTINGS = PoolSettings(user_module=("x",))


@dataclass
class World:
    """Time, and a server that reads its own clock in the middle of the way there and back."""

    time: float = 100.0
    refuses: bool = False

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        raise AssertionError("a host's wall clock decides nothing")

    def _read(self) -> datetime:
        self.time += ANSWER_SECONDS
        return datetime.fromtimestamp(self.time - ANSWER_SECONDS / 2 + SERVER_AHEAD, UTC)

    async def beat(self, session: object, query: object) -> Beat:
        return Beat(2, self._read())

    async def lease(self, session: object, query: object) -> NewLease:
        if self.refuses:
            raise psycopg.errors.LockNotAvailable("somebody holds it")
        return NewLease(LeaseId(7), 1, self._read() + SETTINGS.lease_ttl)

    async def register(self, session: object) -> PoolId:
        self.time += ANSWER_SECONDS
        return PoolId(1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(room, "fetch_optional", made.beat)
    monkeypatch.setattr(room, "fetch_one", made.lease)
    return made


@pytest.fixture
def child() -> Iterator[RunloopChild]:
    made = RunloopChild(application="x/0", workers=1, session_features=False)
    made.process = Alive()  # type: ignore[assignment] # as far as heartbeats go
    made.report = READY
    yield made
    made.close()


def heartbeats(world: World, child: RunloopChild) -> Heartbeats:
    async def never(_session: object) -> None:
        raise AssertionError("nobody stops")

    return Heartbeats(
        SETTINGS,
        [child],
        clock=world,
        session_features=False,
        stopping=asyncio.Event(),
        register=world.register,
        retire=never,
    )


SESSION: Any = None


async def test_a_lease_counts_from_when_it_was_asked_for(world: World, child: RunloopChild) -> None:
    """The answer may be under way for long, and the lease runs out meanwhile."""
    beats = heartbeats(world, child)
    await beats._beat_all(SESSION)
    assert child.lease == 7
    assert child.board.time("beat_at") == 100.0 + ANSWER_SECONDS, "behind the pool's own row"
    assert child.board.time("database_ahead") == SERVER_AHEAD
    asked_at = world.time
    await beats._beat_all(SESSION)
    assert world.time == asked_at + ANSWER_SECONDS
    assert child.board.time("beat_at") == asked_at
    assert child.board.time("database_ahead") == SERVER_AHEAD


async def test_after_a_lease_was_not_to_be_had_the_next_try_waits(
    world: World, child: RunloopChild
) -> None:
    beats = heartbeats(world, child)
    assert beats._wanting() == [child]
    world.refuses = True
    await beats._beat_all(SESSION)
    assert (child.lease, beats._wanting()) == (None, [])
    world.refuses = False
    await beats._beat_all(SESSION)
    assert child.lease is None
    world.time += SHORT_PAUSE_SECONDS
    await beats._beat_all(SESSION)
    assert child.lease == 7
