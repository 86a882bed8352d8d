"""Two products in one database, each under its own `WAYMARK_SCHEMA`, killed in turn, in; neither's trace in the other out."""

from __future__ import annotations

import pytest

from tests.support.deployments import Deployment
from tests.support.processes import Child
from tests.support.releases import TODAY

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

_LOCKS = """
select count(distinct k.classid), count(*) from pg_locks as k
where k.locktype = 'advisory' and k.objsubid = 2
    and k.database = (select d.oid from pg_database as d where d.datname = current_database())
"""

_RESULTS = """
async def main():
    found = [await waymark.Run.get(i).result(timeout=110) for i in {ids!r}]
    try:
        await waymark.Run.get({theirs!r}).result(timeout=110)
    except waymark.InstanceNotFound:
        found.append("unknown")
    print(json.dumps(found))
asyncio.run(main())"""


def _gated(deployment: Deployment) -> list[str]:
    """Calls of runs that this deployment's pools hold, open until its flag appears."""
    flag = deployment.folder / f"open-{deployment.schema}"
    ids = deployment.queue(TODAY, *[f"orders.GatedOrder.call({str(flag)!r}, 2)"] * 3)
    deployment.wait_for("select count(*) = 3 from journal")
    return ids


def _fenced(pool: Child) -> list[str]:
    return [line for line in pool.lines if "lease.fenced" in line or "lease.lost" in line]


@pytest.mark.slow
def test_two_products_in_one_database_never_meet(deployment: Deployment) -> None:
    one, two = deployment.beside("one"), deployment.beside("two")
    victim, survivor = one.start_pool(TODAY), two.start_pool(TODAY)
    # Both pools are the first of their schema: their leases, pools and instances have the same numbers.
    assert one.rows("select id from leases") == two.rows("select id from leases")
    held, safe = _gated(one), _gated(two)
    assert one.rows(_LOCKS) == [(2, 2)], "one lock for each lease, of a class for each schema"
    heir = one.start_pool(TODAY)
    victim.kill_tree()
    # Its own peer sees the lock free although the lock of the same number is held in the other schema.
    heir.wait_for_line(r"lease\.fenced\b.*early=True", seconds=60)
    (one.folder / "open-one").touch()
    # Each app has its own bridge, on one host and for one user.
    assert len(list(deployment.runtime.glob("*/*.log"))) == 2
    assert one.ask(TODAY, _RESULTS.format(ids=held, theirs=safe[0])) == [4, 4, 4, "unknown"]
    assert two.rows("select count(*) from leases where fenced") == [(0,)]
    assert two.rows("select recoveries, owner from instances") == [(0, 1)] * 3
    assert _fenced(survivor) == []
    (two.folder / "open-two").touch()
    assert two.results(TODAY, safe) == [4] * 3
    assert set(one.begun()) | set(two.begun()) == {
        (id_, c) for id_ in held + safe for c in range(4)
    }
    assert {run for run, _ in one.begun()} == set(held)
    assert set(two.begun().values()) == {1}, "nothing of the other product was repeated"
    for product, ids in ((one, held), (two, safe)):
        product.assert_exactly_once(ids)
