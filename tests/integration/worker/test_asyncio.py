"""Timeouts, task groups, locks and queues on real pools: what they cancel is cancelled, what they wait for survives."""

from __future__ import annotations

import pytest

from tests.integration.worker import asyncio_jobs as jobs
from tests.integration.worker.conftest import Farm
from waymark_schema.kinds import InstanceState

pytestmark = pytest.mark.postgres


@pytest.fixture
def pools(farm: Farm) -> Farm:
    farm.variables["WAYMARK_USER_MODULE"] = "tests.integration.worker.asyncio_jobs"
    return farm


@pytest.mark.slow
def test_wait_for_gives_up_on_an_action_that_hangs_and_lets_go_of_it(pools: Farm) -> None:
    pools.start()
    (run,) = pools.queue(jobs.WaitsForTheHanging, (0.5,))
    assert pools.finished([run]) == [["CancelledError", "after", "in time"]]
    pools.wait_for_ledger("let-go")
    assert len(pools.ledger("hangs")) == 1
    pools.assert_exactly_once()


def test_a_timeout_survives_the_pool_that_started_it(pools: Farm) -> None:
    pool = pools.start()
    (run,) = pools.queue(jobs.WaitsForTheHanging, (3.0,))
    pools.wait_for_ledger("hangs")
    pool.kill_tree()
    pools.start()
    assert pools.finished([run]) == [["CancelledError", "after", "in time"]]
    pools.assert_exactly_once()


def test_a_timeout_ends_a_durable_sleep_and_a_sleep_within_it_does_not_trip_it(pools: Farm) -> None:
    pools.start()
    late, fine = pools.queue(jobs.SleepsTooLong, (0.5, 600.0), (600.0, 0.5))
    [first, second] = pools.finished([late, fine])
    assert first[:2] == ["timeout", True]
    assert second[:2] == ["slept", False]
    assert 0.4 < first[2] < 30
    assert 0.4 < second[2] < 30
    pools.assert_exactly_once()


@pytest.mark.slow
def test_a_failing_task_cancels_its_siblings_actions(pools: Farm) -> None:
    pools.start()
    flag = pools.folder / "fail"
    (run,) = pools.queue(jobs.Group, (str(flag),))
    pools.wait_for_ledger("hangs")
    pools.wait_for_ledger("waits")
    flag.touch()
    assert pools.finished([run]) == [["cancelled", ["the flag appeared"], "after"]]
    pools.wait_for_ledger("let-go")
    assert [line[1] for line in pools.ledger("said")] == ["cancelled", "after"]
    pools.assert_exactly_once()


@pytest.mark.slow
def test_a_group_goes_on_where_a_killed_pool_left_it(pools: Farm) -> None:
    pool = pools.start()
    flag = pools.folder / "go"
    (run,) = pools.queue(jobs.Crowd, (str(flag), 6))
    pools.wait_for_ledger("waits", 6)
    assert pools.state(run) in {InstanceState.RUNNING, InstanceState.WAITING}
    pool.kill_tree()
    second = pools.start()
    pools.wait_for_ledger("waits", 12)
    second.kill_tree()
    flag.touch()
    pools.start()
    assert pools.finished([run]) == [
        [list(range(6)), [2 * n for n in range(6)], False],
    ]
    begun = [line[1] for line in pools.ledger("said") if line[1].startswith("begins")]
    assert sorted(begun) == [f"begins-{n}" for n in range(6)], "a committed step ran again"
    pools.assert_exactly_once()


@pytest.mark.slow
def test_workers_of_a_queue_share_its_items(pools: Farm) -> None:
    pools.start()
    runs = pools.queue(jobs.TaskPipeline, (12,), (1,))
    items = [sorted(f"item-{n}" for n in range(count)) for count in (12, 1)]
    assert pools.finished(runs) == [[each, ["CancelledError"] * 3] for each in items]
    pools.assert_exactly_once()
