"""Pools at rest and at work in; how many connections they hold, under which names, and what they ask, out."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.integration.bridge.greetings import Counting
from tests.integration.trouble import trouble_jobs as jobs
from tests.integration.trouble.conftest import Proxied
from tests.integration.worker.conftest import Farm
from tests.support.bridges import bridges_of_test, finish, forget_settings, rows
from tests.support.processes import Processes, wait_until
from tests.support.web import start_web
from waymark_schema.tables import leases

pytestmark = pytest.mark.postgres

_BEAT = leases.HEARTBEAT.sql("waymark").decode()


@pytest.mark.slow
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


_SESSIONS = (
    "select application_name, count(*) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
    " and backend_type = 'client backend' group by application_name"
)


def _most(farm: Farm, over: Callable[[], bool]) -> dict[str, int]:
    """The most sessions that were seen of each name, the process's id taken out of it."""
    most: dict[str, int] = {}

    def seen() -> bool:
        for name, count in farm.query(_SESSIONS):
            most[name] = max(most.get(name, 0), count)
        return over()

    wait_until(seen, seconds=90, what=lambda: f"all finished; seen so far {most}")
    return most


def _kinds(most: dict[str, int]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for name, count in most.items():
        kind = re.sub(r"^waymark pool [0-9a-f]{12}(/\d+)?(:\d+)?$", _kind, name)
        kinds[kind] = max(kinds.get(kind, 0), count)
    return kinds


def _kind(found: re.Match[str]) -> str:
    return "runloop" if found[1] else "supervisor"


@pytest.mark.parametrize("size", [None, 2])
def test_each_process_holds_as_many_as_the_page_says_and_no_more_than_is_allowed(
    farm: Farm, size: int | None
) -> None:
    if size is not None:
        farm.variables["WAYMARK_DATABASE_POOL_SIZE"] = str(size)
    farm.variables["WAYMARK_CONCURRENT_PER_WORKER"] = "2"
    pools = [farm.start(), farm.start()]
    ids = (
        farm.queue(jobs.TroubledFan, (300,), (300,))
        + farm.queue(jobs.Steps, *[(10, 0.0)] * 20)
        + farm.queue(jobs.Sleeps, (0.5,))
    )
    states = "select count(*) = 0 from waymark.instances where state < 4"
    most = _most(farm, lambda: bool(farm.query(states)[0][0]))
    assert not [value for value in farm.finished(ids) if isinstance(value, BaseException)]
    farm.assert_exactly_once()
    kinds = _kinds(most)
    assert kinds.keys() <= {"supervisor", "runloop"}, "every connection has a name"
    assert kinds["supervisor"] == 2
    assert 2 <= kinds["runloop"] <= (size or 7)
    for pool in pools:
        farm.stop(pool)


@pytest.mark.waymark_real
@pytest.mark.parametrize("size", [None, 2])
async def test_a_bridge_holds_seven_or_what_is_allowed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    with bridges_of_test() as bridges:
        monkeypatch.setenv("WAYMARK_DATABASE_URL", database_url)
        monkeypatch.setenv("WAYMARK_RUNTIME_DIR", str(bridges.home))
        if size is not None:
            monkeypatch.setenv("WAYMARK_DATABASE_POOL_SIZE", str(size))
        forget_settings()
        runs = await asyncio.gather(*(Counting.start(n) for n in range(20)))
        keyed = await Counting.options(idempotency_key="one").start(1)
        await keyed.status()
        waiting = asyncio.ensure_future(runs[0].result(timeout=60))
        seen = rows(database_url, _SESSIONS)
        assert {name for name, _ in seen} == {"waymark bridge"}
        assert 2 <= seen[0][1] <= (size or 7)
        await asyncio.to_thread(finish, database_url, [runs[0].id], result=2)
        assert await waiting == 2


_BLOCKED = (
    "select count(*) from pg_stat_activity where application_name = 'waymark web'"
    " and datname = current_database() and wait_event_type = 'Lock'"
)


@pytest.mark.slow
@pytest.mark.parametrize("size", [None, 2])
def test_the_web_holds_four_or_what_is_allowed(
    database_url: str, processes: Processes, size: int | None
) -> None:
    allowed = {} if size is None else {"WAYMARK_DATABASE_POOL_SIZE": str(size)}
    web, most = start_web(processes, database_url, environment=allowed), size or 4
    with ThreadPoolExecutor(8) as browsers:
        with psycopg.connect(database_url) as gate:
            gate.execute("lock table waymark.instances")
            # Those that find no session in time say so; the others keep theirs for as long as it takes.
            held_up = [browsers.submit(web.get, "/") for _ in range(8)]
            wait_until(lambda: rows(database_url, _BLOCKED) == [(most,)], what="all are in use")
        assert 200 in {each.result().status_code for each in held_up}
        answers = list(browsers.map(lambda _: web.get("/").status_code, range(24)))
    assert answers == [200] * 24
    assert rows(database_url, _SESSIONS) == [("waymark web", most)]
