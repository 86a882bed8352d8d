"""Pools at rest and at work in; how many connections they hold, under which names, and what they ask, out."""

from __future__ import annotations

import time

import pytest

from tests.integration.trouble.conftest import Proxied
from tests.support.processes import wait_until
from waymark_schema.tables import leases

pytestmark = pytest.mark.postgres

_BEAT = leases.HEARTBEAT.sql("waymark").decode()


@pytest.mark.parametrize("pools", [1, 2])
def test_an_idle_pool_asks_three_things_a_second_at_most(proxied: Proxied, pools: int) -> None:
    for _ in range(pools):
        proxied.farm.start()

    def beats() -> int:
        return proxied.proxy.statements("waymark pool")[_BEAT]

    # What belongs to the start is over at the second beat.
    wait_until(lambda: beats() >= 2 * pools, seconds=40)
    before, begun_at = proxied.proxy.statements("waymark pool"), time.monotonic()
    wait_until(lambda: beats() >= before[_BEAT] + 2 * pools, seconds=40)
    asked = proxied.proxy.statements("waymark pool") - before
    rate = asked.total() / (time.monotonic() - begun_at) / pools
    listed = "\n".join(f"{count:4} {text[:90]!r}" for text, count in asked.most_common())
    assert rate <= 3.0, f"{rate:.2f} statements a second:\n{listed}"
    assert rate > 0.5, "a pool that asks nothing is not alive"
