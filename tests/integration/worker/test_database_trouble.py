"""A database that restarts, hangs up and goes in; pools that go on by themselves, each step once, out."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import Child, descendants, hang_up

pytestmark = pytest.mark.postgres

_HANG_UP = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where application_name like 'waymark pool%' and datname = current_database()"
)
_HANG_UP_ON_COMMITS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where application_name like 'waymark pool%' and state = 'active'"
    " and query like '%insert into%journal%' and datname = current_database()"
)


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_pools_outlive_the_servers_restart_and_take_nobody_for_dead(
    lone_farm: Farm, postgres_server: PostgresServer, how: str
) -> None:
    pools = lone_farm.start_several(2)
    held = lone_farm.leases()
    ids = lone_farm.queue(jobs.Slow, *[(8, 0.1)] * 30) + lone_farm.queue(jobs.Sleeper, (3.0,))
    lone_farm.wait_for_ledger("slept", 20)
    if how == "restart":
        postgres_server.stop()
    else:
        postgres_server.kill()
    assert all(pool.running for pool in pools)
    postgres_server.start()
    assert lone_farm.finished(ids, seconds=40) == [8] * 30 + [3]
    lone_farm.assert_held_throughout(held, *pools)
    assert len(lone_farm.ledger("slow")) == 30 * 8, "a step ran twice, or not at all"
    lone_farm.assert_exactly_once()
    for pool in pools:
        lone_farm.stop(pool)


@pytest.mark.slow
def test_every_session_may_be_ended_under_load(farm: Farm) -> None:
    pool = farm.start()
    ids = farm.queue(jobs.Slow, *[(40, 0.1)] * 10)
    for _ in range(5):
        farm.wait_for("select count(*) >= %s from waymark.journal", _entries(farm) + 10)
        assert farm.query(_HANG_UP)[0][0] > 0
    assert farm.finished(ids, seconds=40) == [40] * 10
    assert len(farm.ledger("slow")) == 400
    farm.assert_exactly_once()
    assert "runloop.died" not in pool.output
    # The heartbeat's session came back before anybody could take its lease for dead.
    assert farm.query("select count(*) from waymark.leases where not fenced") == [(1,)]
    farm.stop(pool)


@pytest.mark.slow
def test_commits_whose_answer_is_lost_are_written_once(farm: Farm) -> None:
    farm.start()
    # Slow enough that a commit in flight is always met; what it had written is then rolled back.
    farm.query(
        "create function waymark.dawdle() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(0.02); return null; end $$"
    )
    farm.query(
        "create trigger dawdle after insert on waymark.journal for each statement"
        " execute function waymark.dawdle()"
    )
    ids = farm.queue(jobs.Chain, *[(60,)] * 4)
    assert _hang_up_on_commits(farm, until="(select count(*) >= 100 from waymark.journal)") >= 3
    farm.query("drop trigger dawdle on waymark.journal")
    # Fast: some are met before they commit, some after, and the pool cannot tell which.
    _hang_up_on_commits(farm, until="(select bool_and(state >= 4) from waymark.instances)")
    assert farm.finished(ids, seconds=60) == [60] * 4
    farm.assert_exactly_once()
    assert farm.query("select count(*) from waymark.journal") == [(240,)]


def _hang_up_on_commits(farm: Farm, *, until: str) -> int:
    """End every session that is seen committing, a few dozen at most; how many there were."""
    ended = 0
    with psycopg.connect(farm.url, autocommit=True) as connection:
        while ended < 40:
            ended += len(connection.execute(_HANG_UP_ON_COMMITS.encode()).fetchall())
            row = connection.execute(f"select {until}".encode()).fetchone()
            if row is not None and row[0]:
                break
    return ended


@pytest.mark.slow
def test_a_claim_whose_answer_is_lost_is_found_again(farm: Farm) -> None:
    pool = farm.start()
    # A run that the pool's lease holds without its runloop knowing: as if an answer had been lost.
    (run,) = farm.queue(jobs.SleepsFirst, (0.0,))
    assert farm.finished([run]) == [2]
    farm.query(
        "create function waymark.stall() returns trigger language plpgsql as"
        " $$ begin if new.state = 2 and old.state = 0 then perform pg_sleep(0.4); end if;"
        " return new; end $$"
    )
    farm.query(
        "create trigger stall before update on waymark.instances for each row"
        " execute function waymark.stall()"
    )
    ids = farm.queue(jobs.Chain, (3,), (4,))
    farm.wait_for(
        "select count(*) > 0 from pg_stat_activity where state = 'active'"
        " and query like '%asked as materialized%' and application_name like 'waymark pool%'"
        " and wait_event = 'PgSleep' and datname = current_database()"
    )
    farm.query(_HANG_UP)
    farm.query("drop trigger stall on waymark.instances")
    assert farm.finished(ids) == [3, 4]
    assert pool.running


def _stall(table: str, column: str) -> str:
    """Make statements that set an owner wait, until the test gives its lock back, after they did their work."""
    return (
        "create function waymark.stall() returns trigger language plpgsql as"
        f" $$ begin if new.{column} is not null and old.{column} is null then"
        " perform pg_advisory_xact_lock_shared(4242); end if; return null; end $$;"
        f"create trigger stall after update on waymark.{table} for each row"
        " execute function waymark.stall()"
    )


_STALLED = (
    "from pg_stat_activity where wait_event_type = 'Lock' and wait_event = 'advisory'"
    " and application_name like 'waymark pool%' and datname = current_database()"
)


@contextmanager
def _lost_claim(farm: Farm, pool: Child) -> Iterator[tuple[list[UUID], int]]:
    """Two runs and the backend that is claiming them, behind a connection that is lost; it ends with the block."""
    farm.query(_stall("instances", "owner"))
    with psycopg.connect(farm.url, autocommit=True) as gate:
        gate.execute("select pg_advisory_lock(4242)")
        ids = farm.queue(jobs.Chain, (3,), (4,))
        farm.wait_for(f"select count(*) > 0 {_STALLED}")
        ((ghost,),) = farm.query(f"select pid {_STALLED}")
        assert hang_up(farm.runloop(pool), on=".s.PGSQL") > 0
        yield ids, ghost


@pytest.mark.slow
def test_a_claim_that_goes_on_behind_a_lost_connection_leaves_no_run_behind(farm: Farm) -> None:
    """Its backend commits when nobody reads the answer any more: the next claim waits for its end."""
    pool = farm.start()
    with _lost_claim(farm, pool) as (ids, ghost):
        farm.wait_for(f"select count(*) > 0 {_STALLED} and pid <> {ghost}")
    assert farm.finished(ids) == [3, 4]
    assert pool.running
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_claim_that_is_committed_late_behind_a_pooler_leaves_no_run_behind(farm: Farm) -> None:
    """Nobody can tell when its backend has ended: what it took is found whenever it is committed."""
    pool = farm.start(WAYMARK_LISTEN="off")
    with _lost_claim(farm, pool) as (ids, ghost):
        pool.wait_for_line(r"claim\.failed")
        # The first look came before this claim, which found the runs locked.
        farm.wait_for(
            f"select count(*) > 0 from pg_stat_activity where pid <> {ghost} and state = 'idle'"
            " and application_name like 'waymark pool%' and query like '%heirs%asked%'"
        )
        assert farm.query("select count(*) from waymark.instances where owner is null") == [(2,)]
    pool.wait_for_line(r"claim\.found")
    assert farm.finished(ids, seconds=30) == [3, 4]
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_permission_that_comes_back_lets_everything_go_on(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    farm.query("alter table waymark.journal rename to journal_away")
    flag.touch()
    pool.wait_for_line(r"journal\.retrying")
    farm.query("alter table waymark.journal_away rename to journal")
    assert farm.finished([run]) == [str(flag)]
    assert len(farm.ledger("waits")) == 1
    farm.assert_exactly_once()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["gone", "frozen"])
def test_a_pool_ends_in_time_without_its_database(
    lone_farm: Farm, postgres_server: PostgresServer, how: str
) -> None:
    pool = lone_farm.start(WAYMARK_SHUTDOWN_GRACE_MS="1000")
    lone_farm.queue(jobs.Slow, *[(1, 60.0)] * 4)
    lone_farm.queue(jobs.Slow, *[(1000, 0.05)] * 4)
    lone_farm.wait_for_ledger("slow", 12)
    frozen = [postgres_server.pid, *descendants(postgres_server.pid)] if how == "frozen" else []
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    if not frozen:
        postgres_server.stop()
    try:
        begun_at = time.monotonic()
        assert pool.terminate() == 0, pool.output
        # The grace, what may be handed back, sessions that do not close, and a busy machine.
        assert time.monotonic() - begun_at < 1 + 12
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert "runs.not_handed_back" in pool.output
    lone_farm.processes.assert_none_left()


def _entries(farm: Farm) -> int:
    return int(farm.query("select count(*) from waymark.journal")[0][0])
