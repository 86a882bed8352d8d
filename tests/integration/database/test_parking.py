"""Runs that park, wake and are handed back in; each woken once and nothing forgotten out."""

import asyncio
from datetime import timedelta

import pytest

from tests.support.engine import Engine, completed, outcome_of
from waymark_schema.database import execute
from waymark_schema.ids import new_instance_id
from waymark_schema.kinds import InboxKind, InstanceState, JournalKind
from waymark_schema.tables import inbox, instances, leases, transactions
from waymark_schema.tables.settle import FinalRow, SettleResult, SnapshotRow

pytestmark = pytest.mark.postgres
ROOM = 1_000_000


async def test_a_letter_that_arrives_while_its_run_parks_wakes_it(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        parked = FinalRow(run, claimed.epoch, InstanceState.WAITING)
        sent = await execute.fetch_one(
            engine.session, inbox.send(run, InboxKind.EVENT, name="paid", payload=b"42")
        )
        assert sent.state == InstanceState.RUNNING
        await transactions.commit(owner.session, owner.batch(instances=[parked]))
        assert await engine.states([run]) == [InstanceState.WAITING]
        (woken,) = await execute.fetch_all(owner.session, instances.wake_parked([run]))
        assert (woken.id, woken.program) == (run, engine.program)
        (again,) = await owner.claim()
        (letter,) = await execute.fetch_all(owner.session, inbox.pending([run]))
        assert (letter.name, letter.payload) == ("paid", b"42")
        entry = outcome_of(again, 1)._replace(kind=JournalKind.EVENT)
        batch = owner.batch([entry], consumed=[(run, letter.id)])
        assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
    assert await engine.count("inbox") == 0


async def test_mail_for_a_sleeper_wakes_it_once_whoever_looks(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await transactions.commit(
            owner.session,
            owner.batch(instances=[FinalRow(run, claimed.epoch, InstanceState.WAITING)]),
        )
        assert await execute.fetch_all(engine.session, instances.wake_addressed(room=10)) == []
        await execute.fetch_one(engine.session, inbox.send(run, InboxKind.CANCEL))
        async with engine.another() as second:
            looks = await asyncio.gather(
                execute.fetch_all(engine.session, instances.wake_addressed(room=10)),
                execute.fetch_all(second, instances.wake_addressed(room=10)),
            )
    assert sum(len(look) for look in looks) == 1


async def test_a_delayed_start_waits_for_its_time_but_not_for_its_cancellation(
    engine: Engine,
) -> None:
    (soon,) = await engine.enqueue(1, delay=timedelta(hours=-1))
    (later, doomed) = await engine.enqueue(2, delay=timedelta(hours=1))
    assert await engine.states([soon, later]) == [InstanceState.QUEUED, InstanceState.DELAYED]
    await execute.fetch_one(engine.session, inbox.send(later, InboxKind.EVENT, name="hello"))
    await execute.fetch_one(engine.session, inbox.send(doomed, InboxKind.CANCEL))
    woken = await execute.fetch_all(engine.session, instances.wake_addressed(room=10))
    assert [row.id for row in woken] == [doomed]
    assert await execute.fetch_all(engine.session, instances.wake_due(room=10)) == []
    upcoming = await execute.fetch_one(engine.session, instances.next_wake())
    assert timedelta(minutes=59) < upcoming.due_in <= timedelta(hours=1)
    await engine.session.connection.execute(
        b"update waymark.instances set wake_at = clock_timestamp() where state = 1"
    )
    woken = await execute.fetch_all(engine.session, instances.wake_due(room=10))
    assert [row.id for row in woken] == [later]


@pytest.mark.parametrize("when", ["infinity", "-infinity", "12000-01-01", "4000-01-01 BC"])
async def test_a_time_that_nobody_can_count_to_keeps_no_other_run_from_waking(
    engine: Engine, when: str
) -> None:
    """A person may have written it, to hold a run or to let it go; what all pools ask each second must have an answer."""
    await engine.enqueue(1, delay=timedelta(hours=1))
    async with engine.owner():
        await engine.session.connection.execute(
            b"update waymark.instances set wake_at = %s::text::timestamptz", (when,)
        )
        (seen,) = await execute.fetch_all(engine.session, leases.watch(schema="waymark"))
        upcoming = await execute.fetch_one(engine.session, instances.next_wake())
        assert seen.due_in is not None
        past = when.startswith("-") or when.endswith("BC")
        assert (seen.due_in < timedelta(0), upcoming.due_in < timedelta(0)) == (past, past)


async def test_an_ended_run_gets_no_mail_but_an_operators_retry(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await transactions.commit(owner.session, owner.batch(instances=[completed(claimed)]))
    event = await execute.fetch_one(engine.session, inbox.send(run, InboxKind.EVENT, name="late"))
    assert (event.state, event.message) == (InstanceState.COMPLETED, None)
    retry = await execute.fetch_one(engine.session, inbox.send(run, InboxKind.OPERATOR_RETRY))
    assert retry.message is not None
    assert (
        await execute.fetch_all(engine.session, inbox.send(new_instance_id(), InboxKind.CANCEL))
        == []
    )


async def test_a_snapshot_replaces_the_one_before_and_can_be_forgotten(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        for position in (1, 2):
            snapshot = SnapshotRow(run, position, f"state {position}".encode())
            batch = owner.batch([outcome_of(claimed, position)], snapshots=[snapshot])
            assert await transactions.commit(owner.session, batch) is SettleResult.COMMITTED
        (loaded,) = await execute.fetch_all(
            owner.session, instances.load([run], lease=owner.lease, room=ROOM)
        )
        assert (loaded.snapshot_position, loaded.snapshot, loaded.snapshot_python_minor) == (
            2,
            b"state 2",
            12,
        )
        await transactions.commit(owner.session, owner.batch(forget_snapshots=[run]))
    assert await engine.count("snapshots") == 0


async def test_a_handed_back_run_is_claimed_again_by_anybody(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner, engine.owner() as other:
        (claimed,) = await owner.claim()
        back = FinalRow(run, claimed.epoch, InstanceState.QUEUED)
        await transactions.commit(owner.session, owner.batch(instances=[back]))
        (again,) = await other.claim()
        assert (again.id, again.epoch, again.recoveries) == (run, 2, 0)


async def test_a_commit_of_a_held_run_resets_its_recoveries(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        await owner.claim()
        await execute.fetch_one(owner.session, leases.leave(owner.lease))
    await engine.release_all()
    async with engine.owner() as heir:
        (claimed,) = await heir.claim()
        assert claimed.recoveries == 1
        held = FinalRow(run, claimed.epoch, InstanceState.RUNNING)
        await transactions.commit(
            heir.session, heir.batch([outcome_of(claimed, 1)], instances=[held])
        )
        (loaded,) = await execute.fetch_all(
            heir.session, instances.load([run], lease=heir.lease, room=ROOM)
        )
        assert loaded.recoveries == 0
