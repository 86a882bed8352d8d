"""kill -9 of the pool, a worker, the runloop and the bridge: nothing lost, no committed step run again."""

import os
import signal
import time
from collections import Counter

import pytest

from tests.acceptance.conftest import Shop
from tests.support.processes import descendants, running, wait_until

pytestmark = pytest.mark.acceptance

STEPS = 6
RUNS = 12
START_MANY = f"""
async def main():
    runs = await shop.Chain.start_many([shop.Chain.call(str(n), {STEPS}, 0.05) for n in range({RUNS})])
    print(json.dumps([run.id for run in runs]))
asyncio.run(main())"""
RESULTS = """
async def main():
    print(json.dumps([await waymark.Run.get(i).result(timeout=60) for i in {ids!r}]))
asyncio.run(main())"""
JOURNALED = "select count(*) >= 20 from waymark.journal where kind = 1"


def committed(shop: Shop) -> int:
    """Steps that the journal holds as done."""
    return int(
        shop.rows("select count(*) from waymark.journal where kind = 1 and outcome_kind = 0")[0][0]
    )


def finished_steps(shop: Shop) -> Counter[tuple[str, str]]:
    """How often each step ran to its end, by the actions' own ledger."""
    return Counter((line[1], line[2]) for line in shop.lines("end"))


def assert_gapless(shop: Shop) -> None:
    """The journal of every instance counts 1, 2, 3, …"""
    gaps = shop.rows(
        "select instance from waymark.journal group by 1 having max(position) <> count(*) or min(position) <> 1"
    )
    assert gaps == []


def assert_all_done(shop: Shop, ids: list[str]) -> None:
    """Every run ended as plain Python would have, and every step was committed once."""
    assert shop.ask(RESULTS.format(ids=ids)) == [STEPS] * RUNS
    assert committed(shop) == RUNS * STEPS
    assert set(finished_steps(shop)) == {
        (str(n), str(s)) for n in range(RUNS) for s in range(STEPS)
    }
    assert_gapless(shop)


def test_kill_9_of_the_whole_pool_loses_nothing(shop: Shop) -> None:
    first = shop.start_pool()
    ids = shop.ask(START_MANY)
    shop.wait_for(JOURNALED)
    killed = [first.pid, *descendants(first.pid)]
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = committed(shop)
    ran = finished_steps(shop)
    shop.start_pool()
    assert_all_done(shop, ids)
    again = finished_steps(shop) - Counter(dict.fromkeys(ran, 1))
    in_flight_then = len(ran) - before
    assert sum(count for key, count in again.items() if key in ran) <= in_flight_then
    assert not [pid for pid in killed if running(pid)]


def test_kill_9_of_a_worker_takes_only_its_own_attempts(shop: Shop) -> None:
    pool = shop.start_pool()
    ids = shop.ask(START_MANY)
    shop.wait_for(JOURNALED)
    workers = {int(line[4]) for line in shop.lines("begin")}
    os.kill(min(workers), signal.SIGKILL)
    assert_all_done(shop, ids)
    assert pool.running


@pytest.mark.slow
def test_kill_9_of_the_runloop_is_mended_by_its_supervisor(shop: Shop) -> None:
    pool = shop.start_pool()
    ids = shop.ask(START_MANY)
    shop.wait_for(JOURNALED)
    runloop = next(
        seen for seen in shop.processes.left() if "waymark_worker.runloop" in seen.command
    )
    os.kill(runloop.pid, signal.SIGKILL)
    assert_all_done(shop, ids)
    assert pool.running


def test_kill_9_of_the_bridge_is_not_noticed_by_waiting_callers(shop: Shop) -> None:
    shop.start_pool()
    gate = shop.folder / "gate"
    waiting = shop.app(f"import shop\nprint(shop.Gate().run_sync({str(gate)!r}))")
    wait_until(lambda: shop.lines("held"), what="the action runs")
    bridge = next(seen for seen in shop.processes.left() if "waymark.bridge" in seen.command)
    os.kill(bridge.pid, signal.SIGKILL)
    gate.touch()
    assert waiting.wait() == 0, waiting.output
    assert waiting.lines[-1] == "open"
    assert shop.rows("select count(*) from waymark.instances") == [(1,)]


def test_a_supervisor_killed_alone_leaves_no_process_behind(shop: Shop) -> None:
    pool = shop.start_pool()
    family = descendants(pool.pid)
    os.kill(pool.pid, signal.SIGKILL)
    pool.wait()
    shop.processes.assert_none_left()
    assert family


def test_sigterm_drains_and_hands_back_what_is_not_done(shop: Shop) -> None:
    first = shop.start_pool()
    ids = shop.ask(START_MANY)
    shop.wait_for(JOURNALED)
    assert first.terminate() == 0
    assert shop.rows("select count(*) from waymark.instances where owner is not null") == [(0,)]
    before = finished_steps(shop)
    assert max(before.values()) == 1
    shop.start_pool()
    assert_all_done(shop, ids)
    assert max(finished_steps(shop).values()) == 1, "a drained step ran again"


@pytest.mark.slow
def test_a_sleep_outlives_every_process(shop: Shop) -> None:
    first = shop.start_pool()
    ids = shop.ask(
        """
run = shop.Chain.start_sync("sleeper", 2, 0.0, pause=3.0)
print(json.dumps([run.id]))"""
    )
    shop.wait_for("select count(*) > 0 from waymark.journal")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    began = time.monotonic()
    shop.start_pool()
    assert shop.ask(RESULTS.format(ids=ids)) == [2]
    assert time.monotonic() - began < 60
    assert len(shop.lines("end")) == 2


@pytest.mark.slow
def test_the_first_run_and_the_first_pool_can_meet_on_an_empty_database(
    shop: Shop, empty_database_url: str
) -> None:
    shop.url = empty_database_url
    asked = shop.app("import shop\nprint(shop.Chain().run_sync('x', 2, 0.0))")
    shop.start_pool()
    assert asked.wait() == 0, asked.output
    assert asked.lines[-1] == "2"
