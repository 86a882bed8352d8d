"""Runs in; results, retries, timeouts and deaths of workers, as the journal and a ledger tell them, out."""

import os
import signal
from itertools import pairwise

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import running, wait_until
from waymark.coercion import codec
from waymark_schema.kinds import JournalKind
from waymark_schema.recorded import decode_locals

pytestmark = pytest.mark.postgres


def test_runs_complete_with_a_journal_without_gaps(farm: Farm) -> None:
    pool = farm.start()
    ids = farm.queue(jobs.Chain, (20,), (0,)) + farm.queue(jobs.Fan, (200,), (0,))
    ids += farm.queue(jobs.Nothing, (21,))
    assert farm.finished(ids) == [20, 0, 200 * 199 // 2 + 200, 0, 42]
    farm.assert_exactly_once()
    farm.stop(pool)
    farm.processes.assert_none_left()


@pytest.mark.slow
def test_a_backoff_outlives_its_pool(farm: Farm) -> None:
    pool = farm.start()
    (run,) = farm.queue(jobs.Retried, (3, 1.5))
    farm.wait_for("select count(*) = 1 from waymark.journal where instance = %s", run)
    pool.kill_tree()
    farm.start()
    assert farm.finished([run]) == [3]
    begun = [float(line[-1]) for line in farm.ledger("flaky")]
    assert len(begun) == 3
    assert all(later - earlier >= 1.4 for earlier, later in pairwise(begun))
    kinds = farm.query(
        "select kind from waymark.journal where instance = %s order by position", run
    )
    assert [kind for (kind,) in kinds] == [
        JournalKind.RETRY,
        JournalKind.RETRY,
        JournalKind.OUTCOME,
    ]
    farm.assert_exactly_once()


def test_a_timeout_raises_inside_the_workflow(farm: Farm) -> None:
    farm.start()
    (text,) = farm.finished(farm.queue(jobs.Timed, ()))
    assert text == "ActionTimeout: hang did not end within 0.2 s (attempt 1)"


@pytest.mark.slow
def test_sync_actions_run_side_by_side_outside_the_main_thread(farm: Farm) -> None:
    farm.start(WAYMARK_WORKER_COUNT="1", WAYMARK_CONCURRENT_PER_WORKER="8")
    (pids,) = farm.finished(farm.queue(jobs.Blocked, (8, 0.5)))
    assert len(set(pids)) == 1
    assert {line[-1] for line in farm.ledger("blocks")} == {"False"}
    begun = farm.query(
        "select max(started_at) - min(started_at) < interval '0.4 s' from waymark.journal"
    )
    assert begun == [(True,)]


@pytest.mark.slow
def test_an_action_that_cancels_itself_fails_like_any_other(farm: Farm) -> None:
    farm.start()
    (text,) = farm.finished(farm.queue(jobs.SelfCancelled, ()))
    assert text == "cancelled by its own hand"
    assert len(farm.ledger("cancels")) == 1


@pytest.mark.slow
def test_calls_of_one_turn_may_outgrow_a_frame(farm: Farm) -> None:
    farm.start(WAYMARK_CONCURRENT_PER_WORKER="20")
    size = 12 * 1024 * 1024
    assert farm.finished(farm.queue(jobs.Blobs, (7, size))) == [7 * size]


@pytest.mark.slow
def test_what_an_attempt_prints_is_in_the_journal(farm: Farm) -> None:
    farm.start()
    (run,) = farm.queue(jobs.Chatty, ("hello",))
    assert farm.finished([run]) == [5]
    columns = farm.query(
        "select local from waymark.journal where instance = %s order by position", run
    )
    first, second = (decode_locals(local) for (local,) in columns)
    assert first.log == [("info", "from the workflow")]
    lines = codec().decode(second.output)
    assert [line[:2] for line in lines] == [
        ["stdout", "printed hello"],
        ["warning", "logged hello"],
    ]


@pytest.mark.slow
def test_a_killed_worker_takes_only_its_own_attempts_down(farm: Farm) -> None:
    pool = farm.start(WAYMARK_CONCURRENT_PER_WORKER="2")
    flag = farm.folder / "go"
    ids = farm.queue(jobs.Waiter, *[(str(flag),)] * 4)
    waiting = farm.wait_for_ledger("waits", 4)
    victim = int(waiting[0][3])
    os.kill(victim, signal.SIGKILL)
    farm.wait_for_ledger("waits", 6)
    flag.touch()
    assert farm.finished(ids) == [str(flag)] * 4
    again = farm.ledger("waits")[4:]
    assert {line[0] for line in again} == {line[0] for line in waiting if int(line[3]) == victim}
    # Attempts that were lost with their worker do not count as the user's.
    assert {line[2] for line in again} == {"1"}
    lost = farm.query("select count(*) from waymark.journal where kind = %s", JournalKind.LOST)
    assert lost == [(2,)]
    wait_until(lambda: len(farm.workers(pool)) == 2)
    farm.assert_exactly_once()


def test_a_call_that_kills_its_workers_fails_and_its_neighbours_do_not(farm: Farm) -> None:
    farm.start(WAYMARK_CONCURRENT_PER_WORKER="10")
    innocent = farm.queue(jobs.Slow, *[(3, 0.3)] * 6)
    (guilty,) = farm.queue(jobs.Fatal, ())
    assert farm.finished([guilty]) == ["WorkerCrashed"]
    assert farm.finished(innocent) == [3] * 6
    # Twice with nothing beside it, and before that perhaps with the innocent.
    assert len(farm.ledger("dies")) in {3, 4}
    crashed = farm.query("select count(*) from waymark.instances where state <> 4")
    assert crashed == [(0,)]
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_worker_that_ignores_a_cancellation_is_replaced(farm: Farm) -> None:
    pool = farm.start(WAYMARK_WORKER_COUNT="1")
    (run,) = farm.queue(jobs.Deaf, ())
    (pid,) = farm.finished([run])
    ((_, _, _, deaf),) = farm.wait_for_ledger("deaf")
    assert pid == int(deaf), "the slot is lost, the worker goes on until its grace is over"
    wait_until(lambda: not running(int(deaf)), seconds=20, what="the deaf worker is gone")
    wait_until(lambda: len(farm.workers(pool)) == 1)
    assert farm.finished(farm.queue(jobs.Chain, (1,))) == [1]


@pytest.mark.slow
def test_a_thread_that_nobody_waits_for_gets_its_worker_replaced(farm: Farm) -> None:
    pool = farm.start(WAYMARK_WORKER_COUNT="1")
    assert farm.finished(farm.queue(jobs.Stuck, (120.0,))) == ["timed out"]
    (line,) = farm.ledger("blocks")
    pool.wait_for_line(r"worker\.stuck_thread", seconds=20)
    wait_until(lambda: not running(int(line[3])), seconds=20, what="the stuck worker is gone")
    assert farm.finished(farm.queue(jobs.Chain, (1,))) == [1]


@pytest.mark.slow
def test_workers_are_recycled_under_load_and_nothing_is_lost(farm: Farm) -> None:
    pool = farm.start(WAYMARK_MAX_ACTION_LIFECYCLE="25")
    first = set(farm.workers(pool))

    def more() -> bool:
        assert farm.finished(farm.queue(jobs.Slow, *[(3, 0.05)] * 10)) == [3] * 10
        return first.isdisjoint(farm.workers(pool))

    wait_until(more, seconds=60, what="both first workers were replaced under load")
    lost = farm.query("select count(*) from waymark.journal where kind = %s", JournalKind.LOST)
    assert lost == [(0,)]
    assert "worker.died" not in pool.output
    farm.assert_exactly_once()
