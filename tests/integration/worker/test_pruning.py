"""Pools with old runs in; what their pruners leave, alone, together and killed in the middle, out."""

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm

pytestmark = pytest.mark.postgres

PRUNING = {
    "WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS": "1",
    "WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS": "200",
}
ORPHANS = """
select count(*) from waymark.journal as j
where not exists (select from waymark.instances as i where i.id = j.instance)
"""


def test_the_pruner_deletes_what_is_older_than_its_retention(farm: Farm) -> None:
    farm.start(**PRUNING, WAYMARK_GARBAGE_COLLECTOR_BATCH_SIZE="3")
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


@pytest.mark.slow
def test_pruners_that_are_killed_leave_no_halves_and_others_go_on(farm: Farm) -> None:
    killed = [farm.start(**PRUNING, WAYMARK_GARBAGE_COLLECTOR_BATCH_SIZE="2") for _ in range(2)]
    (young, old) = farm.queue(jobs.Chain, (2,), (3,))
    assert farm.finished([young, old]) == [2, 3]
    farm.multiply(old, 6_000)
    farm.query(
        "update waymark.instances set finished_at = finished_at - interval '2 hours' where id <> %s",
        young,
    )
    farm.wait_for("select count(*) < 5900 from waymark.instances")
    for pool in killed:
        pool.kill_tree()
    assert farm.query(ORPHANS) == [(0,)]
    assert farm.query("select count(*) > 1 from waymark.instances") == [(True,)], "in the middle"
    assert farm.query(
        "select count(distinct n) from (select count(*) as n from waymark.journal"
        " where instance <> %s group by instance) as lengths",
        young,
    ) == [(1,)]
    farm.start(**PRUNING)
    farm.wait_for("select count(*) = 1 from waymark.instances")
    assert farm.query("select distinct instance from waymark.journal") == [(young,)]
