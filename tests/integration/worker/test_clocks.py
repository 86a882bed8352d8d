"""Pools whose host has a wrong clock in; the database's time in everything that a run is told, out."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chaos.faults.clocks import HOUR, shifted
from tests.integration.worker import recorded_jobs
from tests.integration.worker.conftest import Farm
from waymark_worker.runloop import process

SITE = Path(__file__).parents[2] / "chaos" / "site"
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


@pytest.mark.parametrize(
    "shift",
    [HOUR, pytest.param(-HOUR, marks=pytest.mark.slow)],
    ids=["ahead", "behind"],
)
def test_a_run_that_waits_for_its_pool_is_told_the_databases_time(farm: Farm, shift: int) -> None:
    # It is claimed as soon as there is a lease, long before the runloop looks at its page again.
    farm.variables["WAYMARK_USER_MODULE"] = "tests.integration.worker.recorded_jobs"
    runs = farm.queue(recorded_jobs.TellsTheTime, *[()] * 5)
    patches = {
        "PYTHONPATH": str(SITE),
        "PYTEST_WAYMARK_PATCHES": "tests.integration.worker.test_clocks:look_seldom",
    }
    farm.start(**shifted(farm.folder, shift), **patches)
    results = farm.finished(runs)
    ((now,),) = farm.query("select clock_timestamp()")
    for told in results:
        assert max(abs(now - each) for each in told) < timedelta(minutes=30)
    ((earliest, latest),) = farm.query(
        "select min(queued_at) > clock_timestamp() - interval '30 minutes',"
        " max(queued_at) < clock_timestamp() from waymark.journal where queued_at is not null"
    )
    assert (earliest, latest) == (True, True)


def look_seldom() -> None:
    """In the processes of the pool: look at the page now and in five seconds."""
    process.TICK_SECONDS = 5.0
