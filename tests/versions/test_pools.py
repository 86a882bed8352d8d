"""Pools of two releases on one database: rolled forward, rolled back, killed; each run ends as with one release."""

from __future__ import annotations

import pytest

from tests.support.deployments import Deployment
from tests.support.processes import Child
from tests.support.releases import Release
from tests.versions.app.orders import mixed, napping

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]


def _orders(*numbers: int) -> list[str]:
    return [f"orders.MixedOrder.call({n}, 0.05)" for n in numbers]


def test_a_rolling_deploy_under_load_and_kills_loses_nothing(
    deployment: Deployment, old: Release, today: Release
) -> None:
    first, second = deployment.start_pool(old), deployment.start_pool(old)
    ids = deployment.queue(old, *_orders(*range(60)))
    # Migrates the database under the load of the old ones.
    newer = deployment.start_pool(today)
    ids += deployment.queue(old, *_orders(*range(60, 90)))
    first.kill_tree()
    ids += deployment.queue(today, *_orders(*range(90, 120)))
    newer.kill_tree()
    deployment.start_pool(today)
    ids += deployment.queue(old, *_orders(*range(120, 150)))
    second.terminate()
    expected = [mixed(n) for n in range(150)]
    assert deployment.results(old, ids) == expected
    assert deployment.results(today, ids) == expected
    deployment.assert_exactly_once(ids)


def _held(deployment: Deployment, old: Release, pool: Child) -> list[str]:
    """Runs of every kind, caught in the middle: with a snapshot, with calls under way, with a journal."""
    flag = deployment.folder / "open"
    ids = deployment.queue(old, *_orders(*range(20)), f"orders.GatedOrder.call({str(flag)!r}, 6)")
    ids += deployment.queue(old, *[f"orders.NappingOrder.call({n}, 10.0)" for n in range(8)])
    deployment.wait_for("select count(*) = 8 from snapshots")
    pool.kill_tree()
    assert deployment.rows("select count(*) from instances where state = 2") != [(0,)]
    flag.touch()
    return ids


HELD = [*[mixed(n) for n in range(20)], 8, *[napping(n) for n in range(8)]]


def test_todays_pool_takes_over_what_the_old_one_held(
    deployment: Deployment, old: Release, today: Release
) -> None:
    ids = _held(deployment, old, deployment.start_pool(old))
    settled, begun = deployment.settled(), deployment.begun()
    deployment.start_pool(today)
    assert deployment.results(today, ids) == HELD
    deployment.assert_none_again(settled, begun)
    deployment.assert_exactly_once(ids)


def test_a_rollback_goes_on_with_what_todays_pool_held(
    deployment: Deployment, old: Release, today: Release
) -> None:
    ids = _held(deployment, old, deployment.start_pool(today))
    settled, begun = deployment.settled(), deployment.begun()
    deployment.start_pool(old)
    assert deployment.results(old, ids) == HELD
    deployment.assert_none_again(settled, begun)
    deployment.assert_exactly_once(ids)
