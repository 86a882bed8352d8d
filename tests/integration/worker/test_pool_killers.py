"""Actions that kill -9 their whole pool in; the few pools that this costs, who is to blame and who is not, out."""

from uuid import UUID

import pytest

from tests.integration.worker import both_jobs, jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import Child, wait_until
from waymark_schema.kinds import InstanceState, JournalKind

pytestmark = pytest.mark.postgres

FRESH = {"WAYMARK_WORKER_COUNT": "2", "WAYMARK_CONCURRENT_PER_WORKER": "4"}
LEFT = {"WAYMARK_USER_MODULE": "tests.integration.worker.left_jobs"}
DEADLY = {**FRESH, "WAYMARK_USER_MODULE": "tests.integration.worker.deadly_jobs"}


def _restart_until_finished(
    farm: Farm, pools: list[Child], ids: list[UUID], *, most: int, **variables: str
) -> int:
    """Start a pool for every one that ends, as a service manager does; how many ended."""
    ended = 0

    def finished() -> bool:
        found = farm.query(
            "select count(*) from waymark.instances where id = any(%s) and state < 4", ids
        )
        return found == [(0,)]

    while True:
        wait_until(
            lambda: finished() or not all(pool.running for pool in pools),
            seconds=100,
            what="a run finished, or a pool ended",
        )
        if finished():
            return ended
        for index, pool in enumerate(pools):
            if not pool.running:
                ended += 1
                assert ended <= most, "pool after pool ends"
                pools[index] = farm.launch(**variables)


@pytest.mark.slow
def test_an_action_that_kills_its_pool_fails_and_the_others_finish(farm: Farm) -> None:
    given = {**FRESH, "WAYMARK_CRASH_LIMIT": "1"}
    pools = [farm.start(**given)]
    # They come to rest between two of their calls: what runs alone waits for that.
    innocent = farm.queue(jobs.Slow, (6, 0.3), (6, 0.3))
    farm.wait_for_ledger("slow", 2)
    (guilty,) = farm.queue(jobs.KillsPools, ())
    assert _restart_until_finished(farm, pools, [guilty], most=2, **given) == 2
    assert farm.finished([guilty]) == ["WorkerCrashed"]
    assert len(farm.ledger("kills")) == 2
    assert farm.finished(innocent) == [6] * 2
    assert pools[0].running
    farm.assert_exactly_once()
    # Every attempt was the user's first, and the record of the one that ran alone is there for people.
    assert {line[2] for line in farm.ledger("kills")} == {"1"}
    told = farm.query(
        "select kind from waymark.journal where instance = %s order by position", guilty
    )
    assert [kind for (kind,) in told] == [JournalKind.LOST, JournalKind.OUTCOME]
    assert farm.query("select max(recoveries) from waymark.instances") == [(0,)]


@pytest.mark.slow
def test_a_commit_forgets_the_owners_that_were_lost(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    pool.kill_tree()
    pool = farm.start()
    farm.wait_for_ledger("waits", 2)
    assert farm.query("select recoveries from waymark.instances") == [(1,)]
    flag.touch()
    farm.wait_for("select recoveries = 0 from waymark.instances")
    assert farm.finished([run]) == [str(flag)]
    farm.stop(pool)


@pytest.mark.slow
def test_a_harmless_call_that_lost_its_pools_runs_alone_and_then_beside_others(
    farm: Farm,
) -> None:
    pool = farm.start(WAYMARK_CRASH_LIMIT="1", WAYMARK_EXECUTOR_SHARDS="2")
    flag, other = farm.folder / "go", farm.folder / "other"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    pool.kill_tree()
    pool = farm.start(WAYMARK_CRASH_LIMIT="1", WAYMARK_EXECUTOR_SHARDS="2")
    pool.wait_for_line(r"call\.alone")
    farm.wait_for_ledger("waits", 2)
    (neighbour,) = farm.queue(jobs.Waiter, (str(other),))
    pool.wait_for_line(r"call\.harmless")
    assert not farm.ledger("told")
    farm.wait_for_ledger("waits", 3)
    assert {line[-1] for line in farm.ledger("waits")} == {str(flag), str(other)}
    assert farm.query("select recoveries from waymark.instances where id = %s", run) == [(0,)]
    for each in (flag, other):
        each.touch()
    assert farm.finished([run, neighbour]) == [str(flag), str(other)]
    assert farm.state(run) is InstanceState.COMPLETED
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_two_pools_survive_killers_at_the_default_limit(farm: Farm) -> None:
    """The figure of the report: pools that three killing runs cost."""
    pools = [farm.start(**FRESH), farm.start(**FRESH)]
    flag = farm.folder / "go"
    innocent = farm.queue(jobs.Waiter, *[(str(flag),)] * 4)
    farm.wait_for_ledger("waits", 4)
    guilty = farm.queue(jobs.KillsPools, (), (), ())
    ended = _restart_until_finished(farm, pools, guilty, most=12, **FRESH)
    assert farm.finished(guilty) == ["WorkerCrashed"] * 3
    flag.touch()
    assert farm.finished(innocent, seconds=120) == [str(flag)] * 4
    farm.assert_exactly_once()
    print(  # noqa: T201 - a figure of the report
        f"3 killing runs cost {ended} pools; {len(farm.ledger('kills'))} attempts killed"
    )


@pytest.mark.slow
def test_a_call_that_ends_the_workers_of_another_pool_fails_and_its_neighbours_do_not(
    farm: Farm,
) -> None:
    farm.start(**LEFT)
    other = farm.start(**DEADLY)
    (run,) = farm.queue(both_jobs.EndsWorkers, (7,))
    assert farm.finished([run]) == [1]
    # Two beside whatever ran there, two alone.
    assert len(farm.ledger("ends")) == 4
    assert other.running
    farm.assert_exactly_once()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_call_that_ends_another_pool_fails_and_its_neighbours_do_not(farm: Farm) -> None:
    farm.start(**LEFT)
    pools = [farm.start(**DEADLY)]
    (run,) = farm.queue(both_jobs.EndsPools, (7,))
    # Twice in company and twice alone; once more for each pool that a busy machine did not let come to rest in time.
    ended = _restart_until_finished(farm, pools, [run], most=6, **DEADLY)
    assert ended >= 4
    assert farm.finished([run]) == [1]
    assert len(farm.ledger("ends")) == ended
    farm.assert_exactly_once()
