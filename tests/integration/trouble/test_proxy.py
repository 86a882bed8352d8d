"""A session through the proxy in; each fault of the proxy, as the driver and our sessions see it, out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.pg_proxy import PgProxy
from waymark_schema.database.execute import Session, fetch_one, hurried
from waymark_schema.database.faults import Fault, classify
from waymark_schema.database.pools import wait_for_database
from waymark_schema.database.sessions import BACKEND, FACTS, open_session
from waymark_schema.database.settings import DatabaseSettings, from_environment
from waymark_schema.errors import DatabaseUnreachable

pytestmark = pytest.mark.postgres


@pytest.fixture
def proxy(empty_database_url: str) -> Iterator[PgProxy]:
    with PgProxy(empty_database_url) as made:
        yield made


def _settings(proxy: PgProxy, **more: str) -> DatabaseSettings:
    return from_environment({"WAYMARK_DATABASE_URL": proxy.url, **more})


async def _session(proxy: PgProxy) -> Session:
    return await open_session(_settings(proxy), application="probe")


async def test_statements_are_counted_by_who_runs_them(proxy: PgProxy) -> None:
    session = await _session(proxy)
    before = proxy.statements("probe").total()
    for _ in range(10):
        await fetch_one(session, BACKEND.bind())
    found = proxy.statements("probe")
    assert found.total() - before == 10
    assert found[BACKEND.sql("waymark").decode()] == 10
    assert proxy.statements("somebody else").total() == 0
    assert proxy.connections("probe") == 1
    await session.connection.close()


async def test_only_the_answer_of_the_statement_that_was_named_is_lost(proxy: PgProxy) -> None:
    session = await _session(proxy)
    await session.connection.execute("create table kept (x integer)")
    insert = "insert into kept values (1)"
    proxy.lose_answers([insert], times=1)
    await fetch_one(session, BACKEND.bind())
    with pytest.raises(psycopg.OperationalError) as lost:
        await session.connection.execute(insert)
    await session.connection.close()
    assert classify(lost.value) is Fault.LOST
    assert proxy.lost == 1
    second = await _session(proxy)
    found = await (await second.connection.execute("select count(*) from kept")).fetchone()
    assert found == (1,), "the server had committed"
    await second.connection.execute(insert)
    await second.connection.close()


async def test_a_refused_statement_has_no_answer_that_could_be_lost(proxy: PgProxy) -> None:
    session = await _session(proxy)
    proxy.lose_answers(["select 1/0"], times=1)
    with pytest.raises(psycopg.errors.DivisionByZero):
        await session.connection.execute("select 1/0")
    assert proxy.lost == 0
    await fetch_one(session, BACKEND.bind())
    await session.connection.close()


async def test_a_reset_and_a_swallowed_statement_are_lost_connections(proxy: PgProxy) -> None:
    first = await _session(proxy)
    assert proxy.reset("probe") == 1
    with pytest.raises(psycopg.OperationalError) as broken:
        await fetch_one(first, BACKEND.bind())
    await first.connection.close()
    assert classify(broken.value) is Fault.LOST
    second = hurried(await _session(proxy), 0.2)
    assert proxy.blackhole() == 1
    with pytest.raises(psycopg.OperationalError, match=r"no answer within 0\.2 s") as silent:
        await fetch_one(second, BACKEND.bind())
    assert classify(silent.value) is Fault.LOST
    begun_at = time.monotonic()
    await second.connection.close()
    assert time.monotonic() - begun_at < 5, "a session that was given up closes without its server"


async def test_a_server_that_accepts_and_says_nothing_is_unreachable(proxy: PgProxy) -> None:
    proxy.blackhole()
    silent = from_environment({"WAYMARK_DATABASE_URL": f"{proxy.url}&connect_timeout=2"})
    with pytest.raises(DatabaseUnreachable):
        await open_session(silent, application="probe")
    proxy.heal()
    session = await _session(proxy)
    await session.connection.close()


async def test_what_is_frozen_goes_on_when_it_thaws(proxy: PgProxy) -> None:
    session = await _session(proxy)
    proxy.freeze()
    asking = asyncio.ensure_future(fetch_one(session, BACKEND.bind()))
    done, _ = await asyncio.wait([asking], timeout=0.2)
    assert not done
    proxy.thaw()
    assert (await asking).pid > 0
    proxy.delay(0.05)
    assert (await fetch_one(session, BACKEND.bind())).pid > 0
    await session.connection.close()


async def test_a_connection_that_breaks_before_its_first_answer_is_one_that_could_not_be_had(
    proxy: PgProxy,
) -> None:
    proxy.lose_answers([FACTS.sql("waymark").decode()], times=1)
    with pytest.raises(DatabaseUnreachable):
        await open_session(_settings(proxy), application="probe")
    proxy.lose_answers([FACTS.sql("waymark").decode()], times=2)
    await wait_for_database(_settings(proxy), application="probe")
    assert proxy.lost == 3
