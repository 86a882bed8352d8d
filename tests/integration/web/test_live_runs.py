"""A real pool and its runs in; what the real web server says of a call while it runs, and after it, out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import Farm, _farm
from tests.support.processes import wait_until
from tests.support.web import WebServer, visible

pytestmark = pytest.mark.postgres


@pytest.fixture
def farm(database_url: str, tmp_path: Path) -> Iterator[Farm]:
    """Pools on the database that the web server reads."""
    yield from _farm(database_url, tmp_path)


@pytest.mark.slow
def test_a_call_is_on_the_page_of_its_run_for_as_long_as_it_runs(
    farm: Farm, web: WebServer
) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))

    def page() -> str:
        return visible(web.fragment(f"/runs/{run}").text)

    wait_until(lambda: "Running now" in page(), what=page)
    now, history = page().split("Running now")[1].split("History")
    assert now.split(" for ")[0].strip() == "in flight until_told call 1"
    assert "worker 1" in now or "worker 2" in now
    assert str(flag) in now, "its inputs can be looked at"
    assert "returned add call 0" in history
    assert "until_told" not in history
    flag.touch()
    assert farm.finished([run]) == [str(flag)]
    ended = page()
    assert "Running now" not in ended
    assert "returned until_told call 1" in ended.split("History")[1]
    farm.stop(pool)
