"""Calls that run for a while in; what a person is shown of them meanwhile, whoever runs them, out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.integration.worker import fleet_jobs, jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_until
from waymark.coercion import codec
from waymark_schema.database.execute import fetch_all_sync
from waymark_schema.database.sessions import open_session_sync
from waymark_schema.reports import run as report
from waymark_schema.reports.run import FlyingLine

pytestmark = pytest.mark.postgres


def _flying(farm: Farm, run: UUID) -> list[FlyingLine]:
    session = open_session_sync(farm.settings, application="test")
    try:
        return fetch_all_sync(session, report.flying(run))
    finally:
        session.connection.close()


def _wait_for_flying(farm: Farm, run: UUID, count: int) -> list[FlyingLine]:
    seen: list[FlyingLine] = []

    def all_there() -> bool:
        seen[:] = _flying(farm, run)
        return len(seen) == count

    wait_until(all_there, what=lambda: f"{count} calls in flight; there are {seen}")
    return seen


def _value(data: bytes | None) -> Any:
    return codec().decode(data or b"")


def test_a_call_that_runs_is_shown_and_gone_with_its_outcome(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    (line,) = _wait_for_flying(farm, run, 1)
    assert (line.action, line.attempt) == ("tests.integration.worker.jobs:until_told", 1)
    assert _value(line.inputs) == {"flag": str(flag)}
    assert line.worker in {1, 2}
    assert line.running_for.total_seconds() >= 0.2
    ((before,),) = farm.query("select count(*) from waymark.in_flight")
    assert before == 1, "the short call in front of it has left no row"
    flag.touch()
    assert farm.finished([run]) == [str(flag)]
    assert farm.query("select count(*) from waymark.in_flight") == [(0,)]
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.mark.slow
def test_who_takes_a_run_over_shows_its_own_calls(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    (first,) = _wait_for_flying(farm, run, 1)
    pool.kill_tree()
    farm.start()
    farm.wait_for_ledger("waits", 2)
    wait_until(
        lambda: [line.started_at > first.started_at for line in _flying(farm, run)] == [True],
        what=lambda: f"the second attempt is shown: {_flying(farm, run)}",
    )
    assert farm.query("select count(*) from waymark.in_flight") == [(1,)]
    flag.touch()
    assert farm.finished([run]) == [str(flag)]
    assert farm.query("select count(*) from waymark.in_flight") == [(0,)]


@pytest.mark.slow
def test_calls_that_another_pool_has_taken_are_shown_too(farm: Farm) -> None:
    farm.variables["WAYMARK_USER_MODULE"] = "tests.integration.worker.fleet_jobs"
    farm.variables["WAYMARK_CONCURRENT_PER_WORKER"] = "2"
    farm.start()
    flag = farm.folder / "open"
    (run,) = farm.queue(fleet_jobs.Gated, (str(flag), 8))
    assert {line.worker for line in _wait_for_flying(farm, run, 4)} <= {1, 2}
    farm.start()
    lines = _wait_for_flying(farm, run, 8)
    assert sorted(line.call for line in lines) == list(range(8))
    assert {line.action for line in lines} == {"tests.integration.worker.fleet_jobs:gate"}
    taken = [line for line in lines if line.worker is None]
    assert len(taken) == 4
    assert all(line.host and line.running_for.total_seconds() >= 0 for line in lines)
    flag.touch()
    assert farm.finished([run]) == [sum(range(8))]
    assert farm.query("select count(*) from waymark.in_flight") == [(0,)]
    farm.assert_exactly_once()
