"""Sessions that break and a clock that is set in; what the duties still know on the next session out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.unit.worker.test_reaper import lease
from waymark_schema.ids import LeaseId
from waymark_schema.tables.leases import WatchedLease
from waymark_worker import duties as room
from waymark_worker import reaper
from waymark_worker.reaper import UNBEATEN_SECONDS
from waymark_worker.settings import PoolSettings

SEEN_BEFORE = 1.9
"""Seconds for which the first session sees an expired lease without a beat: nearly enough."""


class Enough(Exception):
    """A lease was fenced."""


@dataclass(eq=False)
class Link:
    """One session: what it was opened at, and whether it was closed."""

    opened_at: float
    breaks: bool
    closed: bool = False
    schema: str = "waymark"

    @property
    def connection(self) -> Link:
        return self

    async def close(self) -> None:
        self.closed = True


@dataclass
class World:
    """Time, the sessions that were opened, and on which of them a lease was fenced, and when."""

    time: float = 100.0
    links: list[Link] = field(default_factory=list)
    fenced: tuple[Link, float] | None = None

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        raise AssertionError("a host's wall clock decides nothing")

    async def open(self, *, role: str) -> Link:
        self.links.append(Link(self.time, breaks=not self.links))
        return self.links[-1]

    async def pause(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)

    async def pause_after(self, error: BaseException, attempt: int) -> None:
        await asyncio.sleep(0)

    async def watch(self, session: Link, query: object) -> list[WatchedLease]:
        if session.breaks and self.time >= session.opened_at + SEEN_BEFORE:
            raise psycopg.OperationalError("the connection is gone")
        return [lease(expired=True)]

    async def fence_expired(self, session: Link, lease: LeaseId, *, application: str) -> bool:
        self.fenced = (session, self.time)
        raise Enough


class Nothing:
    """A pruner for which nothing is old."""

    def __init__(self, *given: object, **named: object) -> None:
        """Whatever a pruner takes."""

    async def turn(self) -> bool:
        return True


async def _no_status(_session: object) -> None:
    return


async def test_what_a_session_saw_before_it_broke_fences_nobody_on_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an outage every lease has expired, and every owner is about to beat."""
    world = World()
    monkeypatch.setattr(room, "fetch_all", world.watch)
    monkeypatch.setattr(room, "pause", world.pause)
    monkeypatch.setattr(room, "pause_after", world.pause_after)
    monkeypatch.setattr(room, "Pruner", Nothing)
    monkeypatch.setattr(reaper, "fence_expired", world.fence_expired)
    with pytest.raises(Enough):
        async with asyncio.timeout(30):
            await room.run(
                world,  # type: ignore[arg-type] # opens sessions
                PoolSettings(user_module=("x",)),
                clock=world,
                session_features=True,
                own=set,
                status=_no_status,
            )
    first, second = world.links
    assert world.fenced is not None
    on, at = world.fenced
    assert (first.closed, second.closed) == (True, True)
    assert on is second
    assert at >= second.opened_at + UNBEATEN_SECONDS
