"""Leases that end under a pool that lives in; what it drops, and how it goes on under another one, out."""

from __future__ import annotations

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.databases import migrate

pytestmark = pytest.mark.postgres

SLOTS = 3
WIDTH = 6


@pytest.mark.slow
def test_a_pool_whose_server_lost_a_commit_goes_on_under_another_lease(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    ((lease, commit),) = farm.query(
        "delete from waymark.commits where (lease, seq) in"
        " (select lease, seq from waymark.commits order by lease desc, seq desc limit 1)"
        " returning lease, seq"
    )
    flag.touch()
    assert farm.finished([run]) == [str(flag)]
    assert "runloop.died" not in pool.output
    said = pool.wait_for_line(r"lease\.lost").string
    assert f"lease {lease} had commit {commit} confirmed" in said
    assert farm.query("select max(id) > %s from waymark.leases", lease) == [(True,)]
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.mark.slow
def test_a_pool_whose_tables_were_made_anew_is_written_down_again(farm: Farm) -> None:
    """It must not go on as nobody, nor as the pool that has its number now."""
    pool = farm.start(WAYMARK_RUNNER_PROFILE_INTERVAL_MS="100")
    farm.query("drop schema waymark cascade")
    migrate(farm.url)
    farm.query(
        "insert into waymark.pools (pid, host, version, python, program_format, program_semantics)"
        " values (1, 'another', '', '', 1, 1)"
    )
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
    farm.wait_for("select count(*) = 1 from waymark.pools where pid <> 1 and programs <> '{}'")
    assert farm.query(
        "select p.pid from waymark.leases join waymark.pools as p on p.id = pool"
    ) == [(pool.pid,)]
    farm.stop(pool)
    assert farm.query("select pid from waymark.pools where stopped_at is null") == [(1,)]


@pytest.mark.slow
def test_what_waited_under_a_lost_lease_never_begins_and_what_ran_gives_its_slots_back(
    farm: Farm,
) -> None:
    """A commit finds the lease fenced; the next heartbeat, which would hold everything back, is far."""
    farm.variables.update(
        WAYMARK_WORKER_COUNT="1",
        WAYMARK_CONCURRENT_PER_WORKER=str(SLOTS),
        WAYMARK_RUNNER_PROFILE_INTERVAL_MS="100",
    )
    pool = farm.start()
    flag = farm.folder / "go"
    (tried,) = farm.queue(jobs.Retried, (2, 3.0))
    farm.wait_for_ledger("flaky")
    waiting = farm.queue(jobs.Waiter, *[(str(flag),)] * SLOTS)
    farm.wait_for_ledger("waits", SLOTS)
    (fan,) = farm.queue(jobs.Fan, (WIDTH,))
    (sleeping,) = farm.queue(jobs.SleepsFirst, (1.5,))
    farm.wait_for("select count(*) = 1 from waymark.journal where instance = %s", sleeping)
    farm.wait_for(f"select coalesce(max(calls_queued), 0) >= {WIDTH} from waymark.pool_samples")
    farm.query("update waymark.leases set fenced = true")
    pool.wait_for_line(r"lease\.lost")
    farm.wait_for_ledger("waits", 2 * SLOTS, seconds=30)
    flag.touch()
    results = farm.finished([tried, *waiting, fan, sleeping])
    assert results == [2, *[str(flag)] * SLOTS, sum(range(1, WIDTH + 1)), 2]
    begun = [tuple(line[:3]) for word in ("add", "flaky") for line in farm.ledger(word)]
    assert len(begun) == len(set(begun)), "an attempt of the old lease began beside that of the new"
    farm.assert_exactly_once()
    farm.stop(pool)
