"""Pools that race, die and come back in; nothing lost, doubled or written by the fenced out."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.support.engine import Engine, completed, outcome_of
from waymark_schema.database import execute
from waymark_schema.database.faults import Fault, classify
from waymark_schema.errors import HistoryLost, NotTheOwner
from waymark_schema.ids import InstanceId, LeaseId
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import instances, journal, leases, settle, transactions
from waymark_schema.tables.settle import FinalRow, SettleBatch, SettleResult, SnapshotRow

pytestmark = pytest.mark.postgres
ROOM = 1_000_000


async def _fence(engine: Engine, lease: int) -> None:
    """Let a lease run out and fence it, as a reaper does."""
    await engine.session.connection.execute(
        f"update waymark.leases set expires_at = clock_timestamp() - interval '1 s' where id = {lease}".encode()
    )
    assert await transactions.fence_expired(engine.session, LeaseId(lease), application="owner")


async def test_a_run_goes_from_queued_to_completed_with_its_journal(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        assert (claimed.id, claimed.fresh, claimed.inputs, claimed.epoch) == (run, True, b"in", 1)
        batch = owner.batch([outcome_of(claimed, 1)])
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
        batch = owner.batch([outcome_of(claimed, 2)], instances=[completed(claimed)])
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
    (ended,) = await execute.fetch_all(engine.session, instances.results([run]))
    assert (ended.state, ended.result, ended.error) == (InstanceState.COMPLETED, b"done", None)
    entries = await execute.fetch_all(engine.session, journal.tail({run: 0}, room=ROOM))
    assert [(entry.position, entry.outcome, entry.python_minor) for entry in entries] == [
        (1, b"out", 12),
        (2, b"out", 12),
    ]
    assert await execute.fetch_all(engine.session, journal.tail({run: 1}, room=ROOM)) == entries[1:]


async def test_tails_are_read_up_to_the_entry_that_fills_the_room(engine: Engine) -> None:
    runs = sorted(await engine.enqueue(2))
    async with engine.owner() as owner:
        claimed = {c.id: c for c in await owner.claim()}
        batch = owner.batch([outcome_of(claimed[run], at) for run in runs for at in (1, 2, 3)])
        await transactions.commit(owner.session, batch)

    async def tail(after: dict[InstanceId, int], room: int) -> list[tuple[InstanceId, int]]:
        found = await execute.fetch_all(engine.session, journal.tail(after, room=room))
        return [(entry.instance, entry.position) for entry in found]

    whole = [(run, at) for run in runs for at in (1, 2, 3)]
    all_of = await execute.fetch_all(
        engine.session, journal.tail(dict.fromkeys(runs, 0), room=ROOM)
    )
    (size,) = {entry.size for entry in all_of}
    assert await tail(dict.fromkeys(runs, 0), ROOM) == whole
    assert await tail(dict.fromkeys(runs, 0), 1) == whole[:1]
    assert await tail(dict.fromkeys(runs, 0), 4 * size) == whole[:4]
    assert await tail(dict.fromkeys(runs, 0), 4 * size + 1) == whole[:5]
    assert await tail({runs[1]: 1}, 4 * size) == whole[4:]


async def test_runs_are_loaded_up_to_the_one_that_fills_the_room(engine: Engine) -> None:
    runs = sorted(await engine.enqueue(3))
    async with engine.owner() as owner:
        await owner.claim()
        await transactions.commit(
            owner.session, owner.batch(snapshots=[SnapshotRow(runs[1], 1, b"x" * 1_000)])
        )

        async def load(wanted: list[InstanceId], room: int) -> list[InstanceId]:
            query = instances.load(wanted, lease=owner.lease, room=room)
            return [row.id for row in await execute.fetch_all(owner.session, query)]

        assert await load(runs[::-1], ROOM) == runs
        assert await load(runs, 500) == runs[:2]
        assert await load(runs[1:], 1) == runs[1:2]


async def test_the_same_commit_sent_again_is_kept_once(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.another() as second_session:
        (claimed,) = await owner.claim()
        batch = owner.batch([outcome_of(claimed, 1)], instances=[completed(claimed)])
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED_BEFORE
        assert await transactions.commit(second_session, batch) is SettleResult.COMMITTED_BEFORE
    assert await engine.count("journal") == 1


async def test_the_same_commit_sent_by_two_sessions_at_once_is_kept_once(engine: Engine) -> None:
    """The answer was lost, the first backend still works on it: the resend waits for it and agrees."""
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.another() as second_session:
        (claimed,) = await owner.claim()
        batch = owner.batch([outcome_of(claimed, 1)], instances=[completed(claimed)])
        async with asyncio.TaskGroup() as both, owner.session.connection.transaction():
            assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
            resent = both.create_task(transactions.commit(second_session, batch))
            await _until_blocked(engine, "another")
        assert resent.result() is SettleResult.COMMITTED_BEFORE
    assert await engine.count("journal") == 1


async def test_a_commit_whose_predecessor_is_missing_is_reported_and_writes_nothing(
    engine: Engine,
) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 1)]))
        owner.seq += 1
        with pytest.raises(HistoryLost):
            await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 2)]))
    assert await engine.count("journal") == 1


async def test_a_fenced_lease_writes_nothing_and_claims_nothing(engine: Engine) -> None:
    await engine.enqueue(2)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim(room=1)
        await _fence(engine, owner.lease)
        batch = owner.batch(
            [outcome_of(claimed, 1)],
            instances=[completed(claimed)],
            snapshots=[SnapshotRow(claimed.id, 1, b"state")],
        )
        assert await transactions.commit(owner.session, batch) is SettleResult.FENCED
        assert await owner.claim() == []
        assert (
            await execute.fetch_all(
                owner.session, leases.heartbeat(owner.lease, ttl=timedelta(seconds=15))
            )
            == []
        )
    assert [await engine.count(table) for table in ("journal", "commits", "snapshots")] == [0, 0, 0]


async def test_an_instance_of_somebody_else_rolls_the_whole_commit_back(engine: Engine) -> None:
    await engine.enqueue(2)
    async with engine.owner() as owner, engine.owner() as thief:
        (mine,) = await owner.claim(room=1)
        (theirs,) = await thief.claim(room=1)
        batch = owner.batch(
            [outcome_of(mine, 1), outcome_of(theirs, 1)],
            instances=[completed(mine), completed(theirs)],
        )
        with pytest.raises(NotTheOwner, match="names 2 instances but holds only 1"):
            await transactions.commit(owner.session, batch)
        assert await engine.count("journal") == 0
        assert await engine.count("commits") == 0
        again = SettleBatch(owner.lease, batch.seq, 12, [outcome_of(mine, 1)], [completed(mine)])
        assert await transactions.commit(owner.session, again) is SettleResult.COMMITTED


async def test_an_epoch_of_an_earlier_life_rolls_the_whole_commit_back(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        old = FinalRow(claimed.id, claimed.epoch - 1, InstanceState.COMPLETED, result=b"")
        with pytest.raises(NotTheOwner):
            await transactions.commit(owner.session, owner.batch(instances=[old]))
    assert await engine.states([claimed.id]) == [InstanceState.RUNNING]


async def test_one_bad_value_keeps_nothing_and_says_so(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        wrong = outcome_of(claimed, 1)._replace(kind=99)
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            await transactions.commit(owner.session, owner.batch([outcome_of(claimed, 2), wrong]))
        assert classify(caught.value) is Fault.DATA
    assert await engine.count("journal") == 0
    assert await engine.count("commits") == 0


async def _until_blocked(engine: Engine, application: str) -> None:
    """Return once a session of that name waits for a lock."""
    async with asyncio.timeout(20):
        while True:
            rows = await engine.session.connection.execute(
                "select 1 from pg_stat_activity where application_name = %s and wait_event_type = 'Lock'"
                " and datname = current_database()",
                [application],
            )
            if await rows.fetchone():
                return


async def test_a_reaper_waits_for_the_commit_in_flight_and_then_fences(engine: Engine) -> None:
    """The commit was first: it stays, and what it wrote is what the next owner sees."""
    await engine.enqueue(1)
    async with engine.owner(ttl=timedelta(0)) as owner, engine.another("reaper") as reaper:
        (claimed,) = await owner.claim()
        async with asyncio.TaskGroup() as both, owner.session.connection.transaction():
            batch = owner.batch([outcome_of(claimed, 1)])
            assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
            fencing = both.create_task(
                transactions.fence_expired(reaper, owner.lease, application="nobody")
            )
            await _until_blocked(engine, "reaper")
        assert fencing.result() is True
        assert await engine.release_all() == 1
    async with engine.owner() as heir:
        (inherited,) = await heir.claim()
        assert (inherited.id, inherited.epoch, inherited.recoveries) == (claimed.id, 2, 1)
        assert (inherited.fresh, inherited.inputs) == (False, None)
        (loaded,) = await execute.fetch_all(
            heir.session, instances.load([inherited.id], lease=heir.lease, room=ROOM)
        )
        assert loaded.inputs == b"in"
        assert (
            len(await execute.fetch_all(heir.session, journal.tail({inherited.id: 0}, room=ROOM)))
            == 1
        )


async def test_a_commit_that_waits_for_the_reaper_comes_back_fenced(engine: Engine) -> None:
    """The reaper was first: the waiting commit rechecks the lease and writes nothing."""
    await engine.enqueue(1)
    async with engine.owner(ttl=timedelta(0)) as owner, engine.another("reaper") as reaper:
        (claimed,) = await owner.claim()
        batch = owner.batch([outcome_of(claimed, 1)], instances=[completed(claimed)])
        async with asyncio.TaskGroup() as both, reaper.connection.transaction():
            assert await execute.fetch_optional(reaper, leases.lock_expired(owner.lease))
            await execute.execute(reaper, leases.mark_fenced(owner.lease))
            settling = both.create_task(transactions.commit(owner.session, batch))
            await _until_blocked(engine, "owner")
        assert settling.result() is SettleResult.FENCED
    assert await engine.count("journal") == 0
    assert await engine.states([claimed.id]) == [InstanceState.RUNNING]
    assert await engine.release_all() == 1
    assert await engine.states([claimed.id]) == [InstanceState.QUEUED]


async def test_a_claim_that_waits_for_the_reaper_takes_nothing(engine: Engine) -> None:
    await engine.enqueue(5)
    async with engine.owner(ttl=timedelta(0)) as owner, engine.another("reaper") as reaper:
        async with asyncio.TaskGroup() as both, reaper.connection.transaction():
            assert await execute.fetch_optional(reaper, leases.lock_expired(owner.lease))
            await execute.execute(reaper, leases.mark_fenced(owner.lease))
            claiming = both.create_task(owner.claim())
            await _until_blocked(engine, "owner")
        assert claiming.result() == []


async def test_a_lease_that_beats_is_not_fenced(engine: Engine) -> None:
    async with engine.owner(ttl=timedelta(0)) as owner, engine.another() as reaper:
        await execute.fetch_one(
            owner.session, leases.heartbeat(owner.lease, ttl=timedelta(seconds=15))
        )
        assert not await transactions.fence_expired(reaper, owner.lease, application="owner")
        assert not await transactions.fence_dead(
            reaper, owner.lease, observed=1, application="owner"
        )
        assert await transactions.fence_dead(reaper, owner.lease, observed=2, application="owner")


async def test_a_live_session_lock_keeps_a_lease_from_being_fenced_early(engine: Engine) -> None:
    async with engine.another("reaper") as reaper:
        async with engine.owner() as owner:
            held = await execute.fetch_one(
                owner.session, leases.lock_session(owner.lease, schema="waymark")
            )
            assert held.held
            (seen,) = await execute.fetch_all(reaper, leases.watch(schema="waymark"))
            assert (seen.id, seen.lock_free, seen.expired) == (owner.lease, False, False)
            assert not await transactions.fence_dead(
                reaper, owner.lease, observed=1, application="x"
            )
            lease = owner.lease
        async with asyncio.timeout(20):
            while not (await execute.fetch_all(reaper, leases.watch(schema="waymark")))[
                0
            ].lock_free:
                pass
        assert await transactions.fence_dead(reaper, lease, observed=1, application="x")
        assert await execute.fetch_all(reaper, leases.watch(schema="waymark")) == []


async def test_a_ghost_that_holds_its_lease_is_ended_and_then_fenced(engine: Engine) -> None:
    """A backend that stopped before COMMIT would hold its lock for ever."""
    await engine.enqueue(1)
    async with (
        engine.another("reaper") as reaper,
        engine.owner(ttl=timedelta(0), application="ghost") as ghost,
    ):
        (claimed,) = await ghost.claim()
        batch = ghost.batch([outcome_of(claimed, 1)], instances=[completed(claimed)])
        await ghost.session.connection.set_autocommit(False)
        assert await transactions.commit(ghost.session, batch) is SettleResult.COMMITTED
        assert not await transactions.fence_expired(reaper, ghost.lease, application="ghost")
        async with asyncio.timeout(20):
            while not await transactions.fence_expired(reaper, ghost.lease, application="ghost"):
                pass
        with pytest.raises(psycopg.OperationalError) as caught:
            await ghost.session.connection.commit()
        assert classify(caught.value) is Fault.LOST
    assert await engine.count("journal") == 0
    assert await engine.release_all() == 1


async def test_orphans_of_a_vanished_lease_are_released_and_owned_ones_are_not(
    engine: Engine,
) -> None:
    runs = await engine.enqueue(4)
    async with engine.owner() as gone, engine.owner() as alive:
        lost = await gone.claim(room=2)
        kept = await alive.claim(room=2)
        await engine.session.connection.execute(
            f"delete from waymark.leases where id = {gone.lease}".encode()
        )
        assert await engine.release_all() == 2
        states = dict(zip(runs, await engine.states(runs), strict=True))
        assert {states[c.id] for c in lost} == {InstanceState.QUEUED}
        assert {states[c.id] for c in kept} == {InstanceState.RUNNING}


async def test_a_row_claimed_anew_while_its_old_owner_is_released_keeps_its_new_owner(
    engine: Engine,
) -> None:
    """Two releasers, one claimer: whatever the interleaving, nobody loses a run that it holds."""
    runs = await engine.enqueue(60)

    async def churn(name: str) -> int:
        done = 0
        while True:
            async with engine.owner(application=name) as owner:
                claimed = await owner.claim(room=10)
                if not claimed and not await engine_runs_left():
                    return done
                half = claimed[: len(claimed) // 2 + 1]
                batch = owner.batch(
                    [outcome_of(c, 1) for c in half], instances=[completed(c) for c in half]
                )
                assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
                done += len(half)
                await execute.fetch_optional(owner.session, leases.leave(owner.lease))

    async def engine_runs_left() -> bool:
        return (
            InstanceState.COMPLETED not in set(states := await engine_states())
            or len(set(states)) > 1
        )

    async def engine_states() -> list[InstanceState]:
        async with engine.another("looker") as looker:
            rows = await execute.fetch_all(looker, instances.status(runs))
            return [InstanceState(row.state) for row in rows]

    async def release(stop: asyncio.Event) -> None:
        async with engine.another("releaser") as session:
            while not stop.is_set():
                await execute.fetch_all(session, instances.release(room=5))

    stop = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(release(stop))
        churners = [group.create_task(churn(f"churn-{number}")) for number in range(3)]
        await asyncio.wait(churners)
        stop.set()
    assert sum(churner.result() for churner in churners) == 60
    assert await engine.count("journal") == 60


async def test_a_release_that_looked_before_a_run_changed_hands_leaves_the_new_owner_alone(
    engine: Engine,
) -> None:
    """The statement is held up between its snapshot and its row locks; only the text of a pause is added."""
    text = instances.RELEASE.text.replace(
        "from owners as o\n    left join",
        "from owners as o cross join lateral (select pg_advisory_lock_shared(42)) as pause\n    left join",
    )
    assert text != instances.RELEASE.text
    paused = replace(instances.RELEASE, text=text)
    await engine.enqueue(1)
    async with (
        engine.owner() as dead,
        engine.owner() as heir,
        engine.another("slow") as slow,
        asyncio.TaskGroup() as group,
    ):
        (lost,) = await dead.claim()
        await execute.fetch_optional(dead.session, leases.leave(dead.lease))
        await engine.session.connection.execute("select pg_advisory_lock(42)")
        releasing = group.create_task(execute.fetch_all(slow, paused.bind(room=10)))
        await _until_blocked(engine, "slow")
        assert await engine.release_all() == 1
        (claimed,) = await heir.claim()
        await engine.session.connection.execute("select pg_advisory_unlock(42)")
        assert await releasing == []
        assert await engine.states([lost.id]) == [InstanceState.RUNNING]
        batch = heir.batch([outcome_of(claimed, 1)], instances=[completed(claimed)])
        assert await transactions.commit(heir.session, batch) is SettleResult.COMMITTED


async def test_a_lease_goes_when_nothing_refers_to_it(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        await owner.claim()
        await execute.fetch_one(owner.session, leases.leave(owner.lease))
        assert await execute.fetch_all(engine.session, leases.remove()) == []
        await engine.release_all()
        assert await execute.fetch_all(engine.session, leases.remove()) == [
            leases.RemovedLease(owner.lease)
        ]
    assert await engine.count("leases") == 0


async def test_markers_are_trimmed_behind_and_a_resend_still_agrees(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        batches = [owner.batch([outcome_of(claimed, position)]) for position in range(1, 6)]
        for batch in batches:
            await transactions.commit(owner.session, batch)
        assert await execute.execute(owner.session, settle.trim_commits(owner.lease, before=4)) == 3
        assert (
            await transactions.commit(owner.session, batches[-1]) is SettleResult.COMMITTED_BEFORE
        )
        assert await transactions.commit(owner.session, owner.batch()) is SettleResult.COMMITTED
