"""Programs that a pool cannot or must not run in; queued and reported, or refused, and others unharmed, out."""

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_until
from waymark_schema.kinds import InstanceState

pytestmark = pytest.mark.postgres

OFTEN = {"WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "100"}
_DAMAGE = "update waymark.programs set program = overlay(program placing %s from 40) where workflow like %s"


def test_pools_start_on_an_empty_database_together(bare_farm: Farm) -> None:
    first, second = bare_farm.start(ready=False), bare_farm.start(ready=False)
    first.wait_for_line(r"pool\.ready")
    second.wait_for_line(r"pool\.ready")
    assert bare_farm.finished(bare_farm.queue(jobs.Chain, (3,))) == [3]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("format", 99, "it is of format 99"),
        ("actions", ["elsewhere:ship", "elsewhere:bill"], "'elsewhere:ship' nor 1 more"),
    ],
)
def test_a_program_that_no_pool_knows_stays_queued_and_is_reported(
    farm: Farm, column: str, value: object, reason: str
) -> None:
    (run,) = farm.queue(jobs.Chain, (3,))
    farm.query(f"update waymark.programs set {column} = %s", value)
    pool = farm.start(**OFTEN, WAYMARK_USER_MODULE="tests.integration.worker.other_jobs")
    line = pool.wait_for_line(r"runs\.waiting.*").string
    assert reason in line
    assert "Chain" in line
    assert farm.state(run) is InstanceState.QUEUED
    assert pool.output.count("runs.waiting") == 1


def test_a_hostile_program_is_refused_and_others_go_on(farm: Farm) -> None:
    victims = farm.queue(jobs.Slow, (1, 0.0))
    farm.query(_DAMAGE, b"\\xc1\\xff\\xff\\xff", "%Slow")
    pool = farm.start()
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
    wait_until(lambda: farm.state(victims[0]) is InstanceState.QUARANTINED)
    (error,) = farm.finished(victims)
    assert "its program cannot be linked" in str(error)
    assert pool.running


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("update waymark.journal set outcome = '\\xc1' where position = 1", "outcome"),
        ("update waymark.journal set local = '\\xc1' where position = 1", ""),
        ("delete from waymark.journal where position = 1", "one is missing"),
        ("update waymark.journal set call = 7 where position = 1", "has not started"),
        ("update waymark.journal set action = 9 where position = 1", "action number 9"),
        ("update waymark.journal set kind = 6 where position = 1", "kind EVENT"),
    ],
    ids=["outcome", "local", "gap", "call", "action", "kind"],
)
def test_a_damaged_journal_quarantines_its_run_alone(
    farm: Farm, damage: str, reason: str
) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    pool.kill_tree()
    farm.query(damage)
    farm.start()
    (error,) = farm.finished([run])
    assert farm.state(run) is InstanceState.QUARANTINED
    assert reason in str(error)
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]


def test_a_damaged_snapshot_is_replaced_by_the_journal(farm: Farm) -> None:
    pool = farm.start(WAYMARK_EVICT_SLEEP_THRESHOLD_MS="200")
    (run,) = farm.queue(jobs.Sleeper, (1.0,))
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    pool.kill_tree()
    farm.query("update waymark.snapshots set state = substr(state, 1, 20)")
    farm.start()
    assert farm.finished([run]) == [3]
    assert len(farm.ledger("add")) == 2


def test_the_same_version_with_other_code_is_refused_at_the_start(farm: Farm) -> None:
    farm.stop(farm.start(WAYMARK_USER_MODULE="tests.integration.worker.other_jobs"))
    farm.query("update waymark.programs set digest = sha256(digest), id = id + 1")
    pool = farm.start(ready=False, WAYMARK_USER_MODULE="tests.integration.worker.other_jobs")
    assert pool.wait() == 78
    assert "version 'one' is already registered with different code" in pool.output
    assert len(pool.lines) <= 15
    farm.processes.assert_none_left()
