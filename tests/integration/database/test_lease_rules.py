"""Every rule of leases in; the scenario that fails as soon as the rule is taken out of its statement out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.support.engine import Engine, completed, outcome_of
from tests.support.rules import (
    CAUGHT,
    KEY_SHARE,
    NOT_FENCED,
    Mutant,
    Scenario,
    fence,
    offered,
    scenarios,
)
from waymark_schema.database import execute
from waymark_schema.errors import HistoryLost, NotTheOwner
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import instances, leases, settle, transactions
from waymark_schema.tables.settle import FinalRow, SettleBatch, SettleResult

pytestmark = pytest.mark.postgres

NO_TIME = timedelta(0)
GONE_S = 30
"""A reaper that waits longer than this for a ghost would wait for ever."""


async def _waits(engine: Engine, application: str, work: asyncio.Task[Any]) -> None:
    """Return once a session of that name waits for a lock; fail when its work is done without."""
    while True:
        assert not work.done(), f"{application} did not wait"
        cursor = await engine.session.connection.execute(
            "select 1 from pg_stat_activity where application_name = %s and wait_event_type = 'Lock'"
            " and datname = current_database()",
            [application],
        )
        if await cursor.fetchone():
            return


async def a_commit_in_flight_keeps_the_reaper_waiting(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner(ttl=NO_TIME) as owner, engine.another("reaper") as reaper:
        (claimed,) = await owner.claim()
        async with asyncio.TaskGroup() as both, owner.session.connection.transaction():
            await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 1)]))
            fencing = both.create_task(
                transactions.fence_expired(reaper, owner.lease, application="nobody")
            )
            await _waits(engine, "reaper", fencing)
        assert fencing.result()


async def a_claim_in_flight_keeps_the_reaper_waiting(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner(ttl=NO_TIME) as owner, engine.another("reaper") as reaper:
        async with asyncio.TaskGroup() as both, owner.session.connection.transaction():
            await owner.claim()
            fencing = both.create_task(
                transactions.fence_expired(reaper, owner.lease, application="nobody")
            )
            await _waits(engine, "reaper", fencing)
        assert await engine.release_all() == 1


async def the_fenced_write_nothing(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await fence(engine, owner)
        batch = owner.batch([outcome_of(claimed, 1)], instances=[completed(claimed)])
        assert await transactions.commit(owner.session, batch) is SettleResult.FENCED
    assert await engine.count("journal") == 0
    assert await engine.states([run]) == [InstanceState.RUNNING]


async def the_fenced_claim_nothing_and_beat_no_more(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        await fence(engine, owner)
        assert await owner.claim() == []
        beat = leases.heartbeat(owner.lease, ttl=timedelta(seconds=15))
        assert await execute.fetch_all(owner.session, beat) == []


async def a_commit_sent_twice_is_kept_once(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        batch = owner.batch([outcome_of(claimed, 1)])
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED_BEFORE
        ended = owner.batch([outcome_of(claimed, 2)], instances=[completed(claimed)])
        assert await transactions.commit(owner.session, ended) is SettleResult.COMMITTED
        assert await transactions.commit(owner.session, ended) is SettleResult.COMMITTED_BEFORE
    assert await engine.count("journal") == 2


async def a_server_that_lost_a_commit_is_found_out(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 1)]))
        owner.seq += 1
        with pytest.raises(HistoryLost):
            await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 2)]))
    assert await engine.count("journal") == 1


async def a_run_of_somebody_else_rolls_the_commit_back(engine: Engine) -> None:
    await engine.enqueue(2)
    async with engine.owner() as owner, engine.owner() as other:
        (mine,) = await owner.claim(room=1)
        (theirs,) = await other.claim(room=1)
        batch = owner.batch([outcome_of(mine, 1)], instances=[completed(mine), completed(theirs)])
        with pytest.raises(NotTheOwner):
            await transactions.commit(owner.session, batch)
        old = FinalRow(mine.id, mine.epoch - 1, InstanceState.COMPLETED, result=b"")
        with pytest.raises(NotTheOwner):
            await transactions.commit(
                owner.session, SettleBatch(owner.lease, owner.seq, 12, [], [old])
            )
    assert await engine.count("journal") == 0
    assert await engine.count("commits") == 0


async def who_beats_is_not_fenced(engine: Engine) -> None:
    async with engine.owner(ttl=NO_TIME) as owner, engine.another() as reaper:
        beat = leases.heartbeat(owner.lease, ttl=timedelta(seconds=15))
        await execute.fetch_one(owner.session, beat)
        assert not await transactions.fence_expired(reaper, owner.lease, application="x")
        assert not await transactions.fence_dead(reaper, owner.lease, observed=1, application="x")


async def a_session_that_lives_is_not_fenced_early(engine: Engine) -> None:
    async with engine.another("reaper") as reaper, engine.owner() as owner:
        lock = leases.lock_session(owner.lease, schema="waymark")
        assert (await execute.fetch_one(owner.session, lock)).held
        (seen,) = await execute.fetch_all(reaper, leases.watch(schema="waymark"))
        assert not seen.lock_free
        assert not await transactions.fence_dead(reaper, owner.lease, observed=1, application="x")


async def without_a_session_lock_a_lease_ends_by_its_time_only(engine: Engine) -> None:
    """Such as of a pool behind a pooler, beside pools that are not."""
    async with engine.another("reaper") as reaper, engine.owner(has_lock=False) as owner:
        (seen,) = await execute.fetch_all(reaper, leases.watch(schema="waymark"))
        assert not seen.lock_free
        assert not await transactions.fence_dead(reaper, owner.lease, observed=1, application="x")
    async with engine.another("reaper") as reaper:
        (seen,) = await execute.fetch_all(reaper, leases.watch(schema="waymark"))
        assert not seen.lock_free


async def who_leaves_waits_for_the_commit_of_a_killed_runloop(engine: Engine) -> None:
    """Its process is gone, its backend is not; whoever goes on must see what that commits."""
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.another("supervisor") as supervisor:
        (claimed,) = await owner.claim()
        async with asyncio.TaskGroup() as both, owner.session.connection.transaction():
            await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 1)]))
            leaving = both.create_task(
                transactions.leave(supervisor, owner.lease, application="nobody")
            )
            await _waits(engine, "supervisor", leaving)
        assert leaving.result()
        assert not await transactions.leave(supervisor, owner.lease, application="nobody")
    assert await engine.release_all() == 1


async def a_ghost_is_ended_when_its_pool_leaves(engine: Engine) -> None:
    await engine.enqueue(1)
    async with (
        engine.another("supervisor") as supervisor,
        engine.owner(application="ghost") as ghost,
    ):
        (claimed,) = await ghost.claim()
        await ghost.session.connection.set_autocommit(False)
        await transactions.commit(ghost.session, ghost.batch([outcome_of(claimed, 1)]))
        async with asyncio.timeout(GONE_S):
            assert await transactions.leave(supervisor, ghost.lease, application="ghost")
        with pytest.raises(psycopg.OperationalError):
            await ghost.session.connection.commit()
    assert await engine.count("journal") == 0


async def a_ghost_is_ended_and_fenced(engine: Engine) -> None:
    await engine.enqueue(1)
    async with (
        engine.another("reaper") as reaper,
        engine.owner(ttl=NO_TIME, application="ghost") as ghost,
    ):
        (claimed,) = await ghost.claim()
        await ghost.session.connection.set_autocommit(False)
        await transactions.commit(ghost.session, ghost.batch([outcome_of(claimed, 1)]))
        async with asyncio.timeout(GONE_S):
            while not await transactions.fence_expired(reaper, ghost.lease, application="ghost"):
                pass
        with pytest.raises(psycopg.OperationalError):
            await ghost.session.connection.commit()
    assert await engine.count("journal") == 0


async def what_a_dead_or_vanished_owner_held_is_released(engine: Engine) -> None:
    await engine.enqueue(3)
    async with engine.owner() as vanished, engine.owner() as dead, engine.owner() as alive:
        for owner in (vanished, dead, alive):
            assert len(await owner.claim(room=1)) == 1
        await fence(engine, dead)
        await engine.session.connection.execute(
            "delete from waymark.leases where id = %s", [vanished.lease]
        )
        assert await engine.release_all() == 2


async def a_lease_that_is_referred_to_stays(engine: Engine) -> None:
    await engine.enqueue(2)
    async with engine.owner() as owner, engine.owner() as offering:
        await owner.claim(room=1)
        (claimed,) = await offering.claim(room=1)
        await offered(offering, claimed)
        await fence(engine, owner)
        assert await execute.fetch_all(engine.session, leases.remove()) == []
        await fence(engine, offering)
        await engine.release_all()
        gone = await execute.fetch_all(engine.session, leases.remove())
        assert [lease.id for lease in gone] == [owner.lease]


async def a_ghost_whose_session_lock_is_free_is_ended_and_fenced(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.another("reaper") as reaper, engine.owner(application="ghost") as ghost:
        (claimed,) = await ghost.claim()
        await ghost.session.connection.set_autocommit(False)
        await transactions.commit(ghost.session, ghost.batch([outcome_of(claimed, 1)]))
        (seen,) = await execute.fetch_all(reaper, leases.watch(schema="waymark"))
        assert seen.lock_free
        async with asyncio.timeout(GONE_S):
            while not await transactions.fence_dead(
                reaper, ghost.lease, observed=seen.beat, application="ghost"
            ):
                pass
        with pytest.raises(psycopg.OperationalError):
            await ghost.session.connection.commit()
    assert await engine.count("journal") == 0


NARROW = (settle, "SETTLE_NARROW")
CLAIM = (instances, "CLAIM")
MUTANTS = [
    Mutant(*NARROW, KEY_SHARE, "", a_commit_in_flight_keeps_the_reaper_waiting),
    Mutant(leases, "LOCK_EXPIRED", "\nfor update", "", a_commit_in_flight_keeps_the_reaper_waiting),
    Mutant(*CLAIM, KEY_SHARE, "", a_claim_in_flight_keeps_the_reaper_waiting),
    Mutant(leases, "LOCK_EXPIRED", "\nfor update", "", a_claim_in_flight_keeps_the_reaper_waiting),
    Mutant(*NARROW, NOT_FENCED, KEY_SHARE, the_fenced_write_nothing),
    Mutant(*CLAIM, NOT_FENCED, KEY_SHARE, the_fenced_claim_nothing_and_beat_no_more),
    Mutant(leases, "HEARTBEAT", " and not fenced", "", the_fenced_claim_nothing_and_beat_no_more),
    Mutant(*NARROW, "from mark, unnest", "from fence, unnest", a_commit_sent_twice_is_kept_once),
    Mutant(*NARROW, "    on conflict do nothing\n", "", a_commit_sent_twice_is_kept_once),
    Mutant(*NARROW, " or exists (", " or not exists (", a_server_that_lost_a_commit_is_found_out),
    Mutant(
        *NARROW,
        " and (i.owner = $1::bigint) is true",
        "",
        a_run_of_somebody_else_rolls_the_commit_back,
    ),
    Mutant(*NARROW, " and i.epoch = t.epoch", "", a_run_of_somebody_else_rolls_the_commit_back),
    Mutant(
        *NARROW,
        "mark = 1 and updated <>",
        "false and updated <>",
        a_run_of_somebody_else_rolls_the_commit_back,
    ),
    Mutant(
        leases, "LOCK_EXPIRED", " and l.expires_at < clock_timestamp()", "", who_beats_is_not_fenced
    ),
    Mutant(leases, "LOCK_UNBEATEN", " and l.beat = ", " and l.beat <> ", who_beats_is_not_fenced),
    Mutant(
        leases, "TRY_LOCK", "select ", "select true or ", a_session_that_lives_is_not_fenced_early
    ),
    Mutant(leases, "WATCH", "k.granted", "not k.granted", a_session_that_lives_is_not_fenced_early),
    Mutant(
        leases,
        "WATCH",
        "l.has_lock and ",
        "",
        without_a_session_lock_a_lease_ends_by_its_time_only,
    ),
    Mutant(
        leases,
        "LOCK_UNBEATEN",
        " and l.has_lock",
        "",
        without_a_session_lock_a_lease_ends_by_its_time_only,
    ),
    Mutant(
        leases,
        "LEAVE",
        " for update",
        "",
        who_leaves_waits_for_the_commit_of_a_killed_runloop,
    ),
    Mutant(
        leases,
        "TERMINATE",
        "where a.",
        "where false and a.",
        a_ghost_is_ended_when_its_pool_leaves,
    ),
    Mutant(leases, "TERMINATE", "where a.", "where false and a.", a_ghost_is_ended_and_fenced),
    Mutant(
        leases,
        "SET_LOCK_TIMEOUT",
        "$1::text",
        "left($1::text, 0) || '0'",
        a_ghost_is_ended_and_fenced,
    ),
    Mutant(
        instances, "RELEASE", "l.id is null or ", "", what_a_dead_or_vanished_owner_held_is_released
    ),
    Mutant(
        instances, "RELEASE", " or l.fenced", "", what_a_dead_or_vanished_owner_held_is_released
    ),
    Mutant(
        instances,
        "RELEASE",
        "(l.id is null or l.fenced)",
        "true",
        what_a_dead_or_vanished_owner_held_is_released,
    ),
    Mutant(
        leases,
        "REMOVE",
        "not exists (select from {schema}.instances",
        "exists (select from {schema}.instances",
        a_lease_that_is_referred_to_stays,
    ),
    Mutant(
        leases,
        "REMOVE",
        "o.owner = l.id or o.taken_by = l.id",
        "false",
        a_lease_that_is_referred_to_stays,
    ),
    Mutant(
        leases,
        "TERMINATE",
        "where a.",
        "where false and a.",
        a_ghost_whose_session_lock_is_free_is_ended_and_fenced,
    ),
    Mutant(
        leases,
        "SET_LOCK_TIMEOUT",
        "$1::text",
        "left($1::text, 0) || '0'",
        a_ghost_whose_session_lock_is_free_is_ended_and_fenced,
    ),
]
SCENARIOS = scenarios(MUTANTS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_the_rule_holds(engine: Engine, scenario: Scenario) -> None:
    await scenario(engine)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
async def test_without_the_rule_its_scenario_fails(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, mutant: Mutant
) -> None:
    mutant.apply(monkeypatch)
    monkeypatch.setitem(globals(), "GONE_S", 3)
    with pytest.raises(CAUGHT):
        await mutant.scenario(engine)


async def test_a_reaper_that_fences_and_releases_in_one_statement_leaves_orphans(
    engine: Engine,
) -> None:
    """Why the two are separate: its snapshot is older than the claim that it waits for."""
    await engine.enqueue(1)
    async with engine.owner(ttl=NO_TIME) as owner, engine.another("reaper") as reaper:
        async with asyncio.TaskGroup() as both, owner.session.connection.transaction():
            (claimed,) = await owner.claim()
            reaping = both.create_task(
                reaper.connection.execute(
                    "with dead as materialized (select id from waymark.leases"
                    " where expires_at < clock_timestamp() for update),"
                    " fence as (update waymark.leases as l set fenced = true from dead where l.id = dead.id)"
                    " update waymark.instances as i set state = 0, owner = null, ready_at = now()"
                    " from dead where i.owner = dead.id"
                )
            )
            await _waits(engine, "reaper", reaping)
        assert await engine.states([claimed.id]) == [InstanceState.RUNNING], "an orphan"
        assert await engine.release_all() == 1
