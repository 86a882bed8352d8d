"""Runs of several workflows and priorities in; who is claimed when, and at what cost, out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import psycopg
import pytest

from tests.support.engine import Engine, Owner, program_of
from waymark_schema.database import execute
from waymark_schema.ids import ProgramId
from waymark_schema.tables import instances, transactions
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
    query = instances.claim(owner.lease, stretches, room=1)
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
