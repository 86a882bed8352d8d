"""Runs that sleep long in; out of memory, out of a dead pool, and awake when they are due, out."""

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_until
from waymark_schema.kinds import InstanceState

pytestmark = pytest.mark.postgres

PARK_AT_ONCE = {"WAYMARK_EVICT_SLEEP_THRESHOLD_MS": "200"}


def test_a_sleeper_is_parked_and_wakes_in_time(farm: Farm) -> None:
    farm.start(**PARK_AT_ONCE)
    (run,) = farm.queue(jobs.Sleeper, (1.5,))
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    assert farm.query("select count(*) from waymark.snapshots where instance = %s", run) == [(1,)]
    assert farm.query("select owner from waymark.instances where id = %s", run) == [(None,)]
    assert farm.finished([run]) == [3]
    ((slept,),) = farm.query(
        "select max(started_at) - min(finished_at) > interval '1.45 s' from waymark.journal"
        " where call is not null and kind = 1"
    )
    assert slept
    assert len(farm.ledger("add")) == 2
    assert farm.query("select count(*) from waymark.snapshots") == [(0,)], "forgotten with the end"
    farm.assert_exactly_once()


def test_a_sleeper_wakes_though_every_pool_was_dead_meanwhile(farm: Farm) -> None:
    pool = farm.start(**PARK_AT_ONCE)
    (run,) = farm.queue(jobs.Sleeper, (1.0,))
    (first,) = farm.queue(jobs.SleepsFirst, (1.0,))
    wait_until(lambda: {farm.state(run), farm.state(first)} == {InstanceState.WAITING})
    pool.kill_tree()
    farm.wait_for("select bool_and(wake_at < clock_timestamp()) from waymark.instances")
    farm.start()
    assert farm.finished([run, first]) == [3, 2]
    assert len(farm.ledger("add")) == 3


def test_more_sleepers_than_memory_slots(farm: Farm) -> None:
    farm.start(WAYMARK_MAX_CONCURRENT_INSTANCES="10")
    ids = farm.queue(jobs.Sleeper, *[(3.0,)] * 60)
    farm.wait_for_ledger("add", 60, seconds=20)
    assert farm.finished(ids) == [3] * 60
    farm.assert_exactly_once()


def test_a_sleep_of_ages_is_parked_like_any_other(farm: Farm) -> None:
    pool = farm.start(**PARK_AT_ONCE)
    (run,) = farm.queue(jobs.SleepsForever, ())
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    assert farm.finished(farm.queue(jobs.Chain, (2,))) == [2]
    farm.stop(pool)


def test_the_pruner_deletes_what_is_older_than_its_retention(farm: Farm) -> None:
    farm.start(
        WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS="1",
        WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS="200",
        WAYMARK_GARBAGE_COLLECTOR_BATCH_SIZE="3",
    )
    old = farm.queue(jobs.Chain, *[(2,)] * 10)
    young = farm.queue(jobs.Chain, (2,))
    assert farm.finished(old + young) == [2] * 11
    farm.query(
        "update waymark.instances set finished_at = finished_at - interval '61 minutes'"
        " where id = any(%s)",
        old,
    )
    farm.wait_for("select count(*) = 1 from waymark.instances")
    assert farm.query("select id from waymark.instances") == [(young[0],)]
    assert farm.query("select distinct instance from waymark.journal") == [(young[0],)]


def test_two_pools_share_the_work(farm: Farm) -> None:
    farm.start()
    farm.start()
    ids = farm.queue(jobs.Slow, *[(4, 0.2)] * 80)
    assert farm.finished(ids, seconds=60) == [4] * 80
    owners = farm.query("select count(distinct worker) from waymark.journal")
    assert owners[0][0] >= 2
    assert len({line[3] for line in farm.ledger("slow")}) == 4, "workers of both pools took part"
    farm.assert_exactly_once()
