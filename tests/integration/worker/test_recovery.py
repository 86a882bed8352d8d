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
