"""A pool whose heartbeats nobody confirms in; calls that do not begin before one is, out."""

from __future__ import annotations

import pytest

from tests.integration.trouble import trouble_jobs as jobs
from tests.integration.trouble.conftest import Proxied
from tests.support.processes import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

WIDTH = 120
"""Calls of a fifth of a second each, five at a time: more than begin while the lease is sure."""


def test_nothing_begins_while_the_lease_may_be_over(proxied: Proxied) -> None:
    """Somebody else may have been given the run meanwhile; what has begun runs to its end."""
    farm = proxied.farm
    pool = farm.start(
        WAYMARK_LOCK_TTL_MS="5000",
        WAYMARK_LOCK_HEARTBEAT_MS="500",
        WAYMARK_CONCURRENT_PER_WORKER="5",
    )
    (run,) = farm.queue(jobs.TroubledFan, (WIDTH, 0.2))
    farm.wait_for_ledger("ended", 3)
    proxied.proxy.freeze()

    def still() -> bool:
        """Whether all that began has ended and nothing has begun for a while, in which fifty calls would have."""
        seen = (len(farm.ledger("began")), len(farm.ledger("ended")))
        looks.append(seen)
        return seen[0] == seen[1] and looks[-100:] == [seen] * 100

    looks: list[tuple[int, int]] = []
    wait_until(still, seconds=60, what=lambda: f"no call begins; began and ended: {looks[-1]}")
    begun = looks[-1][0]
    assert begun < WIDTH
    proxied.proxy.thaw()
    assert farm.finished([run]) == [sum(range(1, WIDTH + 1))]
    assert len(farm.ledger("began")) >= WIDTH
    farm.assert_exactly_once()
    farm.stop(pool)
