"""Runs of several workflows and priorities in; who is claimed when, and at what cost, out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.support.engine import MINOR, TTL, Engine, Owner, completed, program_of
from waymark_schema.database import execute
from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import instances, leases, pools, transactions
from waymark_schema.tables.settle import FinalRow
from waymark_worker.runloop.marks import Marks

pytestmark = pytest.mark.postgres


async def test_racing_claims_take_every_run_exactly_once(engine: Engine) -> None:
    runs = await engine.enqueue(1000)
    taken: list[list[instances.Claimed]] = []

    async def race() -> None:
        async with engine.owner() as owner:
            mine: list[instances.Claimed] = []
            while batch := await owner.claim(room=7):
                mine += batch
            taken.append(mine)

    async with asyncio.TaskGroup() as racers:
        for _ in range(6):
            racers.create_task(race())
    everything = [claimed.id for mine in taken for claimed in mine]
    assert sorted(everything) == sorted(runs)
    assert all(claimed.epoch == 1 for mine in taken for claimed in mine)


async def test_room_is_shared_between_workflows_and_priority_rules_within(engine: Engine) -> None:
    other = await transactions.store_program(engine.session, program_of("invoices"))
    await engine.enqueue(50)
    await engine.enqueue(3, program=other)
    urgent = await engine.enqueue(2, priority=5)
    async with engine.owner() as owner:
        owner.programs = [engine.program, other, ProgramId(-1)]
        claimed = await owner.claim(room=10)
    by_program = {
        program: [c.id for c in claimed if c.program == program] for program in owner.programs
    }
    assert len(by_program[other]) == 3
    assert len(by_program[engine.program]) == 7
    assert set(urgent) <= set(by_program[engine.program])


async def test_a_run_whose_epoch_can_rise_no_more_is_claimed_like_any_other(engine: Engine) -> None:
    await engine.enqueue(2)
    await engine.session.connection.execute(
        b"update waymark.instances set epoch = 2147483647"
        b" where id = (select min(id::text)::uuid from waymark.instances)"
    )
    async with engine.owner() as owner:
        claimed = await owner.claim(room=2)
        assert [each.epoch for each in claimed] == [1, 1]
        await transactions.commit(
            owner.session, owner.batch(instances=[completed(each) for each in claimed])
        )
    states = await engine.states([each.id for each in claimed])
    assert states == [InstanceState.COMPLETED] * 2


async def test_room_for_one_goes_round(engine: Engine) -> None:
    """A flood of one workflow never comes first twice while others wait, however little room there is."""
    single = await transactions.store_program(engine.session, program_of("single"))
    pair = await transactions.store_program(engine.session, program_of("pair"))
    await engine.enqueue(2_000)
    await engine.enqueue(1, program=single)
    await engine.enqueue(2, program=pair)
    marks = Marks()
    got: list[ProgramId] = []
    async with engine.owner() as owner:
        for turn in range(8):
            asked = marks.stretches([engine.program, single, pair], now=turn / 10)
            rows = await owner.claim(room=1, stretches=asked)
            marks.note(rows)
            got += [row.program for row in rows]
    flood = engine.program
    assert got == [flood, single, pair, flood, pair, flood, flood, flood]


async def test_stretches_find_every_run_once_and_the_urgent_first(engine: Engine) -> None:
    priorities = [0, 3, -7, 3, 0, 2**31 - 1, -(2**31), 0]
    for priority in priorities:
        await engine.enqueue(2, priority=priority)
    marks = Marks()
    got: list[int] = []
    async with engine.owner() as owner:
        marks.stretches([engine.program], now=0.0)
        for _ in range(2 * len(priorities)):
            asked = marks.stretches([engine.program], now=0.1)
            rows = await owner.claim(room=1, stretches=asked)
            marks.note(rows)
            got += [row.priority for row in rows]
    assert got == sorted([*priorities, *priorities], reverse=True)


async def test_a_claim_stays_cheap_while_a_long_transaction_keeps_dead_rows(
    engine: Engine,
) -> None:
    """Counted in pages that a claim of one run reads, with 3,000 claimed runs in front of it."""
    await engine.enqueue(3_200)
    # As if they had been queued over a minute.
    await engine.session.connection.execute(
        "update waymark.instances set ready_at = now() - interval '1 min' + n * interval '20 ms'"
        " from (select id, row_number() over (order by id) as n from waymark.instances) as t"
        " where t.id = instances.id"
    )
    await engine.session.connection.execute("vacuum analyze waymark.instances")
    marks = Marks()
    async with (
        engine.another("holder") as holder,
        engine.owner() as owner,
        holder.connection.transaction(),
    ):
        await holder.connection.execute("set transaction isolation level repeatable read")
        await holder.connection.execute("select count(*) from waymark.programs")
        first = await _pages(owner, marks.stretches([engine.program], now=0.0))
        marks.note(await owner.claim(room=3_000))
        marked = await _pages(owner, marks.stretches([engine.program], now=0.1))
        whole = await _pages(owner, marks.stretches([engine.program], now=1.1))
    assert marked < 1.5 * first + 10, (first, marked, whole)
    assert whole > 2 * marked, (first, marked, whole)


async def _pages(owner: Owner, stretches: Sequence[instances.Stretch]) -> int:
    """Claim one run; how many pages were looked at."""
    query = instances.claim(owner.lease, stretches, room=1, python_minor=MINOR)
    statement = replace(
        query.statement,
        text="explain (analyze, buffers, format json) " + query.statement.text,
    )
    cursor = psycopg.AsyncRawCursor(owner.session.connection)
    await cursor.execute(
        statement.sql(owner.session.schema), execute.arguments(query), binary=False
    )
    row = await cursor.fetchone()
    assert row is not None
    (plan,) = row[0]
    assert plan["Plan"]["Actual Rows"] == 1
    return int(plan["Plan"]["Shared Hit Blocks"]) + int(plan["Plan"]["Shared Read Blocks"])


async def test_a_pool_takes_only_programs_that_it_names(engine: Engine) -> None:
    other = await transactions.store_program(engine.session, program_of("invoices"))
    await engine.enqueue(3, program=other)
    async with engine.owner() as owner:
        assert await owner.claim() == []


@asynccontextmanager
async def _peer(
    engine: Engine, python: str, programs: Sequence[ProgramId], *, ttl: timedelta = TTL
) -> AsyncIterator[Owner]:
    """A lease of another live pool under some CPython, which says that it knows these programs."""
    pool = await engine.register_pool(python=python)
    reported = pools.report(pool, actions=[], programs=programs, workers=[])
    await execute.execute(engine.session, reported)
    async with engine.owner(pool=pool, application=f"under {python}", ttl=ttl) as owner:
        yield owner


async def _begun_and_given_up(engine: Engine, count: int) -> list[InstanceId]:
    """Runs that a pool under CPython 3.11 began and left."""
    runs = await engine.enqueue(count)
    async with _peer(engine, "3.11.9", []) as first:
        assert len(await first.claim(python_minor=11)) == count
        await execute.fetch_one(engine.session, leases.leave(first.lease))
    assert await engine.release_all() == count
    return runs


async def test_a_run_goes_on_under_the_python_that_began_it_while_a_pool_of_it_lives(
    engine: Engine,
) -> None:
    begun = await _begun_and_given_up(engine, 3)
    async with engine.owner() as ours, _peer(engine, "3.11.2", [engine.program]) as peer:
        marks = Marks()
        whole = marks.stretches([engine.program], now=0.0)
        assert await ours.claim(stretches=whole) == []
        # What nobody began is anybody's, though it is queued behind; the others take no room from it.
        fresh = await engine.enqueue(2)
        first = await ours.claim(room=1, stretches=whole)
        marks.note(first)
        since = marks.stretches([engine.program], now=0.1)
        assert [stretch.since is None for stretch in since] == [True, False, True]
        second = await ours.claim(room=5, stretches=since)
        assert [claimed.id for claimed in first + second] == fresh
        again = await peer.claim(room=2, python_minor=11)
        assert len(again) == 2
        # The last pool of that version is gone: the rest is anybody's.
        await execute.fetch_one(engine.session, leases.leave(peer.lease))
        (last,) = await ours.claim()
        assert {last.id, *(claimed.id for claimed in again)} == set(begun)
        assert not last.fresh


async def test_a_pool_of_the_right_python_that_cannot_run_it_keeps_nobody_from_a_run(
    engine: Engine,
) -> None:
    await _begun_and_given_up(engine, 4)
    async with engine.owner() as ours:
        async with _peer(engine, "3.11.2", [ProgramId(-1)]):
            assert len(await ours.claim(room=1)) == 1, "it knows another program only"
        async with _peer(engine, "3.13.0", [engine.program]):
            assert len(await ours.claim(room=1)) == 1, "it is of a third version"
        async with _peer(engine, "3.11.2", [engine.program], ttl=timedelta()):
            assert len(await ours.claim(room=1)) == 1, "its lease has run out"
        async with _peer(engine, "3", [engine.program]):
            assert len(await ours.claim(room=1)) == 1, "nobody knows what it is"


async def test_a_pool_that_drains_is_left_nothing(engine: Engine) -> None:
    await _begun_and_given_up(engine, 1)
    async with engine.owner() as ours, _peer(engine, "3.11.2", [engine.program]) as peer:
        assert await ours.claim() == []
        ((pool,),) = await engine.rows("select pool from waymark.leases where id = %s", peer.lease)
        await execute.execute(engine.session, pools.retire(pool))
        assert len(await ours.claim()) == 1


async def test_a_run_that_has_lost_more_owners_than_can_be_counted_is_released_like_any_other(
    engine: Engine,
) -> None:
    await engine.enqueue(2)
    async with engine.owner() as lost:
        await lost.claim()
        await engine.session.connection.execute(
            b"update waymark.instances set recoveries = 32767"
            b" where id = (select min(id::text)::uuid from waymark.instances)"
        )
        await execute.fetch_one(engine.session, leases.leave(lost.lease))
    assert await engine.release_all() == 2


async def test_a_run_that_is_handed_back_keeps_count_of_the_owners_that_were_lost(
    engine: Engine,
) -> None:
    await engine.enqueue(1)
    async with engine.owner() as lost:
        await lost.claim()
        await execute.fetch_one(engine.session, leases.leave(lost.lease))
    assert await engine.release_all() == 1
    async with engine.owner() as draining, engine.owner() as last:
        (claimed,) = await draining.claim()
        assert claimed.recoveries == 1
        back = FinalRow(
            claimed.id, claimed.epoch, InstanceState.QUEUED, recoveries=claimed.recoveries
        )
        await transactions.commit(draining.session, draining.batch(instances=[back]))
        (claimed,) = await last.claim()
        assert claimed.recoveries == 1
        here = FinalRow(claimed.id, claimed.epoch, InstanceState.RUNNING)
        await transactions.commit(last.session, last.batch(instances=[here]))
        rows = await engine.rows("select recoveries from waymark.instances")
        assert rows == [(0,)]
