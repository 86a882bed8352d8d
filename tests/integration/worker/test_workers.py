"""Workers that stand still, hang, grow or are due for a change in; what of it is told, and nothing lost, out."""

import json
import os
import re
from typing import Any

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import running, wait_for_end, wait_until
from waymark_schema.kinds import JournalKind

pytestmark = pytest.mark.postgres

MEGABYTE = 1024 * 1024


def _workers(farm: Farm) -> list[dict[str, Any]]:
    """What the web shows of the workers of all pools."""
    rows = farm.query("select workers from waymark.pools where stopped_at is null")
    return [worker for (workers,) in rows for worker in json.loads(json.dumps(workers or []))]


def _lost(farm: Farm) -> int:
    ((lost,),) = farm.query(
        "select count(*) from waymark.journal where kind = %s", JournalKind.LOST
    )
    return int(lost)


@pytest.mark.slow
def test_a_loop_that_stands_still_is_named_and_holds_up_nobody_else(farm: Farm) -> None:
    pool = farm.start(
        WAYMARK_CONCURRENT_PER_WORKER="2",
        WAYMARK_LOCK_TTL_MS="4000",
        WAYMARK_LOCK_HEARTBEAT_MS="400",
        WAYMARK_RUNNER_PROFILE_INTERVAL_MS="200",
    )
    flag = farm.folder / "go"
    (blocking,) = farm.queue(jobs.BlocksTheLoop, (str(flag),))
    ((_, _, _, pid),) = farm.wait_for_ledger("blocks_loop")
    # Of these four, sent to both workers in turn, one or two lie unread in front of the one that stands still.
    others = farm.queue(jobs.Slow, *[(4, 0.1)] * 4)
    assert farm.finished(others) == [4] * 4
    line = pool.wait_for_line(r"worker\.blocked.*").group()
    assert "tests.integration.worker.jobs:blocks_the_loop" in line
    assert str(blocking) in line
    assert "jobs.py:" in line
    wait_until(
        lambda: any(
            worker["state"] == "blocked" and worker["action"].endswith(":blocks_the_loop")
            for worker in _workers(farm)
        ),
        what=lambda: f"the blocked worker is shown: {_workers(farm)}",
    )
    # Longer than the lease lives: its heartbeats go on.
    ((beat, lease),) = farm.query("select beat, id from waymark.leases")
    farm.wait_for("select beat > %s from waymark.leases where id = %s", beat + 12, lease)
    flag.touch()
    assert farm.finished([blocking]) == [int(pid)]
    pool.wait_for_line(r"worker\.moves_again")
    wait_until(lambda: all(worker["state"] == "ready" for worker in _workers(farm)))
    assert _lost(farm) == 0
    assert len(farm.ledger("slow")) == 16, "what was taken back began once"
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.mark.slow
def test_a_worker_of_which_no_thread_moves_is_killed_and_its_call_is_poison(farm: Farm) -> None:
    pool = farm.start(WAYMARK_WORKER_HANG_MS="1500", WAYMARK_CONCURRENT_PER_WORKER="2")
    (hanging,) = farm.queue(jobs.KeepsEverything, ())
    farm.wait_for_ledger("keeps")
    others = farm.queue(jobs.Slow, *[(5, 0.1)] * 4)
    assert farm.finished(others, seconds=60) == [5] * 4
    (text,) = farm.finished([hanging], seconds=60)
    # Two deaths with a neighbour, or one or none, as the others came and went; two of its own in any case.
    told = re.match(
        r"WorkerCrashed: keeps_everything is not tried again: ([34]) workers in a row ended that ran it,"
        r" [23] of them with nothing else",
        text,
    )
    assert told is not None, text
    assert "its event loop had not moved for" in text
    assert len(farm.ledger("keeps")) == int(told[1])
    assert {line[2] for line in farm.ledger("keeps")} == {"1"}
    pool.wait_for_line(r"worker\.hung")
    wait_until(lambda: len(farm.workers(pool)) == 2)
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_worker_that_holds_too_much_memory_is_replaced_when_it_has_done_its_work(
    farm: Farm,
) -> None:
    pool = farm.start(WAYMARK_WORKER_COUNT="1", WAYMARK_MAX_WORKER_MEMORY_BYTES=str(220 * MEGABYTE))
    flag = farm.folder / "go"
    (waiting,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    (old,) = farm.finished(farm.queue(jobs.Grows, (220 * MEGABYTE,)))
    line = pool.wait_for_line(r"worker\.bloated.*").group()
    assert f"limit={220 * MEGABYTE}" in line
    wait_until(
        lambda: farm.finished(farm.queue(jobs.Grows, (1,))) != [old],
        seconds=60,
        what="another worker does the work",
    )
    assert running(old), "what runs in it may end"
    flag.touch()
    assert farm.finished([waiting]) == [str(flag)]
    wait_for_end([old])
    assert _lost(farm) == 0
    assert "worker.died" not in pool.output
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.mark.slow
def test_a_recycled_worker_ends_what_it_runs_and_the_next_one_works_meanwhile(farm: Farm) -> None:
    pool = farm.start(WAYMARK_WORKER_COUNT="1", WAYMARK_MAX_ACTION_LIFECYCLE="5")
    (old,) = farm.workers(pool)
    flag = farm.folder / "go"
    (waiting,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    pids: set[int] = set()

    def another_works() -> bool:
        before = farm.ledger("add")
        assert farm.finished(farm.queue(jobs.Chain, (1,))) == [1]
        pids.update(int(line[3]) for line in farm.ledger("add")[len(before) :])
        return pids != {old}

    wait_until(another_works, seconds=60, what="the next worker does the work")
    assert running(old)
    assert os.getpid() not in pids
    flag.touch()
    assert farm.finished([waiting]) == [str(flag)]
    wait_for_end([old])
    assert _lost(farm) == 0
    assert {line[2] for line in farm.ledger("waits")} == {"1"}
    farm.assert_exactly_once()
    farm.stop(pool)
