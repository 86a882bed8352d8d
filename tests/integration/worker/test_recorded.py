"""Recorded values survive the pools that recorded them, and hostile runs harm only themselves."""

from __future__ import annotations

import pytest

from tests.integration.worker import recorded_jobs as jobs
from tests.integration.worker.conftest import Farm
from waymark_schema.kinds import InstanceState

pytestmark = pytest.mark.postgres


@pytest.fixture
def pools(farm: Farm) -> Farm:
    farm.variables["WAYMARK_USER_MODULE"] = "tests.integration.worker.recorded_jobs"
    return farm


@pytest.mark.slow
def test_values_that_a_call_was_given_are_the_same_after_the_pool_was_killed(pools: Farm) -> None:
    pool = pools.start()
    flag = pools.folder / "go"
    runs = pools.queue(jobs.Chancy, *[(str(flag),)] * 3)
    pools.wait_for_ledger("first", 3)
    pool.kill_tree()
    pool = pools.start()
    pools.wait_for_ledger("first", 6)
    flag.touch()
    pools.wait_for_ledger("second", 3)
    pool.kill_tree()
    pool = pools.start()
    pools.wait_for_ledger("second", 6)
    pool.kill_tree()
    (pools.folder / "go-2").touch()
    pools.start()
    results = pools.finished(runs)
    assert [result[:2] for result in results] == [[True, True]] * 3
    for what in ("first", "second"):
        for run in runs:
            seen = {line[1] for line in pools.ledger(what) if line[0] == str(run)}
            assert len(seen) == 1, f"{what} was called with other values after a recovery"
    keys = {result[2] for result in results}
    assert len(keys) == 3, "each run has chance of its own"
    pools.assert_exactly_once()


@pytest.mark.slow
def test_hostile_runs_fail_by_themselves_and_their_neighbour_goes_on(pools: Farm) -> None:
    # A smaller budget than the default one, so that a busy machine is not taken for a stuck runloop.
    pool = pools.start(WAYMARK_MAX_SNAPSHOT_BYTES="16777216", WAYMARK_STEP_BUDGET="2000000")
    lease = pools.runloop(pool)
    (innocent,) = pools.queue(jobs.Innocent, (60,))
    pools.wait_for_ledger("innocent", 3)
    hows = ("loop", "memory", "number", "text", "lazy", "deep", "bomb", "grows")
    hostile = pools.queue(jobs.Hostile, *[(how,) for how in hows])
    assert pools.finished([innocent], seconds=120) == [sum(range(60))]
    told = dict(zip(hows, map(str, pools.finished(hostile, seconds=120)), strict=True))
    for how in ("loop", "memory", "lazy", "bomb"):
        assert "2000000 units allow (WAYMARK_STEP_BUDGET)" in told[how], told
    assert "an integer may have at most" in told["number"]
    assert "WAYMARK_MAX_VALUE_BYTES" in told["text"]
    assert "maximum recursion depth" in told["deep"]
    assert "WAYMARK_MAX_SNAPSHOT_BYTES" in told["grows"]
    assert {pools.state(run) for run in hostile} == {InstanceState.FAILED}
    assert pools.runloop(pool) == lease, "the runloop was replaced"
    pools.assert_exactly_once()
