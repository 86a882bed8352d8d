"""A process that dies right before or after a write of the engine in; every run completed, each step settled once, out."""

from __future__ import annotations

import pytest

from tests.integration.trouble import trouble_jobs as jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import Child, wait_until
from tests.support.statements import every_statement

pytestmark = pytest.mark.postgres

# Who writes it, and so what dies: a runloop, which its supervisor starts again, or the supervisor and with
# it the pool, which another pool takes over from.
RUNLOOP = (
    "settle.settle", "settle.settle_narrow", "settle.trim_commits", "instances.claim",
    "offers.able", "offers.want", "offers.offer", "offers.take", "offers.take_foreign", "offers.finish",
    "offers.take_back", "offers.withdraw", "offers.give_back", "offers.drop_taken", "offers.adopt",
    "offers.mark_alone",
)  # fmt: skip
SUPERVISOR = (
    "leases.register", "leases.heartbeat", "leases.mark_fenced", "leases.leave", "leases.remove",
    "instances.wake_due", "instances.wake_addressed", "instances.release", "offers.release",
    "offers.sweep", "pools.register", "pools.report", "pools.sample", "pools.retire", "pools.stop",
    "pools.prune_pools", "pools.prune_samples", "programs.prune", "pruning.prune_instances",
    "inbox.sweep",
)  # fmt: skip
AT_START = ("programs.register",)
# Written by a bridge (its own tests kill it), by migrations, or by nobody yet.
NOT_OF_POOLS = (
    "instances.enqueue", "migrate.record", "in_flight.sweep", "inbox.send", "instances.wake_parked",
)  # fmt: skip

VARIABLES = {
    "WAYMARK_LOCK_TTL_MS": "4000",
    "WAYMARK_EVICT_SLEEP_THRESHOLD_MS": "100",
    "WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS": "500",
    "WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "500",
    "WAYMARK_CONCURRENT_PER_WORKER": "3",
    "WAYMARK_WORKER_COUNT": "1",
}
ALWAYS = (
    "settle.settle", "settle.settle_narrow", "instances.claim", "leases.heartbeat",
    "leases.register", "instances.wake_due", "pools.report",
)  # fmt: skip
"""What any load of ours comes past, so that the death itself must be seen."""


def _names() -> set[str]:
    words = ("insert into", "update {schema}", "delete from")
    return {
        each.name.replace(".sql:", ".")
        for each in every_statement()
        if any(word in each.text for word in words)
    }


def test_every_write_is_in_one_of_the_lists() -> None:
    listed = {*RUNLOOP, *SUPERVISOR, *AT_START, *NOT_OF_POOLS}
    assert _names() == listed, "put a new one where its death is tested"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", [*RUNLOOP, *SUPERVISOR, *AT_START])
@pytest.mark.slow
def test_a_death_beside_this_write_loses_nothing(farm: Farm, name: str, moment: str) -> None:
    _dies_and_goes_on(farm, [name], moment)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", ["settle.settle*", "instances.claim"])
def test_a_death_beside_a_central_write_loses_nothing(farm: Farm, name: str, moment: str) -> None:
    _dies_and_goes_on(farm, [name], moment)


def _dies_and_goes_on(farm: Farm, names: list[str], moment: str) -> None:
    flag = farm.folder / "died"
    rules = "; ".join(f"{name}:{moment}=exit nth=2 once={flag}" for name in names)
    if names[0] in (*AT_START, "leases.register", "pools.register", "instances.claim"):
        rules = rules.replace(" nth=2", "")
    farm.variables.update(VARIABLES)
    pools = [farm.launch(WAYMARK_FAILPOINT=rules), farm.launch()]
    ids = (
        farm.queue(jobs.TroubledFan, (40,))
        + farm.queue(jobs.Steps, *[(12, 0.0)] * 6)
        + farm.queue(jobs.Sleeps, *[(1.0,)] * 4)
    )
    found = farm.finished(ids, seconds=90)
    assert found == [sum(range(1, 41)), *[12] * 6, *[3] * 4]
    farm.assert_exactly_once()
    if names[0] in ALWAYS:
        # Some are written now and then, whether anything runs or not.
        wait_until(flag.exists, seconds=30)
    _end(farm, pools, died=flag.exists())


def _end(farm: Farm, pools: list[Child], *, died: bool) -> None:
    """A pool that lost its supervisor is gone; whoever is left ends in order and leaves nothing owned."""
    alive = [pool for pool in pools if pool.running]
    assert alive
    assert died or len(alive) == len(pools)
    for pool in alive:
        pool.terminate(seconds=60)
    wait_until(
        lambda: (
            farm.query("select count(*) from waymark.instances where owner is not null") == [(0,)]
        ),
        seconds=20,
    )
