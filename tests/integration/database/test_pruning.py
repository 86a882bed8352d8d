"""Finished runs, old and young, long and related, in; what the pruner leaves of them out."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.support.engine import Engine, Owner, completed, outcome_of
from waymark_schema.database import execute
from waymark_schema.database.execute import Session
from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.kinds import InboxKind, InstanceState
from waymark_schema.tables import inbox, leases, offers, pools, programs, pruning, transactions
from waymark_schema.tables.offers import NewOffer
from waymark_schema.tables.pruning import Pruned
from waymark_schema.tables.settle import FinalRow, InFlightRow, SnapshotRow
from waymark_worker import pruner as pruner_room
from waymark_worker.clock import SystemClock
from waymark_worker.pruner import Pruner, Seldom

pytestmark = pytest.mark.postgres
AT_ONCE = timedelta(0)
HANGING = ("journal", "snapshots", "inbox", "in_flight", "offers", "audit")


async def _complete(owner: Owner, count: int, *, entries: int = 1) -> list[InstanceId]:
    claimed = await owner.claim(room=count)
    batch = owner.batch(
        [outcome_of(c, position) for c in claimed for position in range(1, entries + 1)],
        instances=[completed(c) for c in claimed],
    )
    await transactions.commit(owner.session, batch)
    return [c.id for c in claimed]


async def _prune(
    session: Session,
    state: InstanceState = InstanceState.COMPLETED,
    *,
    retention: timedelta = AT_ONCE,
    room: int = 10,
    most: int = pruning.MOST_ENTRIES,
) -> Pruned:
    return await execute.fetch_one(
        session, pruning.prune_instances(state, retention=retention, room=room, most=most)
    )


async def _sweep(pruner: Pruner) -> None:
    while not await pruner.turn():
        pass


def _pruner(engine: Engine, *, room: int, seldom: Seldom | None = None) -> Pruner:
    return Pruner(
        engine.session,
        retention=AT_ONCE,
        room=room,
        clock=SystemClock(),
        seldom=seldom or Seldom(),
    )


async def _adopt(engine: Engine, parent: UUID, children: Sequence[UUID]) -> None:
    await engine.session.connection.execute(
        b"update waymark.instances set parent = %s where id = any (%s)", [parent, list(children)]
    )


async def _orphans(engine: Engine) -> dict[str, int]:
    found = {}
    for table in HANGING:
        cursor = await engine.session.connection.execute(
            f"select count(*) from waymark.{table} as t where not exists"
            " (select from waymark.instances as i where i.id = t.instance)".encode()
        )
        row = await cursor.fetchone()
        assert row is not None
        found[table] = row[0]
    return {table: count for table, count in found.items() if count}


async def test_old_finished_runs_go_and_nothing_else(engine: Engine) -> None:
    await engine.enqueue(3)
    async with engine.owner() as owner:
        await _complete(owner, 2)
        (held,) = await owner.claim()
        kept = await _prune(engine.session, retention=timedelta(hours=1))
        assert (kept.found, kept.instances, kept.entries, kept.newest) == (0, 0, 0, None)
        gone = await _prune(engine.session)
        assert (gone.found, gone.instances, gone.entries) == (2, 2, 2)
        assert gone.newest is not None
        assert await engine.count("instances") == 1
        waits = FinalRow(held.id, held.epoch, InstanceState.QUARANTINED, error=b"why")
        await transactions.commit(owner.session, owner.batch(instances=[waits]))
        await _sweep(_pruner(engine, room=10))
        assert await engine.states([held.id]) == [InstanceState.QUARANTINED]


async def test_a_sweep_takes_every_way_to_end(engine: Engine) -> None:
    await engine.enqueue(7)
    ends = (InstanceState.FAILED, InstanceState.CANCELLED)
    async with engine.owner() as owner:
        await _complete(owner, 3)
        finals = [
            FinalRow(c.id, c.epoch, ends[number % 2])
            for number, c in enumerate(await owner.claim())
        ]
        await transactions.commit(owner.session, owner.batch(instances=finals))
    await _sweep(_pruner(engine, room=2))
    assert await engine.count("instances") == 0


async def test_all_that_hangs_on_a_run_goes_with_it(engine: Engine) -> None:
    gone, stays = await engine.enqueue(2)
    async with engine.owner() as owner:
        claimed = {c.id: c for c in await owner.claim()}
        moment = claimed[gone].created_at
        for run, row in claimed.items():
            batch = owner.batch(
                [outcome_of(row, 1)],
                snapshots=[SnapshotRow(run, 1, b"state")],
                in_flight=[InFlightRow(run, 2, 1, 0, b"args", moment, moment, 4)],
            )
            await transactions.commit(owner.session, batch)
            await execute.fetch_one(engine.session, inbox.send(run, InboxKind.EVENT, name="x"))
            offer = NewOffer(run, 2, 1, "app:ship", b"in", engine.program, timedelta(0))
            await execute.execute(owner.session, offers.offer(owner.lease, [offer]))
            await engine.session.connection.execute(
                b"insert into waymark.audit (instance, actor, verb, subject) values (%s, 'a', 'b', 'c')",
                [run],
            )
        final = owner.batch(instances=[completed(claimed[gone])])
        await transactions.commit(owner.session, final)
        assert (await _prune(engine.session)).instances == 1
    assert {table: await engine.count(table) for table in HANGING} == dict.fromkeys(HANGING, 1)
    assert await _orphans(engine) == {}
    assert await engine.states([stays]) == [InstanceState.RUNNING]


async def test_a_run_stays_while_any_run_above_it_is_unfinished(engine: Engine) -> None:
    root, child, grandchild, stranger = await engine.enqueue(4)
    async with engine.owner() as owner:
        claimed = {c.id: c for c in await owner.claim()}
        await _adopt(engine, root, [child])
        await _adopt(engine, child, [grandchild])
        ended = [completed(claimed[run]) for run in (child, grandchild, stranger)]
        await transactions.commit(owner.session, owner.batch(instances=ended))
        assert (await _prune(engine.session)).instances == 1
        assert await engine.count("instances") == 3
        last = owner.batch(instances=[completed(claimed[root])])
        await transactions.commit(owner.session, last)
        assert (await _prune(engine.session)).instances == 3


async def test_runs_above_one_another_in_a_circle_are_pruned_all_the_same(engine: Engine) -> None:
    one, other = await engine.enqueue(2)
    async with engine.owner() as owner:
        await _complete(owner, 2)
    await _adopt(engine, one, [other])
    await _adopt(engine, other, [one])
    assert (await _prune(engine.session)).instances == 2


async def test_a_child_that_outlives_its_parent_stays(engine: Engine) -> None:
    parent, child = await engine.enqueue(2)
    async with engine.owner() as owner:
        claimed = {c.id: c for c in await owner.claim()}
        await _adopt(engine, parent, [child])
        await transactions.commit(
            owner.session, owner.batch(instances=[completed(claimed[parent])])
        )
        assert (await _prune(engine.session)).instances == 1
        await transactions.commit(owner.session, owner.batch(instances=[completed(claimed[child])]))
    assert (await _prune(engine.session)).instances == 1


async def test_a_journal_that_is_too_long_for_a_batch_goes_in_slices(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        await _complete(owner, 1, entries=25)
    batches = [await _prune(engine.session, most=10) for _ in range(3)]
    assert [(b.found, b.instances, b.entries) for b in batches] == [
        (1, 0, 10),
        (1, 0, 10),
        (1, 1, 5),
    ]
    assert await engine.states([run][:0]) == []
    assert (await engine.count("instances"), await engine.count("journal")) == (0, 0)


async def test_a_batch_ends_before_its_journals_are_too_long_together(engine: Engine) -> None:
    await engine.enqueue(5)
    async with engine.owner() as owner:
        await _complete(owner, 5, entries=4)
    first = await _prune(engine.session, most=10)
    assert (first.found, first.instances, first.entries) == (5, 2, 8)
    assert await _orphans(engine) == {}
    await _sweep(_pruner(engine, room=3))
    assert (await engine.count("instances"), await engine.count("journal")) == (0, 0)


async def test_a_sweep_goes_on_until_a_long_journal_has_gone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "prune_instances", partial(pruning.prune_instances, most=10))
    await engine.enqueue(1)
    async with engine.owner() as owner:
        await _complete(owner, 1, entries=25)
    await _sweep(_pruner(engine, room=3))
    assert (await engine.count("instances"), await engine.count("journal")) == (0, 0)


async def test_two_pruners_at_once_share_the_work(engine: Engine) -> None:
    await engine.enqueue(60)
    async with engine.owner() as owner:
        await _complete(owner, 60, entries=2)
    async with engine.another() as second:

        async def prune(session: Session) -> int:
            deleted = 0
            while (batch := await _prune(session, room=5)).found:
                deleted += batch.instances
            return deleted

        done = await asyncio.gather(prune(engine.session), prune(second))
    # One may have looked while the other held the last rows.
    assert sum(done) == 60
    assert (await engine.count("instances"), await engine.count("journal")) == (0, 0)


async def test_what_a_person_holds_is_passed_over_and_taken_by_the_next_sweep(
    engine: Engine,
) -> None:
    held, *_ = await engine.enqueue(4)
    async with engine.owner() as owner:
        await _complete(owner, 4)
    pruner = _pruner(engine, room=2)
    async with engine.another() as person, person.connection.transaction():
        await person.connection.execute(
            b"select from waymark.instances where id = %s for update", [held]
        )
        await _sweep(pruner)
        assert await engine.count("instances") == 1
    await _sweep(pruner)
    assert await engine.count("instances") == 0


async def test_a_sweep_leaves_no_dead_leases_markers_samples_or_mail(engine: Engine) -> None:
    (run,) = await engine.enqueue(1)
    async with engine.owner() as owner:
        await _complete(owner, 1)
        await execute.fetch_one(
            engine.session, inbox.send(run, InboxKind.OPERATOR_RETRY, name="late")
        )
        # As if it had been sent while the run was pruned.
        await engine.session.connection.execute(b"delete from waymark.instances")
        await execute.execute(
            engine.session,
            pools.sample(pools.PoolSample(engine.pool, 1, 2, 3, 4, 5, 6, 7, 8, None)),
        )
        await engine.session.connection.execute(
            b"update waymark.pool_samples set sampled_at = now() - interval '3 days'"
        )
        await engine.session.connection.execute(
            b"update waymark.pools set seen_at = now() - interval '3 days'"
        )
        await _sweep(_pruner(engine, room=9))
        assert await engine.count("pools") == 1, "its lease may still live"
        await execute.fetch_one(owner.session, leases.leave(owner.lease))
    pruner = _pruner(engine, room=9)
    await _sweep(pruner)
    await _sweep(pruner)
    tables = ("leases", "commits", "pool_samples", "inbox", "pools")
    assert {table: await engine.count(table) for table in tables} == dict.fromkeys(tables, 0)


async def test_a_pool_goes_only_long_after_its_last_word(engine: Engine) -> None:
    await engine.session.connection.execute(
        b"insert into waymark.pools (pid, host, version, python, program_format, program_semantics, seen_at, stopped_at)"
        b" select n, 'elsewhere', '1', '3.12', 1, 1, now() - seen * interval '1 day', now() - stopped * interval '1 day'"
        b" from (values (1, 3, null), (2, 3, 3), (3, 3, 0), (4, 0, 3), (5, 1, null)) as of (n, seen, stopped)"
    )
    await _sweep(_pruner(engine, room=9))
    cursor = await engine.session.connection.execute(
        b"select pid from waymark.pools where host = 'elsewhere' order by pid"
    )
    assert [pid for (pid,) in await cursor.fetchall()] == [3, 4, 5]


async def test_a_program_goes_when_nobody_uses_it_and_comes_back_with_the_next_run(
    engine: Engine,
) -> None:
    (run,) = await engine.enqueue(1)

    async def pruned() -> list[ProgramId]:
        gone = await execute.fetch_all(engine.session, programs.prune(unused_for=AT_ONCE))
        return [program.id for program in gone]

    assert await pruned() == []
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        assert await pruned() == []
        parked = FinalRow(run, claimed.epoch, InstanceState.WAITING)
        await transactions.commit(owner.session, owner.batch(instances=[parked]))
        assert await pruned() == [], "a sleeper refers to it"
        await execute.fetch_all(engine.session, programs.prune(unused_for=AT_ONCE))
        await engine.session.connection.execute(
            b"update waymark.instances set state = 4, finished_at = now(), wake_at = null"
        )
        assert await pruned() == [], "people may look at the run"
        await _prune(engine.session)
    assert await pruned() == [engine.program]


async def test_a_sleeper_and_a_delayed_run_keep_their_programs(engine: Engine) -> None:
    await engine.enqueue(2)
    await engine.session.connection.execute(
        b"update waymark.instances set state = 1, ready_at = null, wake_at = now() + interval '1 day'"
    )
    assert await execute.fetch_all(engine.session, programs.prune(unused_for=AT_ONCE)) == []
    await engine.session.connection.execute(b"delete from waymark.instances")
    (gone,) = await execute.fetch_all(engine.session, programs.prune(unused_for=AT_ONCE))
    assert gone.id == engine.program


async def test_looking_for_unused_programs_reads_no_finished_run(engine: Engine) -> None:
    await engine.enqueue(1)
    await engine.session.connection.execute(
        b"insert into waymark.programs"
        b" (id, workflow, version, digest, format, semantics, actions, program, source)"
        b" select n, 'w' || n, '1', sha256(int4send(n)), 1, 1, '{}', '', '' from generate_series(1, 3) as n"
    )
    await engine.session.connection.execute(
        b"insert into waymark.instances (id, program, state, wake_at, finished_at, started_at, inputs)"
        b" select gen_random_uuid(), 1, case when n > 20 then 4 else 3 end,"
        b" case when n <= 20 then now() end, case when n > 20 then now() end, now(), ''"
        b" from generate_series(1, 20000) as n"
    )
    await engine.session.connection.execute(b"vacuum analyze waymark.instances, waymark.programs")
    assert await _read_by_pruning_programs(engine) <= 100
    await engine.session.connection.execute(b"delete from waymark.programs where id in (2, 3)")
    assert await _read_by_pruning_programs(engine) <= 3, "nor a parked one, if no program may go"


async def _read_by_pruning_programs(engine: Engine) -> int:
    """How many rows of instances the statement looks at."""
    query = programs.prune(unused_for=AT_ONCE)
    text = query.statement.sql(engine.session.schema)
    connection = engine.session.connection
    async with (
        psycopg.AsyncRawCursor(connection) as cursor,
        connection.transaction(force_rollback=True),
    ):
        await cursor.execute(b"explain (analyze, format json) " + text, execute.arguments(query))
        row = await cursor.fetchone()
    assert row is not None
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in _nodes(row[0][0]["Plan"])
        if node.get("Relation Name") == "instances"
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


async def test_programs_are_not_looked_for_again_by_the_session_after_one_that_broke(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    async def break_off(*_: Any, **__: Any) -> None:
        nonlocal tried
        tried += 1
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(pruner_room, "prune_programs", break_off)
    seldom = Seldom()
    with pytest.raises(psycopg.OperationalError):
        await _pruner(engine, room=2, seldom=seldom).turn()
    assert await _pruner(engine, room=2, seldom=seldom).turn()
    assert tried == 1


async def test_looking_for_programs_takes_no_longer_than_it_may(engine: Engine) -> None:
    limit, short = timedelta(seconds=9), timedelta(milliseconds=50)
    async with engine.another() as person, person.connection.transaction():
        await person.connection.execute(b"lock table waymark.programs in access exclusive mode")
        pruned = await transactions.prune_programs(engine.session, unused_for=AT_ONCE, limit=short)
        assert pruned is None
    (gone,) = (
        await transactions.prune_programs(engine.session, unused_for=AT_ONCE, limit=limit) or []
    )
    assert gone.id == engine.program
