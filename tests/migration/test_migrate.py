"""Databases in every condition in; an up-to-date schema, or an error that says what to run, out."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.support.engine import settings_of
from waymark_schema import migrate
from waymark_schema.database.sessions import open_session, open_session_sync
from waymark_schema.errors import (
    MigrationBlocked,
    MigrationFailed,
    PermissionMissing,
    SchemaHistoryEdited,
    SchemaMissing,
    SchemaTooNew,
)

pytestmark = pytest.mark.postgres
NAMES = [step.name for step in migrate.steps()]


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _shape(url: str, schema: str) -> list[tuple[object, ...]]:
    """Columns, constraints and indexes of a schema."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            """
            select 'column', table_name::text, column_name::text, data_type::text, is_nullable::text,
                column_default::text
            from information_schema.columns where table_schema = %(schema)s
            union all
            select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(c.oid), '', ''
            from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname = %(schema)s
            union all
            select 'index', tablename, indexname, indexdef, '', ''
            from pg_indexes where schemaname = %(schema)s
            order by 1, 2, 3
            """,
            {"schema": schema},
        ).fetchall()


def test_an_empty_database_becomes_usable_and_a_second_run_changes_nothing(
    empty_database_url: str,
) -> None:
    settings = settings_of(empty_database_url)
    assert migrate.migrate_up(settings) == NAMES
    assert migrate.migrate_up(settings) == []
    assert [(line.name, line.state) for line in migrate.status(settings)] == [
        (name, "applied") for name in NAMES
    ]


def test_many_migrators_at_once_on_an_empty_database_all_succeed(empty_database_url: str) -> None:
    settings = settings_of(empty_database_url)
    gate = threading.Barrier(6)

    def start() -> list[str]:
        gate.wait()
        return migrate.migrate_up(settings)

    with ThreadPoolExecutor(6) as threads:
        results = [future.result() for future in [threads.submit(start) for _ in range(6)]]
    assert sorted(name for applied in results for name in applied) == NAMES


def test_two_products_share_one_database(empty_database_url: str) -> None:
    for schema in ("one", "two"):
        assert migrate.migrate_up(settings_of(empty_database_url, WAYMARK_SCHEMA=schema)) == NAMES
    with psycopg.connect(empty_database_url) as connection:
        public = connection.execute(
            "select count(*) from pg_tables where schemaname = 'public'"
        ).fetchone()
    assert public == (0,)


def test_the_dump_makes_the_same_schema_as_the_migrations(empty_database_url: str) -> None:
    migrate.migrate_up(settings_of(empty_database_url, WAYMARK_SCHEMA="migrated"))
    _run(empty_database_url, migrate.dump("dumped"))
    migrated, dumped = (_shape(empty_database_url, schema) for schema in ("migrated", "dumped"))
    assert [[str(part).replace("migrated", "dumped") for part in row] for row in migrated] == [
        [str(part) for part in row] for row in dumped
    ]
    assert migrate.migrate_up(settings_of(empty_database_url, WAYMARK_SCHEMA="dumped")) == []


def test_an_edited_step_is_refused(database_url: str) -> None:
    _run(database_url, "update waymark.migrations set sha256 = '\\x00'")
    settings = settings_of(database_url)
    assert {line.state for line in migrate.status(settings)} == {"edited"}
    with pytest.raises(SchemaHistoryEdited, match="was applied with another text"):
        migrate.migrate_up(settings)


async def test_a_newer_schema_is_fine_until_it_asks_for_newer_code(database_url: str) -> None:
    settings = settings_of(database_url)
    newer = "insert into waymark.migrations (name, sha256, minimum_code) values ('9999_expand_x', '', {})"
    _run(database_url, newer.format(migrate.CODE))
    session = await open_session(settings, application="test")
    async with session.connection:
        await migrate.check_schema(session)
        assert migrate.migrate_up(settings) == []
        assert migrate.status(settings)[-1].state == "unknown"
        _run(
            database_url,
            f"update waymark.migrations set minimum_code = {migrate.CODE + 1} where name like '9999%'",
        )
        with pytest.raises(
            SchemaTooNew, match=rf"needs Waymark code {migrate.CODE + 1} or newer"
        ) as caught:
            await migrate.check_schema(session)
        assert (caught.value.minimum_code, caught.value.code) == (migrate.CODE + 1, migrate.CODE)
    with pytest.raises(SchemaTooNew):
        migrate.migrate_up(settings)


async def test_a_missing_schema_names_the_command(empty_database_url: str) -> None:
    session = await open_session(settings_of(empty_database_url), application="test")
    async with session.connection:
        with pytest.raises(SchemaMissing, match="waymark migrate up") as caught:
            await migrate.check_schema(session)
    assert list(caught.value.pending) == NAMES
    blocking = open_session_sync(settings_of(empty_database_url), application="test")
    with blocking.connection, pytest.raises(SchemaMissing, match="does not exist yet"):
        migrate.check_schema_sync(blocking)


@pytest.fixture
def weak_url(empty_database_url: str) -> Iterator[str]:
    """The address of the same database for a role that may do nothing."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        info = connection.info
        name = "weak_" + info.dbname[-16:]
        role = sql.Identifier(name)
        connection.execute(sql.SQL("create role {} login password 'weak'").format(role))
        host = quote(info.host, safe="")
        yield f"postgresql://{name}:weak@/{info.dbname}?host={host}&port={info.port}"
        connection.execute(sql.SQL("drop owned by {} cascade").format(role))
        connection.execute(sql.SQL("drop role {}").format(role))


def test_a_role_that_may_not_create_is_told_the_grant_and_then_needs_nothing_else(
    empty_database_url: str, weak_url: str
) -> None:
    settings = settings_of(weak_url)
    with pytest.raises(PermissionMissing) as caught:
        migrate.migrate_up(settings)
    grant = next(
        line for line in str(caught.value).splitlines() if "grant create on database" in line
    )
    _run(empty_database_url, grant.removeprefix("Run as its owner: "))
    assert migrate.migrate_up(settings) == NAMES


def test_a_schema_of_somebody_else_is_told_apart_from_a_missing_one(
    empty_database_url: str, weak_url: str
) -> None:
    migrate.migrate_up(settings_of(empty_database_url))
    settings = settings_of(weak_url)
    session = open_session_sync(settings, application="test")
    with (
        session.connection,
        pytest.raises(PermissionMissing, match="grant usage, create on schema"),
    ):
        migrate.check_schema_sync(session)


def _with_step(
    monkeypatch: pytest.MonkeyPatch, text: str, *, name: str = "9000_expand_test", code: int = 1
) -> None:
    extra = migrate.Step(name, code, b"digest", text)
    known = (*migrate.steps(), extra)
    monkeypatch.setattr(migrate, "steps", lambda: known)


def test_a_step_that_fails_keeps_nothing_of_itself(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_step(monkeypatch, "create table {schema}.half (x integer); select 1 / 0;")
    with pytest.raises(MigrationFailed, match="division by zero"):
        migrate.migrate_up(settings_of(database_url))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select to_regclass('waymark.half')").fetchone() == (None,)


async def test_a_step_that_older_code_does_not_bear_waits_for_the_end_of_the_deploy(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, older = settings_of(database_url), migrate.CODE
    monkeypatch.setattr(migrate, "CODE", older + 1)
    late = "9000_contract_test"
    _with_step(monkeypatch, "drop table {schema}.audit;", name=late, code=older + 1)
    _with_step(monkeypatch, "create table {schema}.kept (x integer);", name="9001_expand_test")
    # What a pool, a bridge or `waymark migrate up` of the newer release does while older ones still run.
    assert migrate.migrate_up(settings) == ["9001_expand_test"]
    assert [line.state for line in migrate.status(settings)[-2:]] == ["after", "applied"]
    session = await open_session(settings, application="test")
    async with session.connection:
        await migrate.check_schema(session)
        monkeypatch.setattr(migrate, "CODE", older)
        await migrate.check_schema(session)
        monkeypatch.setattr(migrate, "CODE", older + 1)
        assert migrate.contract(settings) == [late]
        await migrate.check_schema(session)
        monkeypatch.setattr(migrate, "CODE", older)
        with pytest.raises(SchemaTooNew, match="upgrade this installation"):
            await migrate.check_schema(session)


def test_a_new_database_gets_every_step_at_once(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_step(monkeypatch, "drop table {schema}.audit;", name="9000_contract_test")
    settings = settings_of(empty_database_url)
    assert migrate.migrate_up(settings) == [*NAMES, "9000_contract_test"]
    assert migrate.contract(settings) == []


def test_a_table_in_use_is_waited_for_a_while_and_then_reported(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_step(monkeypatch, "alter table {schema}.instances add column x integer;")
    monkeypatch.setattr(migrate, "_TABLE_WAIT", "50ms")
    settings = settings_of(database_url)
    with psycopg.connect(database_url) as user:
        user.execute("select count(*) from waymark.instances")
        with pytest.raises(MigrationBlocked, match="pg_stat_activity"):
            migrate.migrate_up(settings)
    assert migrate.migrate_up(settings) == ["9000_expand_test"]


def test_every_step_is_named_for_its_side_of_the_deploy() -> None:
    folder = Path(migrate.__file__).parent / "migrations"
    files = sorted(path.stem for path in folder.iterdir())
    assert files == NAMES
    numbers = [int(name[:4]) for name in NAMES]
    assert numbers == list(range(1, len(NAMES) + 1))
