"""A process that dies right before or after a write of the engine in; every run completed, each step settled once, out."""

from __future__ import annotations

import pytest

from tests.integration.trouble.crash_scenes import SCENES, Scene, play
from tests.integration.worker.conftest import Farm
from tests.support.checkout import ROOT
from tests.support.processes import wait_until
from tests.support.statements import every_statement

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]

# Who writes it, and so what dies: a runloop, which its supervisor starts again, or the supervisor and with
# it the pool, which another pool takes over from.
RUNLOOP = (
    "settle.settle", "settle.settle_narrow", "settle.trim_commits", "instances.claim", "programs.register",
    "offers.able", "offers.want", "offers.offer", "offers.take", "offers.take_foreign", "offers.finish",
    "offers.take_back", "offers.withdraw", "offers.give_back", "offers.drop_taken", "offers.adopt",
    "offers.mark_alone",
)  # fmt: skip
SUPERVISOR = (
    "leases.register", "leases.heartbeat", "leases.mark_fenced", "leases.leave", "leases.remove",
    "instances.wake_due", "instances.wake_addressed", "instances.release", "offers.release",
    "offers.sweep", "pools.register", "pools.report", "pools.sample", "pools.retire", "pools.stop",
    "pools.prune_pools", "pools.prune_samples", "programs.prune", "pruning.prune_instances",
    "inbox.sweep", "in_flight.sweep",
)  # fmt: skip
NOT_HERE = {
    # Written by a bridge.
    "instances.enqueue": "tests/integration/bridge/test_killed_bridge.py::test_a_thousand_starts_under_kills_are_a_thousand_rows",
    # Written by migrations.
    "migrate.record": "tests/migration/test_killed.py::test_a_migrator_killed_before_any_change_leaves_whole_steps_to_the_next",
    # Run by no process yet; what they do is tested without one.
    "inbox.send": "tests/integration/database/test_parking.py",
    "instances.wake_parked": "tests/integration/database/test_parking.py",
}
"""What no process of a pool writes, and where it is tested instead."""


def _names() -> set[str]:
    words = ("insert into", "update {schema}", "delete from")
    return {
        each.name.replace(".sql:", ".")
        for each in every_statement()
        if any(word in each.text for word in words)
    }


def test_every_write_is_in_one_of_the_lists() -> None:
    assert _names() == {*RUNLOOP, *SUPERVISOR, *NOT_HERE}, "put a new one where its death is tested"
    assert SCENES.keys() <= {*RUNLOOP, *SUPERVISOR}
    for where in NOT_HERE.values():
        path, _, name = where.partition("::")
        assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", [*RUNLOOP, *SUPERVISOR])
@pytest.mark.slow
def test_a_death_beside_this_write_loses_nothing(farm: Farm, name: str, moment: str) -> None:
    _dies_and_goes_on(Scene(farm, name, moment))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", ["settle.settle*", "instances.claim"])
def test_a_death_beside_a_central_write_loses_nothing(farm: Farm, name: str, moment: str) -> None:
    _dies_and_goes_on(Scene(farm, name, moment))


def _dies_and_goes_on(scene: Scene) -> None:
    play(scene)
    assert scene.farm.finished(scene.ids, seconds=90) == scene.expected
    scene.farm.assert_exactly_once()
    _who_died(scene)
    _end(scene)


def _who_died(scene: Scene) -> None:
    """One process, and of the kind that writes this."""
    others = [pool for pool in scene.pools if pool not in scene.ended_by_us]
    if scene.name in SUPERVISOR:
        wait_until(lambda: len([pool for pool in others if not pool.running]) == 1)
    else:
        assert all(pool.running for pool in others)
        assert any("runloop.died" in pool.output for pool in others)


def _end(scene: Scene) -> None:
    """Whoever is left ends in order and leaves nothing owned."""
    alive = [pool for pool in scene.pools if pool.running]
    assert alive
    for pool in alive:
        scene.farm.stop(pool)
    wait_until(
        lambda: (
            scene.farm.query("select count(*) from waymark.instances where owner is not null")
            == [(0,)]
        ),
        seconds=20,
    )
