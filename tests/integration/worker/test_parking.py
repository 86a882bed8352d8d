"""Runs that sleep long in; out of memory, out of a dead pool, and awake when they are due, out."""

from itertools import pairwise

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_until
from waymark.coercion import codec
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_more_sleepers_than_memory_slots(farm: Farm) -> None:
    farm.start(WAYMARK_MAX_CONCURRENT_INSTANCES="10")
    ids = farm.queue(jobs.Sleeper, *[(3.0,)] * 60)
    farm.wait_for_ledger("add", 60, seconds=20)
    assert farm.finished(ids) == [3] * 60
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_sleep_of_ages_is_parked_like_any_other(farm: Farm) -> None:
    pool = farm.start(**PARK_AT_ONCE)
    (run,) = farm.queue(jobs.SleepsForever, ())
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    assert farm.finished(farm.queue(jobs.Chain, (2,))) == [2]
    farm.stop(pool)


@pytest.mark.slow
def test_a_long_backoff_is_parked_and_tried_again_in_time(farm: Farm) -> None:
    farm.start(**PARK_AT_ONCE)
    (run,) = farm.queue(jobs.Retried, (3, 1.0))
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    farm.wait_for_ledger("flaky", 2)
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    assert farm.finished([run]) == [3]
    tries = farm.ledger("flaky")
    assert [line[2] for line in tries] == ["1", "2", "3"]
    for earlier, later in pairwise(float(line[-1]) for line in tries):
        assert later - earlier > 0.9, "no try before its time"
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_run_that_waits_for_ever_takes_no_memory(farm: Farm) -> None:
    farm.start(WAYMARK_MAX_CONCURRENT_INSTANCES="2")
    stuck = farm.queue(jobs.WaitsForEver, *[()] * 5)
    farm.wait_for("select count(*) = 5 from waymark.instances where state = 3 and wake_at is null")
    assert farm.finished(farm.queue(jobs.Chain, (2,))) == [2]
    assert {farm.state(run) for run in stuck} == {InstanceState.WAITING}


@pytest.mark.slow
def test_those_that_wait_make_room_for_those_that_could_run(farm: Farm) -> None:
    # The threshold alone would keep them in memory for a day.
    farm.start(WAYMARK_MAX_CONCURRENT_INSTANCES="4", WAYMARK_EVICT_SLEEP_THRESHOLD_MS="86400000")
    sleepers = farm.queue(jobs.Sleeper, *[(3_600.0,)] * 20)
    tried = farm.queue(jobs.Retried, *[(9, 3_600.0)] * 20)
    farm.wait_for_ledger("add", 20)
    farm.wait_for_ledger("flaky", 20)
    assert farm.finished(farm.queue(jobs.Chain, *[(3,)] * 10)) == [3] * 10
    states = {farm.state(run) for run in sleepers + tried}
    assert states <= {InstanceState.WAITING, InstanceState.RUNNING}
    farm.wait_for("select count(*) <= 4 from waymark.instances where state = 2")
    farm.assert_exactly_once()


@pytest.mark.slow
def test_many_that_are_due_in_the_same_moment_wake_while_others_go_on(farm: Farm) -> None:
    _wakes_at_once(farm, copies=1_500, sleep=5.0)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_that_are_due_in_the_same_moment(farm: Farm) -> None:
    _wakes_at_once(farm, copies=100_000, sleep=60.0)


def _wakes_at_once(farm: Farm, *, copies: int, sleep: float) -> None:
    farm.start(**PARK_AT_ONCE)
    farm.start(**PARK_AT_ONCE)
    (run,) = farm.queue(jobs.Sleeper, (sleep,))
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    farm.multiply(run, copies)
    assert farm.query("select bool_and(wake_at > clock_timestamp()) from waymark.instances") == [
        (True,)
    ], "copied in time"
    farm.wait_for(
        "select count(*) > 0 from waymark.instances where wake_at is null", seconds=sleep + 20
    )
    assert farm.finished(farm.queue(jobs.Mixture, (7,))) == [jobs.mixture(7)]
    others = farm.query(
        "select count(*) filter (where finished_at is null) from waymark.instances"
    )[0][0]
    farm.wait_for(
        "select count(*) = 0 from waymark.instances where finished_at is null", seconds=300
    )
    assert farm.query(
        "select state, result, count(*) from waymark.instances where program ="
        " (select program from waymark.instances where id = %s) group by 1, 2",
        run,
    ) == [(4, codec().encode(3), copies + 1)]
    assert copies < 10_000 or others > 0, "the neighbour did not wait for all of them"
    farm.assert_exactly_once()


@pytest.mark.slow
def test_two_pools_share_the_work(farm: Farm) -> None:
    farm.start()
    farm.start()
    ids = farm.queue(jobs.Slow, *[(4, 0.2)] * 80)
    assert farm.finished(ids, seconds=60) == [4] * 80
    owners = farm.query("select count(distinct worker) from waymark.journal")
    assert owners[0][0] >= 2
    assert len({line[3] for line in farm.ledger("slow")}) == 4, "workers of both pools took part"
    farm.assert_exactly_once()
