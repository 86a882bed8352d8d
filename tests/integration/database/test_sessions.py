"""Servers and settings in; sessions that keep their promises, or errors with the next step, out."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from tests.fixtures.postgres import PostgresServer
from tests.support.engine import settings_of
from waymark_schema.database import execute, pools, sessions
from waymark_schema.database.faults import Fault, classify
from waymark_schema.database.sessions import Purpose, ServerFacts
from waymark_schema.errors import (
    DatabaseMisconfigured,
    DatabaseRefused,
    DatabaseUnreachable,
    ServerTooOld,
)
from waymark_schema.reports import health

pytestmark = pytest.mark.postgres


async def _show(session: execute.Session, name: str) -> str:
    cursor = await session.connection.execute(f"show {name}".encode())
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])


async def test_an_owners_session_has_what_the_guards_rest_on(database_url: str) -> None:
    settings = settings_of(database_url, WAYMARK_STATEMENT_TIMEOUT_MS="12000")
    session = await sessions.open_session(settings, application="lease 7", purpose=Purpose.OWNER)
    async with session.connection:
        assert await _show(session, "transaction_isolation") == "read committed"
        assert await _show(session, "statement_timeout") == "12s"
        assert await _show(session, "application_name") == "lease 7"
        assert await _show(session, "plan_cache_mode") == "force_generic_plan"
        assert await _show(session, "jit") == "off"
        assert await _show(session, "synchronous_commit") == "on"
        assert session.connection.autocommit


async def test_settings_of_the_role_that_break_promises_are_overridden(
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        for setting in (
            "synchronous_commit = off",
            "default_transaction_isolation = 'serializable'",
        ):
            connection.execute(sql.SQL("alter database {} set " + setting).format(name))
    session = await sessions.open_session(settings_of(empty_database_url), application="x")
    async with session.connection:
        assert await _show(session, "synchronous_commit") == "on"
        assert await _show(session, "transaction_isolation") == "read committed"
    with pytest.raises(DatabaseMisconfigured, match="alter role"):
        await sessions.open_session(
            settings_of(empty_database_url), application="x", session_features=False
        )


async def test_a_session_behind_a_pooler_sets_and_prepares_nothing(database_url: str) -> None:
    session = await sessions.open_session(
        settings_of(database_url, WAYMARK_STATEMENT_TIMEOUT_MS="12000"),
        application="x",
        purpose=Purpose.OWNER,
        session_features=False,
    )
    async with session.connection:
        for _ in range(10):
            await execute.fetch_one(session, health.pulse())
        assert await _show(session, "statement_timeout") != "12s"
        assert await _show(session, "plan_cache_mode") == "auto"
        cursor = await session.connection.execute("select count(*) from pg_prepared_statements")
        assert await cursor.fetchone() == (0,)


async def test_wrong_passwords_names_and_roles_are_refused_at_once(database_url: str) -> None:
    elsewhere = database_url.replace(
        database_url.rpartition("/")[2].partition("?")[0], "no_such_database"
    )
    settings = settings_of(elsewhere, WAYMARK_DATABASE_WAIT_S="60")
    async with asyncio.timeout(10):
        with pytest.raises(DatabaseRefused, match="Check user, password, database name"):
            await pools.wait_for_database(settings, application="x")


async def test_a_server_that_is_away_is_waited_for_and_then_named() -> None:
    settings = settings_of("postgresql://app:hunter2@127.0.0.1:1/app", WAYMARK_DATABASE_WAIT_S="1")
    started = asyncio.get_running_loop().time()
    with pytest.raises(
        DatabaseUnreachable, match=r"cannot reach the database app on 127\.0\.0\.1:1"
    ) as caught:
        await pools.wait_for_database(settings, application="x")
    assert asyncio.get_running_loop().time() - started > 0.5
    assert "hunter2" not in str(caught.value)


async def test_a_server_that_comes_up_while_we_wait_is_used(
    postgres_server: PostgresServer,
) -> None:
    settings = settings_of(postgres_server.database_url)
    postgres_server.stop()
    async with asyncio.TaskGroup() as both:
        waiting = both.create_task(pools.wait_for_database(settings, application="x"))
        await asyncio.to_thread(postgres_server.start)
    assert waiting.exception() is None


async def test_listening_is_noticed_and_can_be_switched_off(database_url: str) -> None:
    assert await pools.has_session_features(settings_of(database_url), application="x")
    off = settings_of(database_url, WAYMARK_LISTEN="off")
    assert not await pools.has_session_features(off, application="x")
    on = settings_of("postgresql://nobody@127.0.0.1:1/x", WAYMARK_LISTEN="on")
    assert await pools.has_session_features(on, application="x")


async def test_a_pool_survives_the_end_of_all_its_sessions(database_url: str) -> None:
    settings = settings_of(database_url)
    async with pools.open_pool(settings, application="pooled", size=2) as pool:
        async with pool.session() as session:
            await execute.fetch_one(session, health.pulse())
        with psycopg.connect(database_url, autocommit=True) as killer:
            killer.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'pooled' and datname = current_database()"
            )
        async with pool.session() as session:
            assert (await execute.fetch_one(session, health.pulse())).standby is False


async def test_a_crash_of_the_server_is_a_lost_session_and_the_pool_goes_on(
    postgres_server: PostgresServer,
) -> None:
    settings = settings_of(postgres_server.database_url)
    async with pools.open_pool(settings, application="pooled", size=1) as pool:
        async with pool.session() as session:
            postgres_server.kill()
            with pytest.raises(psycopg.Error) as caught:
                await execute.fetch_one(session, health.pulse())
            assert classify(caught.value) is Fault.LOST
        await asyncio.to_thread(postgres_server.start)
        async with pool.session() as session:
            await execute.fetch_one(session, health.pulse())


async def test_an_exhausted_pool_says_what_to_raise(database_url: str) -> None:
    async with (
        pools.open_pool(
            settings_of(database_url), application="x", size=1, timeout=timedelta(seconds=0.2)
        ) as pool,
        pool.session(),
    ):
        with pytest.raises(DatabaseUnreachable, match="WAYMARK_DATABASE_POOL_SIZE"):
            async with pool.session():
                pass


async def test_a_statement_that_takes_too_long_is_ended_and_worth_another_try(
    database_url: str,
) -> None:
    settings = settings_of(database_url, WAYMARK_STATEMENT_TIMEOUT_MS="100")
    session = await sessions.open_session(settings, application="x")
    async with session.connection:
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            await session.connection.execute("select pg_sleep(30)")
        assert classify(caught.value) is Fault.TRANSIENT


def _facts(**changed: object) -> ServerFacts:
    facts: dict[str, object] = {
        "server_version": 160002,
        "isolation": "read committed",
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "in_recovery": False,
    }
    return ServerFacts(**(facts | changed))  # type: ignore[arg-type] # every value has its field's type


def test_a_server_before_14_is_refused_by_name() -> None:
    settings = settings_of("postgresql://h/app")
    with pytest.raises(ServerTooOld, match=r"is PostgreSQL 13\.11; expected 14 or newer"):
        sessions._check(_facts(server_version=130011), settings, {})
    sessions._check(_facts(server_version=140000), settings, {})


def test_settings_that_lose_commits_are_warned_of() -> None:
    assert sessions.durability_warnings(_facts()) == []
    assert len(sessions.durability_warnings(_facts(fsync="off", full_page_writes="off"))) == 2
