"""Runs and programs that clients send, twice and at once, in; each kept exactly once out."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from tests.support.engine import Engine, program_of
from waymark_schema.database import execute
from waymark_schema.errors import ProgramConflict
from waymark_schema.ids import ProgramId, new_instance_id
from waymark_schema.tables import instances, programs, transactions
from waymark_schema.tables.instances import NewInstance

pytestmark = pytest.mark.postgres


async def test_an_enqueue_sent_again_adds_nothing_and_changes_nothing(engine: Engine) -> None:
    run = NewInstance(new_instance_id(), engine.program, b"first")
    other = NewInstance(run.id, engine.program, b"second", priority=9)
    assert await execute.fetch_all(engine.session, instances.enqueue([run])) == []
    there = [instances.NotQueued(run.id, engine.program, registered=True)]
    for sent in (run, other):
        assert await execute.fetch_all(engine.session, instances.enqueue([sent])) == there
    assert await engine.count("instances") == 1
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        assert (claimed.inputs, claimed.priority) == (b"first", 0)


async def test_two_batches_with_the_same_ids_in_any_order_do_not_deadlock(engine: Engine) -> None:
    runs = [NewInstance(new_instance_id(), engine.program, b"") for _ in range(500)]
    async with engine.another() as second:
        await asyncio.gather(
            execute.fetch_all(engine.session, instances.enqueue(runs)),
            execute.fetch_all(second, instances.enqueue(runs[::-1])),
        )
    assert await engine.count("instances") == 500


async def test_a_batch_is_inserted_in_the_order_of_its_ids_however_it_was_sent(
    engine: Engine,
) -> None:
    """Which is why the two batches above wait for each other in one direction only."""
    runs = [NewInstance(new_instance_id(), engine.program, b"") for _ in range(50)]
    assert await execute.fetch_all(engine.session, instances.enqueue(runs[::2] + runs[1::2])) == []
    placed = await engine.session.connection.execute(
        "select id from waymark.instances order by ctid"
    )
    assert [row[0] for row in await placed.fetchall()] == sorted(run.id for run in runs)


async def test_a_run_of_an_unknown_program_is_named_and_the_others_are_queued(
    engine: Engine,
) -> None:
    good = NewInstance(new_instance_id(), engine.program, b"")
    bad = NewInstance(new_instance_id(), ProgramId(12345), b"")
    missing = await execute.fetch_all(engine.session, instances.enqueue([good, bad]))
    assert missing == [instances.NotQueued(bad.id, ProgramId(12345), registered=False)]
    assert await engine.count("instances") == 1


async def test_an_enqueue_in_the_callers_transaction_vanishes_with_it(engine: Engine) -> None:
    run = NewInstance(new_instance_id(), engine.program, b"")
    async with engine.session.connection.transaction(force_rollback=True):
        assert await execute.fetch_all(engine.session, instances.enqueue([run])) == []
        assert await engine.count("instances") == 1
    assert await engine.count("instances") == 0


async def test_one_key_starts_one_run(engine: Engine) -> None:
    runs = [
        NewInstance(new_instance_id(), engine.program, b"", idempotency_key="orders:7")
        for _ in range(4)
    ]
    for run in runs:
        await execute.fetch_all(engine.session, instances.enqueue([run]))
    found = await execute.fetch_one(engine.session, instances.find_by_key("orders:7"))
    assert found.id == runs[0].id
    assert await engine.count("instances") == 1


async def test_a_version_stands_for_one_program(engine: Engine) -> None:
    first = program_of("orders", version="9")
    assert await transactions.store_program(engine.session, first) == first.id
    assert await transactions.store_program(engine.session, first) == first.id
    with pytest.raises(ProgramConflict, match="already registered with different code"):
        await transactions.store_program(
            engine.session, program_of("orders", version="9", code=b"!")
        )


@pytest.mark.parametrize(("was", "now"), [("1", "2"), ("1", ""), ("", "1")])
async def test_the_same_code_under_another_version_is_the_program_that_it_was(
    engine: Engine, was: str, now: str
) -> None:
    name = f"{was or 'digest'} to {now or 'digest'}"
    first = program_of(name, version=was)
    again = dataclasses.replace(first, version=now)
    assert await transactions.store_program(engine.session, first) == first.id
    assert await transactions.store_program(engine.session, again) == first.id
    other = program_of(name, version=was, code=b"!")
    with pytest.raises(ProgramConflict, match="already registered with different code"):
        await transactions.store_program(engine.session, other)


async def test_racing_registrations_of_one_program_all_succeed(engine: Engine) -> None:
    program = program_of("racing")

    async def register() -> ProgramId:
        async with engine.another() as session:
            return await transactions.store_program(session, program)

    assert set(await asyncio.gather(*(register() for _ in range(5)))) == {program.id}


async def test_a_program_that_runs_refer_to_is_not_pruned(engine: Engine) -> None:
    idle = await transactions.store_program(engine.session, program_of("idle"))
    await engine.enqueue(1)
    gone = await execute.fetch_all(engine.session, programs.prune(unused_for=timedelta(0)))
    assert [program.id for program in gone] == [idle]
    assert await transactions.store_program(engine.session, program_of("idle")) == idle
