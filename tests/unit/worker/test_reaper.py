"""Leases as a fake session shows them and a clock that is set in; who is fenced, when, out."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from waymark_schema.ids import LeaseId, PoolId
from waymark_schema.tables.leases import WatchedLease
from waymark_worker import reaper as room
from waymark_worker.reaper import LOOK_SECONDS, Reaper

UP = timedelta(minutes=5)


def lease(number: int = 7, **changes: Any) -> WatchedLease:
    shown: dict[str, Any] = {
        "id": LeaseId(number),
        "pool": PoolId(1),
        "beat": 3,
        "application": "waymark pool x/0:1",
        "expired": False,
        "lock_free": False,
        "server_up": UP,
    }
    return WatchedLease(**{**shown, **changes})


@dataclass
class World:
    """Time, the leases, and who was fenced how."""

    now: float = 100.0
    expired: list[int] = field(default_factory=list)
    dead: list[tuple[int, int]] = field(default_factory=list)
    grants: bool = True
    schema = "waymark"

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()

    async def fence_expired(session: World, lease: LeaseId, *, application: str) -> bool:
        session.expired.append(lease)
        return session.grants

    async def fence_dead(
        session: World, lease: LeaseId, *, observed: int, application: str
    ) -> bool:
        session.dead.append((lease, observed))
        return session.grants

    monkeypatch.setattr(room, "fence_expired", fence_expired)
    monkeypatch.setattr(room, "fence_dead", fence_dead)
    return made


def reaper(world: World, *, own: set[int] | None = None, features: bool = True) -> Reaper:
    return Reaper(world, clock=world, own=lambda: own or set(), session_features=features)  # type: ignore[arg-type] # a world is both


async def _look(world: World, by: Reaper, after: float, *shown: WatchedLease) -> int:
    """Let time pass and the reaper look at what is there now, as often as it does; how many it fenced."""
    fenced = 0
    while True:
        step = min(after, LOOK_SECONDS)
        after -= step
        world.now += step
        fenced += await by.look(shown)
        if after <= 1e-9:
            return fenced


async def test_an_expired_lease_is_fenced_only_after_two_seconds_without_a_beat(
    world: World,
) -> None:
    by = reaper(world)
    gone = lease(expired=True)
    assert await _look(world, by, 0.0, gone) == 0
    assert await _look(world, by, 1.9, gone) == 0
    assert world.expired == []
    assert await _look(world, by, 0.2, gone) == 1
    assert world.expired == [7]


async def test_a_beat_starts_the_two_seconds_anew(world: World) -> None:
    by = reaper(world)
    await _look(world, by, 0.0, lease(expired=True))
    await _look(world, by, 1.9, lease(expired=True))
    await _look(world, by, 0.0, lease(expired=True, beat=4))
    assert await _look(world, by, 1.9, lease(expired=True, beat=4)) == 0
    assert await _look(world, by, 0.2, lease(expired=True, beat=4)) == 1


async def test_while_the_server_stands_still_nobody_is_seen_without_a_beat(world: World) -> None:
    """The look that hung comes back first of all; every owner is about to beat, and must be given the time."""
    by = reaper(world)
    gone = lease(expired=True, lock_free=True)
    await _look(world, by, 0.0, gone)
    world.now += 60.0
    assert await _look(world, by, 0.0, gone) == 0
    assert await _look(world, by, 0.3, gone) == 0
    assert (world.expired, world.dead) == ([], [])
    assert await _look(world, by, 2.0, gone) == 1


async def test_slow_looks_fence_in_the_end(world: World) -> None:
    by = reaper(world)
    gone = lease(expired=True)
    fenced = 0
    for _ in range(5):
        world.now += 5.0
        fenced += await by.look([gone])
    assert fenced == 1


async def test_a_new_session_forgets_what_the_old_one_saw(world: World) -> None:
    # After an outage every lease is expired, and every owner is about to beat.
    before = reaper(world)
    await _look(world, before, 1.8, lease(expired=True))
    assert await _look(world, reaper(world), 1.9, lease(expired=True)) == 0
    assert world.expired == []


async def test_a_free_lock_hastens_on_two_looks_a_second_apart(world: World) -> None:
    by = reaper(world)
    free = lease(lock_free=True)
    assert await _look(world, by, 0.0, free) == 0
    assert await _look(world, by, 0.9, free) == 0
    assert await _look(world, by, 0.2, free) == 1
    assert world.dead == [(7, 3)]
    assert world.expired == []


async def test_a_lock_that_is_held_in_between_starts_anew(world: World) -> None:
    by = reaper(world)
    await _look(world, by, 0.0, lease(lock_free=True))
    await _look(world, by, 0.5, lease(lock_free=False))
    assert await _look(world, by, 0.6, lease(lock_free=True)) == 0
    assert await _look(world, by, 1.1, lease(lock_free=True)) == 1


async def test_a_beat_in_between_starts_anew(world: World) -> None:
    by = reaper(world)
    await _look(world, by, 0.0, lease(lock_free=True))
    assert await _look(world, by, 1.1, lease(lock_free=True, beat=4)) == 0
    assert await _look(world, by, 1.1, lease(lock_free=True, beat=4)) == 1
    assert world.dead == [(7, 4)]


async def test_a_held_lock_never_delays(world: World) -> None:
    by = reaper(world)
    held = lease(expired=True, lock_free=False)
    await _look(world, by, 0.0, held)
    assert await _look(world, by, 2.1, held) == 1


async def test_right_after_the_servers_start_free_locks_say_nothing(world: World) -> None:
    by = reaper(world)
    young = lease(lock_free=True, server_up=timedelta(seconds=1.9))
    await _look(world, by, 0.0, young)
    assert await _look(world, by, 1.5, young) == 0
    # The seconds in which nobody could hold a lock do not count once they are over.
    old = lease(lock_free=True, server_up=timedelta(seconds=2.1))
    assert await _look(world, by, 0.1, old) == 0
    assert world.dead == []
    assert await _look(world, by, 1.1, old) == 1


async def test_without_session_features_locks_say_nothing(world: World) -> None:
    by = reaper(world, features=False)
    await _look(world, by, 0.0, lease(lock_free=True))
    assert await _look(world, by, 60.0, lease(lock_free=True)) == 0
    assert world.dead == []


async def test_its_own_leases_it_never_fences(world: World) -> None:
    by = reaper(world, own={7})
    mine, theirs = lease(7, expired=True, lock_free=True), lease(8, expired=True)
    await _look(world, by, 0.0, mine, theirs)
    assert await _look(world, by, 2.1, mine, theirs) == 1
    assert (world.expired, world.dead) == ([8], [])


async def test_a_fence_that_is_refused_is_tried_again(world: World) -> None:
    by = reaper(world)
    world.grants = False
    await _look(world, by, 0.0, lease(expired=True))
    assert await _look(world, by, 2.1, lease(expired=True)) == 0
    world.grants = True
    assert await _look(world, by, 0.5, lease(expired=True)) == 1
    assert world.expired == [7, 7]


async def test_a_lease_that_went_and_came_back_is_a_new_one(world: World) -> None:
    by = reaper(world)
    await _look(world, by, 0.0, lease(expired=True))
    await _look(world, by, 1.0)
    assert await _look(world, by, 1.5, lease(expired=True)) == 0


RULES = {
    "UNBEATEN_SECONDS": (
        0.0,
        test_an_expired_lease_is_fenced_only_after_two_seconds_without_a_beat,
    ),
    "EARLY_SECONDS": (0.0, test_a_free_lock_hastens_on_two_looks_a_second_apart),
    "SERVER_UP": (timedelta(0), test_right_after_the_servers_start_free_locks_say_nothing),
    "LOOK_SECONDS": (1e9, test_while_the_server_stands_still_nobody_is_seen_without_a_beat),
}


@pytest.mark.parametrize("rule", RULES)
async def test_without_the_rule_its_scenario_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    without, scenario = RULES[rule]
    monkeypatch.setattr(room, rule, without)
    with pytest.raises(AssertionError):
        await scenario(world)


@pytest.mark.parametrize(
    "scenario",
    [test_a_new_session_forgets_what_the_old_one_saw, test_its_own_leases_it_never_fences],
)
async def test_a_reaper_that_remembers_too_much_or_knows_nobody_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, scenario: Any
) -> None:
    seen: dict[int, Any] = {}

    class Careless(Reaper):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **{**named, "own": set})
            self._seen = seen

        async def look(self, watched: Any) -> int:
            self._seen = seen
            fenced = await super().look(watched)
            seen.update(self._seen)
            return fenced

    monkeypatch.setitem(globals(), "Reaper", Careless)
    with pytest.raises(AssertionError):
        await scenario(world)
