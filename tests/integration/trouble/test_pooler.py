"""PgBouncer in transaction mode before the database in; pools, bridge and web that work all the same out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.bridge.greetings import Greeting
from tests.integration.trouble import trouble_jobs as jobs
from tests.integration.trouble.conftest import farm_on
from tests.integration.worker.conftest import READY, Farm
from tests.support.bridges import bridges_of_test, forget_settings
from tests.support.pgbouncer import behind_pgbouncer
from tests.support.processes import Processes
from tests.support.web import start_web
from waymark_schema.database.pools import has_session_features
from waymark_schema.database.settings import from_environment

pytestmark = pytest.mark.postgres

QUICK = {"WAYMARK_LOCK_TTL_MS": "4000"}


@pytest.fixture
def pooled_url(database_url: str) -> Iterator[str]:
    with behind_pgbouncer(database_url) as url:
        yield url


@pytest.fixture
def pooled(pooled_url: str, database_url: str, tmp_path: Path) -> Iterator[Farm]:
    """Pools behind the pooler; the test itself asks the server directly."""
    for farm in farm_on(database_url, tmp_path):
        farm.variables["WAYMARK_DATABASE_URL"] = pooled_url
        yield farm


async def test_a_pooler_is_seen_and_may_be_named(pooled_url: str, database_url: str) -> None:
    async def features(url: str, **more: str) -> bool:
        settings = from_environment({"WAYMARK_DATABASE_URL": url, **more})
        return await has_session_features(settings, application="probe")

    assert not await features(pooled_url)
    assert await features(database_url)
    assert not await features(database_url, WAYMARK_LISTEN="off")


def test_runs_of_every_kind_end_behind_a_pooler(pooled: Farm) -> None:
    pools = [pooled.start(), pooled.start()]
    ids = (
        pooled.queue(jobs.Steps, *[(10, 0.0)] * 20)
        + pooled.queue(jobs.Sleeps, *[(0.5,)] * 5)
        + pooled.queue(jobs.TroubledFan, (60,))
    )
    found = pooled.finished(ids, seconds=60)
    assert found[:20] == [10] * 20
    assert not [value for value in found if isinstance(value, BaseException)]
    pooled.assert_exactly_once()
    # One session of the pooler serves many clients: a setting or a lock of ours would stay in it.
    assert pooled.query(
        "select count(*) from pg_locks where locktype = 'advisory' and database ="
        " (select oid from pg_database where datname = current_database())"
    ) == [(0,)]
    for pool in pools:
        pooled.stop(pool)


@pytest.mark.slow
def test_a_pool_that_dies_behind_a_pooler_is_taken_over_when_its_lease_expires(
    pooled: Farm,
) -> None:
    dying = pooled.start(**QUICK)
    ids = pooled.queue(jobs.Steps, *[(6, 0.2)] * 6)
    pooled.wait_for_ledger("ended", 6)
    pooled.start(**QUICK)
    dying.kill_tree()
    assert pooled.finished(ids, seconds=60) == [6] * 6
    pooled.assert_exactly_once()


@pytest.mark.slow
def test_a_pool_behind_a_pooler_outlives_peers_that_are_not(
    pooled: Farm, database_url: str
) -> None:
    """It has no session lock to hold; those who look at locks must not take that for its death."""
    behind = pooled.start()
    direct = pooled.start(WAYMARK_DATABASE_URL=database_url)
    beats = "select min(beat) from waymark.leases where not fenced"
    ((before,),) = pooled.query(beats)
    ids = pooled.queue(jobs.Steps, *[(3, 2.0)] * 12)
    assert pooled.finished(ids, seconds=90) == [3] * 12
    pooled.wait_for(f"select ({beats}) >= %s", before + 2)
    assert pooled.query("select count(*), count(*) filter (where fenced) from waymark.leases") == [
        (2, 0)
    ]
    pooled.assert_exactly_once()
    for pool in (behind, direct):
        pooled.stop(pool)
        assert "fenced" not in pool.output


@pytest.mark.slow
def test_an_empty_database_is_migrated_through_a_pooler(
    empty_database_url: str, tmp_path: Path
) -> None:
    with behind_pgbouncer(empty_database_url) as url:
        for farm in farm_on(empty_database_url, tmp_path):
            farm.variables["WAYMARK_DATABASE_URL"] = url
            farm.start()
            (run,) = farm.queue(jobs.Steps, (3, 0.0))
            assert farm.finished([run]) == [3]


@pytest.mark.slow
@pytest.mark.waymark_real
async def test_a_bridge_behind_a_pooler_starts_and_awaits_runs(
    pooled: Farm, pooled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bridges_of_test() as bridges:
        monkeypatch.setenv("WAYMARK_DATABASE_URL", pooled_url)
        monkeypatch.setenv("WAYMARK_RUNTIME_DIR", str(bridges.home))
        forget_settings()
        pool = pooled.launch(WAYMARK_USER_MODULE="tests.integration.bridge.greetings")
        await asyncio.to_thread(pool.wait_for_line, READY, seconds=90)
        found = await asyncio.gather(*(Greeting().run(f"number {n}") for n in range(20)))
        assert found == [f"hello number {n}" for n in range(20)]


@pytest.mark.slow
def test_the_web_shows_runs_behind_a_pooler(
    pooled: Farm, pooled_url: str, processes: Processes
) -> None:
    pooled.start()
    (run,) = pooled.queue(jobs.Steps, (3, 0.0))
    assert pooled.finished([run]) == [3]
    web = start_web(processes, pooled_url)
    for path in ("/", f"/runs/{run}", "/workers", "/healthz"):
        for _ in range(4):
            assert web.get(path).status_code == 200, path
    assert str(run) in web.get("/").text


@pytest.mark.slow
def test_a_restart_of_the_server_behind_the_pooler_is_sat_out(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with behind_pgbouncer(postgres_server.database_url) as url:
        for farm in farm_on(postgres_server.database_url, tmp_path):
            farm.variables["WAYMARK_DATABASE_URL"] = url
            pool = farm.start()
            ids = farm.queue(jobs.Steps, *[(6, 0.1)] * 6)
            farm.wait_for_ledger("ended", 6)
            postgres_server.kill()
            postgres_server.start()
            assert farm.finished(ids, seconds=60) == [6] * 6
            farm.assert_exactly_once()
            assert pool.running
