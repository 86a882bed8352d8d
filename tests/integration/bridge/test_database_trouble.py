"""Databases that are away, wrong, empty or silent in; patience or a clear message out."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.bridge.greetings import Counting
from tests.support.bridges import Bridges, finish, forget_settings, rows
from waymark_schema.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnreachable,
    SchemaMissing,
    SchemaTooNew,
)


def _set(monkeypatch: pytest.MonkeyPatch, bridges: Bridges, url: str, **variables: str) -> None:
    monkeypatch.setenv("WAYMARK_DATABASE_URL", url)
    monkeypatch.setenv("WAYMARK_RUNTIME_DIR", str(bridges.home))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    forget_settings()


async def test_starts_and_waits_sit_out_a_restart_of_the_server(
    home: Bridges, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.database_url
    _set(monkeypatch, home, url)
    awaited = await Counting.start(0)
    waiting = asyncio.ensure_future(awaited.result(timeout=90))
    await asyncio.wait([waiting], timeout=0.2)
    bridge = home.pid
    await asyncio.to_thread(postgres_server.stop)
    starting = [asyncio.ensure_future(Counting.start(number)) for number in range(1, 21)]
    await asyncio.wait(starting, timeout=0.5)
    assert not [each for each in starting if each.done()]
    await asyncio.to_thread(postgres_server.start)
    started = await asyncio.gather(*starting)
    assert len({run.id for run in started}) == 20
    await asyncio.to_thread(finish, postgres_server.database_url, [awaited.id], result=6)
    assert await waiting == 6
    assert home.pid == bridge
    assert len(rows(postgres_server.database_url)) == 21


async def test_starts_through_a_crash_of_the_server_are_queued_once_each(
    home: Bridges, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, home, postgres_server.database_url)
    await Counting.start(0)
    starting = asyncio.gather(*(Counting.start(number) for number in range(300)))
    await asyncio.to_thread(postgres_server.kill)
    await asyncio.to_thread(postgres_server.start)
    assert len({run.id for run in await starting}) == 300
    assert len(rows(postgres_server.database_url)) == 301


async def test_sessions_that_are_ended_are_opened_again(
    bridges: Bridges, database_url: str
) -> None:
    run = await Counting.start(0)
    waiting = asyncio.ensure_future(run.result(timeout=60))
    await asyncio.wait([waiting], timeout=0.2)
    ended = rows(
        database_url,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()",
    )
    assert ended[0][0] >= 3
    second = await Counting.start(1)
    await asyncio.to_thread(finish, database_url, [run.id, second.id], result=2, notify=False)
    assert await waiting == 2
    assert await second.result(timeout=20) == 2


@pytest.mark.parametrize("listen", ["on", "off"])
async def test_results_come_with_and_without_listening(
    bridges: Bridges, database_url: str, monkeypatch: pytest.MonkeyPatch, listen: str
) -> None:
    _set(monkeypatch, bridges, database_url, WAYMARK_LISTEN=listen)
    run = await Counting.start(0)
    waiting = asyncio.ensure_future(run.result(timeout=20))
    await asyncio.wait([waiting], timeout=0.3)
    listening = rows(
        database_url,
        "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'",
    )
    assert listening == [(1 if listen == "on" else 0,)]
    await asyncio.to_thread(finish, database_url, [run.id], result=2, notify=listen == "on")
    assert await waiting == 2


async def test_an_empty_database_gets_its_schema(
    home: Bridges, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, home, empty_database_url)
    runs = await asyncio.gather(*(Counting.start(number) for number in range(10)))
    assert len(rows(empty_database_url)) == len(runs)


async def test_a_schema_that_may_not_be_made_is_asked_for(
    home: Bridges, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, home, empty_database_url, WAYMARK_AUTO_MIGRATE="false")
    with pytest.raises(SchemaMissing, match="waymark migrate up"):
        await Counting.start(1)
    home.wait_until_gone()


async def test_a_schema_of_a_newer_waymark_is_refused(bridges: Bridges, database_url: str) -> None:
    rows(
        database_url,
        "insert into waymark.migrations (name, sha256, minimum_code)"
        " values ('9999_contract_future', '\\x00', 999) returning 1",
    )
    with pytest.raises(SchemaTooNew, match="needs Waymark code 999"):
        await Counting.start(1)


async def test_a_server_that_is_not_there_is_told_after_the_time_allowed(
    home: Bridges, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://app:sesame@127.0.0.1:1/app"
    _set(monkeypatch, home, url, WAYMARK_DATABASE_WAIT_S="1")
    with pytest.raises(DatabaseUnreachable, match="cannot reach the database app on 127") as raised:
        await Counting.start(1)
    assert "sesame" not in str(raised.value)
    with pytest.raises(DatabaseUnreachable):
        await Counting.start(2)


async def test_a_database_that_does_not_exist_is_told_at_once_and_can_be_put_right(
    home: Bridges, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = urlunsplit(urlsplit(database_url)._replace(path="/no_such_database"))
    _set(monkeypatch, home, wrong)
    with pytest.raises(DatabaseRefused, match="no_such_database"):
        await Counting.start(1)
    _set(monkeypatch, home, database_url)
    await Counting.start(1)


async def test_tables_that_are_gone_are_told_and_nobody_boots_for_ever(
    bridges: Bridges, database_url: str
) -> None:
    await Counting.start(1)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("alter table waymark.instances rename to gone")
    with pytest.raises(DatabaseError, match="does not exist"):
        await Counting.start(2)
    assert "Traceback" not in bridges.log


async def test_a_role_without_the_right_password_asks_again_with_the_right_one(
    home: Bridges, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bridge is the same one for both passwords: the one that was refused must not stay in the way.
    role = "locked_out"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"create role {role} nologin".encode())
        try:
            url = database_url.replace("waymark@", f"{role}@", 1)
            _set(monkeypatch, home, url)
            with pytest.raises(DatabaseRefused, match="is not permitted to log in"):
                await Counting.start(1)
            connection.execute(f"alter role {role} login superuser".encode())
            await Counting.start(1)
        finally:
            home.kill()
            connection.execute(
                f"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'".encode()
            )
            connection.execute(f"drop role {role}".encode())
