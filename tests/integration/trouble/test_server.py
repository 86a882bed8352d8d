"""A server that is full, slow, read-only, away or that refuses in; pools that go on by themselves, each step once, out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.trouble import trouble_jobs as jobs
from tests.integration.trouble.conftest import Proxied, farm_on
from tests.integration.worker.conftest import Farm
from tests.support import shared_postgres
from tests.support.crowding import crowd
from tests.support.databases import migrate
from tests.support.full_disk import SmallDisk, small_disk, why_no_small_disk
from tests.support.processes import running, wait_until
from tests.support.shared_postgres import OPTIONS
from tests.support.upsets import DEADLOCK, SERIALIZATION_FAILURE, calm, slow_down, upset
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import settle
from waymark_worker.embedded import EmbeddedServer, find_binaries

pytestmark = pytest.mark.postgres

SETTLES = [each.sql("waymark").decode() for each in (settle.SETTLE, settle.SETTLE_NARROW)]
QUICK = {"WAYMARK_LOCK_TTL_MS": "4000"}
OUTAGES = pytest.mark.parametrize(
    "seconds", [5.0, pytest.param(60.0, marks=[pytest.mark.chaos, pytest.mark.timeout(400)])]
)
"""Longer than the lease of a `QUICK` pool lives, and as long as a failover or a restore takes."""


@pytest.fixture
def narrow_farm(tmp_path: Path) -> Iterator[Farm]:
    """Pools on a server that lets few in."""
    options = {**OPTIONS, "max_connections": "45"}
    binaries = find_binaries(shared_postgres.test_environment())
    with (
        tempfile.TemporaryDirectory(prefix="waymark-pg-") as home,
        EmbeddedServer(Path(home), options=options, binaries=binaries) as server,
    ):
        migrate(server.dsn)
        yield from farm_on(server.dsn, tmp_path)


@pytest.mark.slow
@OUTAGES
def test_connections_that_others_took_are_waited_for(narrow_farm: Farm, seconds: float) -> None:
    pools = narrow_farm.start_several(2, **QUICK)
    held = narrow_farm.leases()
    ids = narrow_farm.queue(jobs.Steps, *[(10, 0.1)] * 20)
    narrow_farm.wait_for_ledger("ended", 10)
    with crowd(narrow_farm.url) as taking:
        assert taking.fill() > 10
        assert taking.drive_out("waymark pool") >= 8
        # Some may have come back before the places were taken.
        wait_until(lambda: [taking.drive_out("waymark pool") for _ in range(2)] == [0, 0])
        for pool in pools:
            pool.wait_for_line(r"database\.unreachable.*role=heartbeat")
        # Longer than a lease lives: nobody may take a pool for dead meanwhile, itself included.
        _let_pass(seconds)
    assert narrow_farm.finished(ids, seconds=60) == [10] * 20
    narrow_farm.assert_held_throughout(held, *pools)
    assert len(narrow_farm.ledger("began")) == 200, "a step ran twice, or not at all"
    narrow_farm.assert_exactly_once()
    for pool in pools:
        narrow_farm.stop(pool)


@pytest.mark.slow
@OUTAGES
@pytest.mark.parametrize("how", ["read-only", "away"])
def test_a_server_that_takes_no_writes_for_longer_than_a_lease_lives(
    lone_farm: Farm, postgres_server: PostgresServer, how: str, seconds: float
) -> None:
    pools = lone_farm.start_several(2, **QUICK)
    held = lone_farm.leases()
    ids = lone_farm.queue(jobs.Steps, *[(10, 0.1)] * 20)
    lone_farm.wait_for_ledger("ended", 10)
    if how == "read-only":
        lone_farm.query("alter system set default_transaction_read_only = on")
        lone_farm.query("select pg_reload_conf()")
    else:
        postgres_server.stop()
    for pool in pools:
        pool.wait_for_line(r"database\.unreachable")
    _let_pass(seconds)
    assert all(pool.running for pool in pools)
    if how == "read-only":
        with_writes = (
            postgres_server.database_url + "&options=-cdefault_transaction_read_only%3Doff"
        )
        lone_farm.url = with_writes
        lone_farm.query("alter system reset default_transaction_read_only")
        lone_farm.query("select pg_reload_conf()")
    else:
        postgres_server.start()
    assert lone_farm.finished(ids, seconds=60) == [10] * 20
    lone_farm.assert_held_throughout(held, *pools)
    assert len(lone_farm.ledger("began")) == 200, "a step ran twice, or not at all"
    lone_farm.assert_exactly_once()
    for pool in pools:
        lone_farm.stop(pool)


def _let_pass(seconds: float) -> None:
    """Nothing tells how long an outage has lasted: only the clock does."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > until, seconds=seconds + 60)


@pytest.mark.slow
def test_failures_that_pass_are_tried_again(farm: Farm) -> None:
    pool = farm.start(WAYMARK_STATEMENT_TIMEOUT_MS="400")
    ids = farm.queue(jobs.Steps, *[(25, 0.0)] * 6)
    for table in ("journal", "instances", "commits", "leases"):
        for state in (SERIALIZATION_FAILURE, DEADLOCK):
            upset(farm.url, table, state=state, chance=0.15)
    slow_down(farm.url, "journal", seconds=1.0, chance=0.3)
    pool.wait_for_line("journal.retrying.*upset on purpose", seconds=60)
    pool.wait_for_line("canceling statement due to statement timeout", seconds=60)
    # All of it goes on until the end: they pass each time, they need not be over.
    assert farm.finished(ids, seconds=90) == [25] * 6
    calm(farm.url)
    farm.assert_exactly_once()
    assert farm.query("select count(*) from waymark.journal") == [(150,)]
    assert len(farm.ledger("began")) == 150
    farm.stop(pool)


def test_answers_of_commits_that_never_come_are_commits_all_the_same(proxied: Proxied) -> None:
    farm = proxied.farm
    pool = farm.start()
    proxied.proxy.lose_answers(SETTLES, times=15)
    ids = farm.queue(jobs.Steps, *[(20, 0.0)] * 4)
    assert farm.finished(ids, seconds=60) == [20] * 4
    assert proxied.proxy.lost >= 15
    farm.assert_exactly_once()
    assert farm.query("select count(*) from waymark.journal") == [(80,)]
    assert len(farm.ledger("began")) == 80
    farm.stop(pool)


@pytest.mark.slow
def test_connections_that_swallow_everything_are_given_up(proxied: Proxied) -> None:
    farm, proxy = proxied.farm, proxied.proxy
    pool = farm.start(WAYMARK_STATEMENT_TIMEOUT_MS="500", **QUICK)
    ids = farm.queue(jobs.Steps, *[(10, 0.1)] * 6)
    farm.wait_for_ledger("ended", 6)
    assert proxy.blackhole() >= 4
    pool.wait_for_line(r"heartbeat\.failed.*no answer within", seconds=60)
    # From here on new connections come through; the old ones, which nobody closes, stay silent for ever.
    proxy.heal()
    pool.wait_for_line(r"journal\.retrying|no answer within 5\.5 s", seconds=60)
    assert farm.finished(ids, seconds=90) == [10] * 6
    farm.assert_exactly_once()
    assert "runloop.died" not in pool.output
    farm.stop(pool)


@pytest.mark.slow
def test_one_row_that_the_server_refuses_takes_no_other_with_it(farm: Farm) -> None:
    # What queues up within the interval is one commit: the bad row has company in it.
    pool = farm.start(WAYMARK_PERSIST_INTERVAL_MS="150")
    bad, *good = farm.queue(jobs.Steps, *[(4, 0.05)] * 30)
    farm.query(
        f"alter table waymark.journal add constraint no_third_step"
        f" check (instance <> '{bad}' or position < 3) not valid"
    )
    assert farm.finished(good, seconds=60) == [4] * 29
    wait_until(lambda: farm.state(bad) is InstanceState.QUARANTINED, seconds=30)
    ((error,),) = farm.query("select error from waymark.instances where id = %s", bad)
    assert b"no_third_step" in error, "the reason is kept"
    assert farm.query("select max(position) from waymark.journal where instance = %s", bad) == [
        (2,)
    ]
    assert "journal.rejected" in pool.output
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    reason = why_no_small_disk()
    if reason:
        pytest.skip(reason)
    with small_disk(256) as made:
        yield made


@pytest.mark.slow
def test_a_full_disk_is_waited_for(disk: SmallDisk, tmp_path: Path) -> None:
    server = PostgresServer(
        EmbeddedServer(
            disk.folder / "server",
            options={**OPTIONS, "max_wal_size": "64MB", "min_wal_size": "32MB"},
            binaries=find_binaries(shared_postgres.test_environment()),
        )
    )
    server.start()
    try:
        migrate(server.database_url)
        for farm in farm_on(server.database_url, tmp_path):
            _through_a_full_disk(farm, server, disk)
    finally:
        server.stop()


def _through_a_full_disk(farm: Farm, server: PostgresServer, disk: SmallDisk) -> None:
    pool = farm.start(**QUICK)
    ids = farm.queue(jobs.Steps, *[(60, 0.05)] * 10)
    farm.wait_for_ledger("ended", 10)
    assert disk.fill() > 0
    pool.wait_for_line(r"No space left|database\.unreachable|server closed", seconds=60)
    assert pool.running
    disk.free()

    def over() -> bool:
        if not running(server.pid):
            # It could not write its log, and ended; an operator who made room starts it again.
            server.restart()
        try:
            return bool(
                farm.query("select count(*) = 0 from waymark.instances where state < 4")[0][0]
            )
        except psycopg.Error:
            return False

    wait_until(over, seconds=90)
    assert farm.finished(ids) == [60] * 10
    farm.assert_exactly_once()
    assert len(farm.ledger("began")) == 600, "a step ran twice, or not at all"
    farm.stop(pool)
