"""Two hundred thousand runs in; plans that walk an index for every filter out."""

import re

import psycopg
import pytest

from tests.integration.web.conftest import Pages
from tests.support.engine import Engine, program_of
from waymark_schema.database.execute import arguments
from waymark_schema.database.statement import Query
from waymark_schema.ids import ProgramId
from waymark_schema.reports import runs
from waymark_schema.tables import transactions
from waymark_web.views.run_list import COUNTED
from waymark_web.views.states import FILTERS

pytestmark = pytest.mark.postgres
RUNS = 200_000
QUARANTINED = 3

# One workflow has almost every run, another its hundred oldest ones; failures are rare, nothing runs.
_FILL = """
    insert into waymark.instances (id, program, created_at, started_at, finished_at, state, inputs)
    select
        (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
        case when n <= 100 then %(rare)s::bigint else %(main)s::bigint end,
        now(), now(), now(), case when n <= %(quarantined)s then 7 when n %% 5000 = 0 then 5 else 4 end, ''
    from generate_series(1, %(runs)s) as n
"""


async def _fill(engine: Engine) -> ProgramId:
    rare = await transactions.store_program(engine.session, program_of("rare"))
    values = {"rare": rare, "main": engine.program, "quarantined": QUARANTINED, "runs": RUNS}
    await engine.session.connection.execute(_FILL, values)
    await engine.session.connection.execute("vacuum analyze waymark.instances")
    return rare


async def _plan(engine: Engine, query: Query[runs.RunLine] | Query[runs.StateCount]) -> str:
    async with psycopg.AsyncRawCursor(engine.session.connection) as cursor:
        await cursor.execute(
            b"explain (analyze, costs off, timing off) " + query.statement.sql("waymark"),
            arguments(query),
            prepare=False,
        )
        return "\n".join(line for (line,) in await cursor.fetchall())


def _rows_touched(plan: str) -> int:
    """What the nodes gave up to the one above, and what they threw away."""
    given = re.findall(r"actual rows=(\d+)", plan)
    thrown = re.findall(r"Rows Removed by [A-Za-z ]+: (\d+)", plan)
    return sum(int(count) for count in (*given, *thrown))


async def test_every_page_of_many_runs_comes_out_of_an_index(engine: Engine, pages: Pages) -> None:
    rare = await _fill(engine)
    for chosen in [None, *(one.states for one in FILTERS)]:
        plan = await _plan(engine, runs.page(states=chosen, room=51))
        assert "Seq Scan on instances" not in plan, plan
        assert _rows_touched(plan) < 1_000, plan
        plan = await _plan(engine, runs.page(states=chosen, programs=[engine.program], room=51))
        assert "Seq Scan on instances" not in plan, plan
    plan = await _plan(engine, runs.page(programs=[rare], room=51))
    assert "Seq Scan on instances" not in plan, plan
    plan = await _plan(engine, runs.counts(most=COUNTED + 1))
    assert "Seq Scan on instances" not in plan, plan
    answer = await pages.get("/?state=quarantined")
    assert answer.text.count('<a id="run-') == QUARANTINED
    for path in ("/", "/?state=completed", "/?workflow=rare", "/?state=running"):
        answer = await pages.get(path)
        assert answer.status_code == 200
    assert "10,000+" in answer.text
