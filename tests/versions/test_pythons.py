"""Pools under two CPythons on one database in; runs that stay with the one that began them as long as they can, out."""

from __future__ import annotations

import sys

import pytest

from tests.support.deployments import Deployment
from tests.support.releases import NoSuchRelease, Release, under
from waymark_schema.kinds import InstanceState

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]

RUNS = 8
"""Enough for both pools to hold some."""


@pytest.fixture
def newer() -> Release:
    """The same code under another CPython."""
    wanted = "3.13" if sys.version_info[:2] != (3, 13) else "3.12"
    try:
        return under(wanted)
    except NoSuchRelease as error:
        pytest.skip(f"no pool under CPython {wanted}: {error}")


def test_a_run_changes_its_python_only_when_no_pool_of_the_old_one_is_left(
    deployment: Deployment, newer: Release, today: Release
) -> None:
    flags = [deployment.folder / f"open-{n}" for n in range(2)]
    first, second = deployment.start_pool(newer), deployment.start_pool(newer)
    ids = deployment.queue(
        newer, *[f"orders.GatedOrder.call({str(flags[n % 2])!r}, 3)" for n in range(RUNS)]
    )
    early, late = ids[::2], ids[1::2]
    deployment.wait_for(f"select count(*) = {RUNS} from journal where kind = 1")
    ((minor,),) = deployment.rows("select distinct python_minor from journal")
    assert minor != sys.version_info.minor
    deployment.start_pool(today)

    # A peer under the same Python takes over whatever the first one held, though a pool under another is idle.
    first.kill_tree()
    flags[0].touch()
    assert deployment.results(today, early) == [5] * len(early)
    assert deployment.rows("select distinct python_minor from journal") == [(minor,)]
    assert deployment.rows("select state, count(*) from instances group by state order by 1") == [
        (InstanceState.RUNNING, len(late)),
        (InstanceState.COMPLETED, len(early)),
    ]

    # Nobody of that Python is left: the other goes on, and what was settled stays settled.
    settled, begun = deployment.settled(), deployment.begun()
    second.kill_tree()
    flags[1].touch()
    assert deployment.results(today, late) == [5] * len(late)
    ours = f"select distinct instance from journal where python_minor = {sys.version_info.minor}"
    assert {str(run) for (run,) in deployment.rows(ours)} == set(late)
    deployment.assert_none_again(settled, begun)
    deployment.assert_exactly_once(ids)
