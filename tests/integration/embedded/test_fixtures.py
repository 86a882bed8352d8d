"""The database fixtures, held against what they promise."""

from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.fixtures.postgres import PostgresServer
from tests.support.databases import Server
from tests.support.processes import Child, Processes

pytestmark = pytest.mark.postgres
_REPOSITORY = Path(__file__).resolve().parents[3]


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select table_schema from information_schema.tables"
            " where table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
    return {row[0] for row in rows}


def test_an_empty_database_has_no_tables(empty_database_url: str) -> None:
    assert _tables(empty_database_url) == set()


def test_a_database_has_the_migrated_schema(database_url: str) -> None:
    assert _tables(database_url) == {"waymark"}


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_writes_no_other_test_sees(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("create table trace as select %s::int as turn", [turn])
        assert connection.execute("select turn from trace").fetchall() == [(turn,)]


def test_commits_are_synchronous(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.execute("show synchronous_commit").fetchone() == ("on",)


async def test_an_async_test_uses_the_same_fixture(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        answer = await connection.execute("select 1")
        assert await answer.fetchone() == (1,)


def test_a_database_is_gone_after_its_block_even_with_sessions_on_it(test_server: Server) -> None:
    with test_server.database() as url:
        name = url.partition("?")[0].rpartition("/")[2]
        session = psycopg.connect(url)
        assert test_server.exists(name)
    assert not test_server.exists(name)
    with pytest.raises(psycopg.OperationalError):
        session.execute("select 1")
    session.close()


def test_a_restarted_server_keeps_its_address_and_what_was_committed(
    postgres_server: PostgresServer,
) -> None:
    before, pid = postgres_server.database_url, postgres_server.pid
    with psycopg.connect(before) as connection:
        connection.execute("create table kept as select 1 as one")
    postgres_server.restart()
    assert postgres_server.database_url == before
    assert postgres_server.pid != pid
    with psycopg.connect(before) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_a_killed_server_recovers_what_was_committed(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.database_url) as connection:
        connection.execute("create table kept as select 1 as one")
    postgres_server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_server.database_url)
    postgres_server.start()
    with psycopg.connect(postgres_server.database_url) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


_INNER = """
import signal


def test_waits(empty_database_url, test_server):
    print("ready", empty_database_url, flush=True)
    signal.pause()


def test_says(empty_database_url):
    print("url", empty_database_url, flush=True)
"""


def _inner_run(processes: Processes, tmp_path: Path, *arguments: str) -> Child:
    (tmp_path / "test_inner.py").write_text(_INNER)
    return processes.start_python(
        *("-m", "pytest", "-s", "-q", "-p", "tests.fixtures.postgres", "-p", "no:cacheprovider"),
        *("-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path), *arguments),
        environment={"PYTHONPATH": str(_REPOSITORY), "WAYMARK_TEST_DATABASE_URL": ""},
    )


def test_a_test_run_that_is_killed_leaves_no_server(processes: Processes, tmp_path: Path) -> None:
    run = _inner_run(processes, tmp_path, "-k", "waits")
    home = run.wait_for_line(r"ready .*host=(\S+)%2Fshared%2Fsocket")[1].replace("%2F", "/")
    assert Path(home).is_dir()
    run.kill()
    processes.assert_none_left()
    assert not Path(home).exists()


@pytest.mark.slow
def test_workers_of_a_run_share_a_server_that_ends_with_the_run(
    processes: Processes, tmp_path: Path
) -> None:
    run = _inner_run(processes, tmp_path, "-k", "says", "-n", "2")
    assert run.wait(seconds=60) == 0, run.output
    processes.assert_none_left()


def test_a_real_server_gets_its_databases_back_clean(
    processes: Processes, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    real = Server(postgres_server.database_url)
    (tmp_path / "test_real.py").write_text(
        "def test_it(database_url):\n    print('url', database_url)\n"
    )
    run = processes.start_python(
        *("-m", "pytest", "-s", "-q", "-p", "tests.fixtures.postgres", "-p", "no:cacheprovider"),
        *("-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)),
        environment={"PYTHONPATH": str(_REPOSITORY), "WAYMARK_TEST_DATABASE_URL": real.url},
    )
    assert run.wait(seconds=60) == 0, run.output
    assert f"host={quote(str(postgres_server.embedded.directory), safe='')}" in run.output
    with psycopg.connect(real.url) as connection:
        names = connection.execute("select datname from pg_database order by 1").fetchall()
    assert [name for (name,) in names] == ["postgres", "template0", "template1", "waymark"]
