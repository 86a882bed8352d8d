"""Long runs, killed in the middle, in; rebuilt from their last snapshot, and no step of them twice, out."""

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm

pytestmark = pytest.mark.postgres
STEPS = 2_500


@pytest.mark.slow
def test_a_long_run_does_not_begin_again_from_its_first_entry(farm: Farm) -> None:
    pool = farm.start()
    (run,) = farm.queue(jobs.Chain, (STEPS,))
    farm.wait_for("select count(*) = 1 from waymark.snapshots")
    pool.kill_tree()
    ((kept, newest),) = farm.query(
        "select s.position, (select max(j.position) from waymark.journal as j) from waymark.snapshots as s"
    )
    assert 1_000 <= kept <= newest < STEPS
    # Whoever replayed them all would now find that they are missing.
    farm.query("delete from waymark.journal where position <= %s", kept)
    farm.start()
    assert farm.finished([run], seconds=60) == [STEPS]
    positions = farm.query("select position from waymark.journal order by 1")
    assert positions == [(position,) for position in range(kept + 1, STEPS + 1)]
    steps = [int(line[4]) for line in farm.ledger("add")]
    assert sorted(set(steps)) == list(range(STEPS))
    assert len(steps) <= STEPS + 1, "at most the step that was under way ran again"
    assert farm.query("select count(*) from waymark.snapshots") == [(0,)], "forgotten with the end"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_replay_that_takes_longer_than_a_loop_may_stand_still_is_no_trouble(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Computes, (12, 1_000_000, str(flag)))
    farm.wait_for_ledger("waits", seconds=250)
    pool.kill_tree()
    heir = farm.start()
    others = farm.queue(jobs.Chain, (3,))
    farm.wait_for_ledger("waits", 2, seconds=250)
    flag.touch()
    assert farm.finished([run, *others], seconds=60) == [12, 3]
    assert "runloop.stuck" not in heir.output
