"""Two pools under load, replaced one after the other, in; no step failed, lost or repeated, and no pause, out."""

import signal
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import READY, Farm
from tests.support.processes import Child, wait_until

pytestmark = pytest.mark.postgres

STEPS = 4
STEP_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0
"""The claim: no second without a settled step, whichever of the pools is being replaced."""


class _Load:
    """Runs enough to keep all slots of both pools busy, for as long as somebody waits for something."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self.ids: list[UUID] = []

    def until(self, true: Callable[[], bool], what: str) -> None:
        def turn() -> bool:
            waiting = self._farm.query("select count(*) from waymark.instances where state = 0")
            if waiting[0][0] < 40:
                runs = [(STEPS, STEP_SECONDS)] * 40
                self.ids += self._farm.queue(jobs.Slow, *runs)
            return true()

        wait_until(turn, seconds=100, what=what)


def _ready(pool: Child) -> Callable[[], bool]:
    return lambda: READY.replace("\\", "") in pool.output


def _replaced(farm: Farm, load: _Load, old: Child) -> Child:
    new = farm.launch()
    load.until(_ready(new), "the new pool is ready")
    old.send(signal.SIGTERM)
    load.until(lambda: not old.running, "the old pool has ended")
    assert old.wait() == 0, old.output
    return new


def _settled(farm: Farm, more: int) -> Callable[[], bool]:
    ((before,),) = farm.query("select count(*) from waymark.journal")
    return lambda: bool(
        farm.query("select count(*) >= %s from waymark.journal", before + more)[0][0]
    )


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_rolling_deploy_fails_and_repeats_nothing_and_never_pauses(farm: Farm) -> None:
    pools = [farm.start(), farm.start()]
    load = _Load(farm)
    load.until(_settled(farm, 200), "steps settle")
    ((begun,),) = farm.query("select clock_timestamp()")
    pools = [_replaced(farm, load, pool) for pool in pools]
    load.until(_settled(farm, 200), "steps settle after it")
    ((ended,),) = farm.query("select clock_timestamp()")
    assert farm.finished(load.ids, seconds=200) == [STEPS] * len(load.ids)
    steps = {(line[0], line[1]) for line in farm.ledger("slow")}
    assert len(farm.ledger("slow")) == len(steps) == STEPS * len(load.ids), "a step ran twice"
    assert farm.query("select count(*) from waymark.journal where kind <> 1") == [(0,)]
    farm.assert_exactly_once()
    ((pause, at, settled, seconds),) = farm.query(
        "select extract(epoch from pause), extract(epoch from finished_at - %s),"
        " count(*) over (), extract(epoch from %s - %s) from ("
        " select finished_at, finished_at - lag(finished_at) over (order by finished_at) as pause"
        " from waymark.journal where finished_at between %s and %s) as pauses"
        " order by pause desc nulls last limit 1",
        begun,
        ended,
        begun,
        begun,
        ended,
    )
    told = f"{settled} steps settled in {seconds:.1f} s, longest pause {pause:.3f} s"
    print(f"rolling deploy: {told}")  # noqa: T201 - a figure of the report
    for pool in pools:
        farm.stop(pool)
    assert pause < LONGEST_PAUSE_SECONDS, (
        f"{told}: it ended {at:.1f} s after the deploy began, and no second may pass without a settled step;"
        " a machine that has much else to do says nothing, so look at its load before at the code"
    )
