"""Applications and pools of different age and code in; runs that wait visibly, and lose nothing, out."""

from __future__ import annotations

import signal
from collections import Counter

import psycopg
import pytest

from tests.integration.worker import both_jobs, jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_for_end
from waymark_schema.kinds import InstanceState

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

OFTEN = {"WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "100"}
LEFT = {"WAYMARK_USER_MODULE": "tests.integration.worker.left_jobs", **OFTEN}
RIGHT = {"WAYMARK_USER_MODULE": "tests.integration.worker.right_jobs", **OFTEN}


def _result(x: int, rounds: int) -> int:
    for _ in range(rounds):
        x = 2 * (x + 1)
    return x


@pytest.mark.slow
def test_a_run_of_two_teams_waits_for_both_and_goes_through_offers(farm: Farm) -> None:
    (run,) = farm.queue(both_jobs.Both, (1, 5))
    one = farm.start(**LEFT)
    said = one.wait_for_line(r"runs\.waiting").string
    assert (
        "no worker of this pool has the action 'tests.integration.worker.right_jobs:right'" in said
    )
    assert farm.state(run) is InstanceState.QUEUED
    two = farm.start(**RIGHT)
    assert farm.finished([run], seconds=60) == [_result(1, 5)]
    assert [len(farm.ledger(word)) for word in ("left", "right")] == [5, 5]
    assert farm.query("select count(*) from waymark.offers") == [(0,)]
    farm.assert_exactly_once()
    # Pools that are full of their own work take the others' calls, too.
    more = farm.queue(both_jobs.Both, *[(n, 3) for n in range(60)])
    assert farm.finished(more, seconds=120) == [_result(n, 3) for n in range(60)]
    farm.assert_exactly_once()
    # Without the other team nothing fails: what it would have to do waits for it.
    two.kill_tree()
    (late,) = farm.queue(both_jobs.Both, (7, 2))
    farm.start(**RIGHT)
    assert farm.finished([late], seconds=60) == [_result(7, 2)]
    farm.stop(one)


@pytest.mark.slow
def test_a_pool_that_drains_while_it_offers_a_call_does_not_hand_its_run_back_before(
    farm: Farm,
) -> None:
    one, two = farm.start(WAYMARK_SHUTDOWN_GRACE_MS="60000", **LEFT), farm.start(**RIGHT)
    farm.query(
        "create function waymark.stall() returns trigger language plpgsql as $$ begin"
        " perform pg_advisory_xact_lock_shared(4242); return null; end $$;"
        "create trigger stall after insert on waymark.offers for each statement"
        " execute function waymark.stall()"
    )
    with psycopg.connect(farm.url, autocommit=True) as gate:
        gate.execute("select pg_advisory_lock(4242)")
        (run,) = farm.queue(both_jobs.Both, (1, 1))
        farm.wait_for(
            "select count(*) > 0 from pg_stat_activity where wait_event = 'advisory'"
            " and application_name like 'waymark pool%' and datname = current_database()"
        )
        workers = farm.workers(one)
        one.send(signal.SIGTERM)
        wait_for_end(workers, seconds=20)  # nothing keeps it any more but the offer
        assert farm.state(run) is InstanceState.RUNNING
    assert one.wait(seconds=20) == 0, one.output
    farm.start(**LEFT)
    assert farm.finished([run], seconds=60) == [_result(1, 1)]
    assert [len(farm.ledger(word)) for word in ("left", "right")] == [1, 1]
    assert two.running
    farm.assert_exactly_once()


@pytest.mark.slow
def test_an_action_that_was_renamed_in_mid_run_leaves_the_run_waiting_for_the_old_code(
    farm: Farm,
) -> None:
    """Its program names an action of yesterday; the pool of today has other actions of it, and says so."""
    flag = farm.folder / "go"
    old = farm.start(**OFTEN)
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    farm.wait_for("select count(*) = 1 from waymark.journal where instance = %s", run)
    old.kill_tree()
    flag.touch()
    today = farm.start(**OFTEN, WAYMARK_USER_MODULE="tests.integration.worker.other_jobs")
    said = today.wait_for_line(r"runs\.waiting").string
    assert "tests.integration.worker.jobs:" in said
    assert farm.state(run) is InstanceState.QUEUED
    assert farm.query("select count(*) from waymark.journal where instance = %s", run) == [(1,)]
    back = farm.start(**OFTEN)
    assert farm.finished([run], seconds=60) == [str(flag)]
    steps = Counter(tuple(line[:2]) for line in farm.ledger("add"))
    assert max(steps.values()) == 1, "a committed step ran again"
    farm.assert_exactly_once()
    farm.stop(back)
    farm.stop(today)


@pytest.mark.slow
def test_runs_that_were_queued_before_there_was_a_pool_are_run_by_the_first(farm: Farm) -> None:
    ids = farm.queue(jobs.Chain, *[(n,) for n in range(20)])
    assert {farm.state(run) for run in ids} == {InstanceState.QUEUED}
    pool = farm.start()
    assert farm.finished(ids, seconds=60) == list(range(20))
    farm.stop(pool)


@pytest.mark.slow
def test_workers_first_then_an_application_of_a_program_that_no_pool_has_registered(
    farm: Farm,
) -> None:
    """The pool knows the actions; the program comes with the first run of it, and needs no restart."""
    pool = farm.start(**OFTEN, WAYMARK_USER_MODULE="tests.integration.worker.both_jobs")
    registered = farm.query("select workflow from waymark.programs")
    assert ("both",) in registered
    farm.query("delete from waymark.programs")
    (run,) = farm.queue(both_jobs.Both, (3, 1))
    assert farm.finished([run], seconds=60) == [_result(3, 1)]
    farm.stop(pool)
