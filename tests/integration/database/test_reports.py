"""Runs in every state in; pages, counts and one run as people see them out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.support.engine import Engine, Owner, completed, outcome_of, program_of
from waymark_schema.database import execute
from waymark_schema.ir.program import FORMAT
from waymark_schema.kinds import InboxKind, InstanceState
from waymark_schema.reports import health, run, runs, workers
from waymark_schema.tables import inbox, pools, transactions
from waymark_schema.tables.settle import InFlightRow

pytestmark = pytest.mark.postgres
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


async def _complete(owner: Owner, count: int) -> None:
    claimed = await owner.claim(room=count)
    batch = owner.batch(
        [outcome_of(c, 1) for c in claimed], instances=[completed(c) for c in claimed]
    )
    await transactions.commit(owner.session, batch)


async def test_pages_run_through_all_runs_newest_first_and_back(engine: Engine) -> None:
    made = await engine.enqueue(7)
    seen = []
    before = None
    while page := await execute.fetch_all(engine.session, runs.page(before=before, room=3)):
        seen += [line.id for line in page]
        before = page[-1].id
    assert seen == sorted(made, reverse=True)
    newer = await execute.fetch_all(engine.session, runs.page_backwards(after=seen[-1], room=3))
    assert [line.id for line in newer][::-1] == seen[3:6]


async def test_a_page_is_filtered_by_state_and_workflow(engine: Engine) -> None:
    other = await transactions.store_program(engine.session, program_of("invoices"))
    await engine.enqueue(2, program=other)
    await engine.enqueue(3)
    async with engine.owner() as owner:
        await _complete(owner, 2)
    (version,) = await execute.fetch_all(engine.session, runs.programs_of("invoices"))
    lines = await execute.fetch_all(engine.session, runs.page(programs=[version.id]))
    assert [(line.workflow, line.version) for line in lines] == [("invoices", "1")] * 2
    done = await execute.fetch_all(engine.session, runs.page(states=[InstanceState.COMPLETED]))
    assert [line.workflow for line in done] == ["orders"] * 2
    assert await execute.fetch_all(engine.session, runs.page(states=[])) == []
    counts = {row.state: row.runs for row in await execute.fetch_all(engine.session, runs.counts())}
    assert counts == {0: 3, 1: 0, 2: 0, 3: 0, 4: 2, 5: 0, 6: 0, 7: 0}
    names = await execute.fetch_all(engine.session, runs.workflows())
    assert [name.workflow for name in names] == ["invoices", "orders"]


@pytest.mark.parametrize("when", ["infinity", "-infinity", "12000-01-01", "4000-01-01 BC"])
async def test_a_time_that_nobody_can_show_costs_no_page(engine: Engine, when: str) -> None:
    (held,) = await engine.enqueue(1, delay=timedelta(hours=1))
    (due,) = await engine.enqueue(1, delay=timedelta(hours=1))
    await engine.session.connection.execute(
        b"update waymark.instances set wake_at = %s::text::timestamptz where id = %s", (when, held)
    )
    for query in (runs.page(), runs.page_backwards(after=UUID(int=0), room=9)):
        seen = {line.id: line for line in await execute.fetch_all(engine.session, query)}
        assert seen[held].wake_at is None
        assert seen[due].wake_at is not None
    assert (await execute.fetch_one(engine.session, run.detail(held))).wake_at is None


async def test_one_run_shows_its_entries_its_running_calls_and_its_mail(engine: Engine) -> None:
    (instance,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        entry = outcome_of(claimed, 1)._replace(started_at=MOMENT, worker=3)
        flying = InFlightRow(instance, 2, 1, 0, b"args", MOMENT, MOMENT, 4)
        await transactions.commit(owner.session, owner.batch([entry], in_flight=[flying]))
        await execute.fetch_one(engine.session, inbox.send(instance, InboxKind.EVENT, name="x"))
        detail = await execute.fetch_one(engine.session, run.detail(instance))
        assert (detail.workflow, detail.state, detail.position, detail.unread, detail.host) == (
            "orders",
            InstanceState.RUNNING,
            1,
            1,
            "here",
        )
        (line,) = await execute.fetch_all(engine.session, run.entries(instance))
        assert (line.action, line.started_at, line.worker, line.outcome) == (
            "app:ship",
            MOMENT,
            3,
            b"out",
        )
        (live,) = await execute.fetch_all(engine.session, run.flying(instance))
        assert (live.call, live.action, live.worker, live.inputs) == (2, "app:ship", 4, b"args")
        again = flying._replace(attempt=2)
        await transactions.commit(owner.session, owner.batch(in_flight=[again]))
        (live,) = await execute.fetch_all(engine.session, run.flying(instance))
        assert live.attempt == 2
        await transactions.commit(owner.session, owner.batch(landed=[(instance, 2)]))
        assert await execute.fetch_all(engine.session, run.flying(instance)) == []


async def test_a_long_journal_is_read_in_pages(engine: Engine) -> None:
    (instance,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await transactions.commit(
            owner.session, owner.batch([outcome_of(claimed, n) for n in range(1, 12)])
        )
    first = await execute.fetch_all(engine.session, run.entries(instance, room=8))
    rest = await execute.fetch_all(
        engine.session, run.entries(instance, after=first[-1].position, room=8)
    )
    assert [line.position for line in first + rest] == list(range(1, 12))


async def test_pools_that_have_all_actions_between_them_serve_a_program(engine: Engine) -> None:
    both = await transactions.store_program(
        engine.session, replace(program_of("both"), actions=["app:pay", "app:ship"])
    )
    await engine.enqueue(1, program=both)
    async with engine.owner():
        await _knows(engine, ["app:ship"])
        (line,) = await execute.fetch_all(engine.session, workers.unserved())
        assert line.unknown_actions == ["app:pay"]
        engine.pool = await engine.register_pool()
        await _knows(engine, ["app:pay"])
        (line,) = await execute.fetch_all(engine.session, workers.unserved())
        assert line.unknown_actions == ["app:pay"], "a pool without a lease lives no more"
        async with engine.owner(application="other"):
            assert await execute.fetch_all(engine.session, workers.unserved()) == []
    newer = await transactions.store_program(
        engine.session, replace(program_of("newer"), format=FORMAT + 1)
    )
    async with engine.owner():
        await _knows(engine, ["app:ship"])
        await engine.enqueue(1, program=newer)
        found = await execute.fetch_all(engine.session, workers.unserved())
        assert [(line.workflow, line.unknown_actions) for line in found if line.id == newer] == [
            ("newer", [])
        ]


async def _knows(engine: Engine, actions: list[str]) -> None:
    query = pools.report(engine.pool, actions=actions, programs=[], workers=[])
    await execute.execute(engine.session, query)


async def test_pools_report_their_workers_and_what_nobody_serves_is_named(engine: Engine) -> None:
    await engine.enqueue(2)
    states = [pools.WorkerState(1, 100, "busy", calls=2, action="app:ship")]
    (line,) = await execute.fetch_all(engine.session, workers.unserved())
    assert (line.workflow, line.queued, line.unknown_actions) == ("orders", 2, ["app:ship"])
    async with engine.owner():
        (line,) = await execute.fetch_all(engine.session, workers.unserved())
        assert line.unknown_actions == ["app:ship"]
        await execute.execute(
            engine.session,
            pools.report(
                engine.pool, actions=["app:ship"], programs=[engine.program], workers=states
            ),
        )
        assert await execute.fetch_all(engine.session, workers.unserved()) == []
        (pool,) = await execute.fetch_all(engine.session, workers.pools())
        assert (pool.alive, pool.leases, pool.workers) == (True, 1, states)
        assert (await execute.fetch_one(engine.session, health.pulse())).live_leases == 1
    point = pools.PoolSample(engine.pool, 1, 2, 3, 4, 5, 6, 7, 8, None)
    await execute.execute(engine.session, pools.sample(point))
    (sample,) = await execute.fetch_all(
        engine.session, workers.samples(within=timedelta(minutes=1))
    )
    assert (sample.actions_completed, sample.queue_latency_ms) == (1, None)
    assert (
        await execute.execute(engine.session, pools.prune_samples(older_than=timedelta(0), room=9))
        == 1
    )


async def test_user_bytes_of_any_kind_come_back_as_they_were(engine: Engine) -> None:
    (instance,) = await engine.enqueue(1)
    hostile = bytes(range(256)) * 4096
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        entry = outcome_of(claimed, 1)._replace(outcome=hostile, inputs=b"", local=None)
        await transactions.commit(owner.session, owner.batch([entry]))
    sent = await execute.fetch_one(
        engine.session, inbox.send(instance, InboxKind.EVENT, name="a\x00b\ud800c", payload=b"\x00")
    )
    assert sent.message is not None
    (line,) = await execute.fetch_all(engine.session, run.entries(instance))
    assert (line.outcome, line.inputs, line.local) == (hostile, b"", None)
    (letter,) = await execute.fetch_all(engine.session, inbox.pending([instance]))
    assert (letter.name, letter.payload) == ("a\ufffdb?c", b"\x00")
