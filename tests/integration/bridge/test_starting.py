"""Starts in; rows in the database out, each once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.integration.bridge.greetings import Counting, Greeting
from tests.support.bridges import Bridges, rows
from waymark import Run, runtime
from waymark.coercion import codec
from waymark.requests import StartRequest
from waymark.starting import prepare
from waymark_schema.errors import DatabaseError, ProgramConflict, RunIdTaken
from waymark_schema.ids import new_instance_id
from waymark_schema.inputs import unpack_inputs
from waymark_schema.wire.frames import ProgramReport


def _forged(version: str, code: bytes) -> StartRequest:
    real = prepare(Counting, (1,), {}).request.program
    report = ProgramReport(real.workflow, version, code, real.program, real.spans, real.source)
    return StartRequest(id=new_instance_id(), program=report, inputs=b"", attributes=b"")


async def test_a_started_run_is_one_queued_row_with_its_arguments(
    bridges: Bridges, database_url: str
) -> None:
    run = await Greeting.options(priority=7).start("you")
    ((id_, state, priority, awaited, inputs),) = rows(
        database_url, "select id::text, state, priority, awaited, inputs from waymark.instances"
    )
    assert (id_, state, priority, awaited) == (run.id, 0, 7, True)
    assert codec().decode(unpack_inputs(inputs).arguments) == {"who": "you"}
    assert await run.status() == "queued"


async def test_the_program_is_registered_once_with_its_actions(
    bridges: Bridges, database_url: str
) -> None:
    await asyncio.gather(*(Greeting.start(str(number)) for number in range(20)))
    found = rows(
        database_url, "select workflow, actions, octet_length(digest) from waymark.programs"
    )
    assert found == [("greeting", ["tests.integration.bridge.greetings:greet"], 32)]


async def test_the_same_id_started_again_is_the_same_run(
    bridges: Bridges, database_url: str
) -> None:
    chosen = uuid4()
    runs = await asyncio.gather(*(Counting.options(id=chosen).start(1) for _ in range(5)))
    assert {run.id for run in runs} == {str(chosen)}
    assert len(rows(database_url)) == 1


async def test_an_id_of_another_workflows_run_is_no_run_of_this_one(
    bridges: Bridges, database_url: str
) -> None:
    chosen = uuid4()
    await Counting.options(id=chosen).start(1)
    with pytest.raises(RunIdTaken) as refused:
        await Greeting.options(id=chosen).start("you")
    assert str(refused.value).startswith(
        f"run {chosen} is one of 'counting' already, so 'greeting' was not started under that id"
    )
    # At once: in one statement, where only one of the two can be first.
    ids = [UUID(int=number) for number in range(1, 21)]
    outcomes = await asyncio.gather(
        *(Counting.options(id=each).start(1) for each in ids),
        *(Greeting.options(id=each).start("you") for each in ids),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, RunIdTaken) for outcome in outcomes) == 20
    assert len(rows(database_url)) == 21


async def test_an_idempotency_key_gives_the_first_ones_run_and_is_the_workflows_own(
    bridges: Bridges, database_url: str
) -> None:
    runs = await asyncio.gather(
        *(Counting.options(idempotency_key="order-7").start(number) for number in range(8))
    )
    other = await Greeting.options(idempotency_key="order-7").start("you")
    assert len({run.id for run in runs}) == 1
    assert other.id not in {run.id for run in runs}
    assert len(rows(database_url)) == 2


async def test_many_runs_are_started_in_order_and_nobody_is_notified_of_their_end(
    bridges: Bridges, database_url: str
) -> None:
    runs = await Counting.start_many([Counting.call(number) for number in range(3_000)])
    stored = rows(database_url, "select id::text, awaited from waymark.instances order by id")
    assert [run.id for run in runs] == [id_ for id_, _ in stored]
    assert {awaited for _, awaited in stored} == {False}


async def test_nothing_to_start_asks_nobody(home: Bridges) -> None:
    assert await Counting.start_many([]) == []
    assert home.pids == []


async def test_a_start_may_be_put_off(bridges: Bridges, database_url: str) -> None:
    await Counting.options(delay=timedelta(hours=1)).start(1)
    await Counting.options(start_at=datetime(2100, 1, 1, tzinfo=UTC)).start(2)
    await Counting.options(start_at=datetime(2000, 1, 1, tzinfo=UTC)).start(3)
    found = rows(
        database_url,
        "select state, extract(epoch from wake_at - created_at)::bigint / 60,"
        " extract(year from wake_at)::int from waymark.instances order by id",
    )
    assert [row[0] for row in found] == [1, 1, 0]
    assert found[0][1] in {59, 60}
    assert found[1][2] == 2100


async def test_a_program_that_was_pruned_is_registered_again(
    bridges: Bridges, database_url: str
) -> None:
    await Counting.start(1)
    rows(database_url, "delete from waymark.instances returning 1")
    rows(database_url, "delete from waymark.programs returning 1")
    run = await Counting.start(2)
    assert await run.status() == "queued"


async def test_a_version_that_stands_for_other_code_is_refused(bridges: Bridges) -> None:
    await runtime.current().start(_forged("1.0", bytes(32)))
    with pytest.raises(ProgramConflict, match=r"'counting' version '1\.0' is already registered"):
        await runtime.current().start(_forged("1.0", bytes(31) + b"x"))


# The one is refused by the server, the other does not fit what it is sent as.
@pytest.mark.parametrize("days", [106_751_900, 300_000_000])
async def test_a_value_that_cannot_be_kept_fails_its_own_start_only(
    bridges: Bridges, days: int
) -> None:
    await Counting.start(0)
    bad = Counting.options(delay=timedelta(days=days)).start(1)
    outcomes = await asyncio.gather(
        bad, *(Counting.start(number) for number in range(5)), return_exceptions=True
    )
    assert isinstance(outcomes[0], DatabaseError)
    assert "database" in str(outcomes[0])
    assert all(isinstance(run, Run) for run in outcomes[1:])


async def test_tags_are_refused_until_they_are_kept(bridges: Bridges) -> None:
    with pytest.raises(NotImplementedError, match="tags"):
        await Counting.options(tags={"team": "red"}).start(1)


async def test_concurrent_starts_share_statements(bridges: Bridges, database_url: str) -> None:
    await Counting.start(0)
    await asyncio.gather(*(Counting.start(number) for number in range(500)))
    ((transactions,),) = rows(
        database_url, "select count(distinct xmin::text) from waymark.instances"
    )
    assert len(rows(database_url)) == 501
    assert transactions < 100
