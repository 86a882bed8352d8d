"""Runs that crash after every step in; that nothing changed, or the step at which something did, out."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.testing import flows
from waymark import WorkflowFailed, runtime
from waymark_worker.runloop.replica import Step
from waymark_worker.testing import InProcessRuntime
from waymark_worker.testing.crashing import SEEDS, CrashDifference, CrashEverywhere, Replicas

# Each starts interpreters, on machines that are busy with other tests.
pytestmark = pytest.mark.timeout(300)

NAMES = [f"name {number}" for number in range(12)]
ODD = Path(__file__).with_name("odd_replica.py")


@pytest.fixture
def faulty(request: pytest.FixtureRequest) -> Iterator[InProcessRuntime]:
    """A runtime whose recovering processes have a fault."""
    replicas = Replicas((sys.executable, "-P", str(ODD), request.param))
    served = InProcessRuntime(crash_everywhere=CrashEverywhere(replicas))
    previous = runtime.install(served)
    yield served
    runtime.install(previous)
    served.close()
    replicas.end()


@pytest.mark.waymark_crash_everywhere
async def test_a_run_is_the_same_after_a_crash_at_every_step(
    waymark_runtime: InProcessRuntime,
) -> None:
    result = await flows.Everything().run()
    assert result == {
        "shared": ["a", "b", "c", "finally"],
        "tried": 3,
        "both": ["x", "slept"],
        "passed": True,
    }
    # Its start; 3 notes, 3 sleeps; 3 attempts; note and sleep of the gather; the last note.
    assert waymark_runtime.crashes == 1 + 6 + 3 + 2 + 1
    assert len(waymark_runtime.calls) == 3 + 1 + 1 + 1


async def test_the_fixture_asks_for_it_as_the_mark_does(
    waymark_crash_everywhere: InProcessRuntime,
) -> None:
    assert sorted(await flows.Sets().run(NAMES)) == sorted(NAMES)
    assert waymark_crash_everywhere.crashes == 1 + len(NAMES)


@pytest.mark.waymark_crash_everywhere
async def test_a_limit_ends_the_run_as_it_does_without_crashes() -> None:
    with pytest.raises(WorkflowFailed, match="did more work than"):
        await flows.TooMuch().run()


@pytest.mark.parametrize("faulty", ["hash-order"], indirect=True)
async def test_a_difference_names_the_step_the_hash_seed_and_both_sides(
    faulty: InProcessRuntime,
) -> None:
    with pytest.raises(CrashDifference) as caught:
        await flows.Sets().run(NAMES)
    said = str(caught.value)
    assert "'sets' does not go on the same after a crash at its start" in said
    assert "PYTHONHASHSEED=1: replayed from its journal it asks for" in said
    assert "instead of\n  call 0: tests.integration.testing.flows:note({'what': 'name 0'})" in said
    assert faulty.runs[0].state == "quarantined"


@pytest.mark.parametrize("faulty", ["torn-snapshot"], indirect=True)
async def test_a_snapshot_that_cannot_be_read_is_a_difference(faulty: InProcessRuntime) -> None:
    with pytest.raises(CrashDifference, match=r"step 1 \(call 0, .*:note, returned\).* recovered"):
        await flows.Sets().run(NAMES)


@pytest.mark.parametrize("faulty", ["dies"], indirect=True)
async def test_a_recovering_process_that_dies_is_told(faulty: InProcessRuntime) -> None:
    with pytest.raises(RuntimeError, match=r"hash seed 1.* ended with status 3"):
        await flows.Sets().run(NAMES)


def test_recovering_processes_really_have_other_hash_seeds() -> None:
    step = Step(uuid.uuid4(), b"no digest", b"no program", [], b"", [], None)
    replicas = Replicas()
    found = [replicas.recover(step) for _ in range(2 * len(SEEDS))]
    replicas.end()
    assert [seed for seed, _ in found] == [*SEEDS, *SEEDS]
    hashes = [answer.word_hash for _, answer in found]
    assert hashes[: len(SEEDS)] == hashes[len(SEEDS) :]
    assert len({*hashes, hash("waymark")}) == len(SEEDS) + 1
    assert all("not a program" in answer.trouble for _, answer in found)
