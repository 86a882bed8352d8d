"""Signs of life and silence of fake workers in; who is sent nothing, relieved, replaced or killed out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.unit.worker.fakes import Stable, until
from waymark_worker.pool import vigil
from waymark_worker.pool.vigil import Limits

Make = Callable[..., Awaitable[Stable]]


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    monkeypatch.setattr(vigil, "LOOK_SECONDS", 0.01)
    made: list[Stable] = []

    async def build(**options: Any) -> Stable:
        stable = Stable(**options)
        made.append(stable)
        await stable.ready()
        return stable

    yield build
    for stable in made:
        await stable.close()


async def test_what_has_not_begun_in_a_worker_that_stands_still_goes_to_others(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    stable = await make(size=2, window=2)
    attempts = stable.submit(4)
    first, second = stable.workers
    await until(lambda: len(first.starts) == 2 and len(second.starts) == 2)
    blocker, behind = [attempt for attempt in attempts if attempt.worker_number == 1]
    first.stand_still(blocker.ticket)
    await until(lambda: first.asked_back)
    assert first.asked_back == [blocker.ticket, behind.ticket]
    told = capsys.readouterr().out
    assert "worker.blocked" in told
    assert "m:act" in told
    assert "jobs.py:12" in told
    (later,) = stable.submit(1)
    assert not later.runs, "nothing more is sent there"
    assert stable.pool.free_slots == 0
    first.give_back(behind.ticket)
    await until(lambda: behind.worker_number is None)
    second.end()
    await until(lambda: behind.runs and later.runs)
    assert (behind.worker_number, later.worker_number) == (2, 2)
    assert [start.ticket for start in second.starts] == [behind.ticket, later.ticket]
    assert stable.listener.lost == []
    # Its tick says that it moves again.
    (next_one,) = stable.submit(1)
    assert not next_one.runs
    first.tick()
    await until(lambda: next_one.worker_number == 1)


async def test_what_is_taken_back_after_it_was_given_up_is_gone(make: Make) -> None:
    stable = await make(size=1, window=2)
    blocker, behind = stable.submit(2, timeout=30.0)
    (worker,) = stable.workers
    await until(lambda: len(worker.starts) == 2)
    worker.stand_still(blocker.ticket)
    await until(lambda: worker.asked_back)
    stable.pool.withdraw(behind)
    worker.give_back(behind.ticket, behind.ticket, 999)
    await until(lambda: stable.listener.gone)
    assert stable.listener.gone == [behind]
    assert stable.pool.queued == 0


async def test_a_blocker_that_ignores_its_cancellation_is_ended_with_all_that_wait_behind_it(
    make: Make,
) -> None:
    stable = await make(size=1, window=2, limits=Limits(cancel_grace=0.05))
    blocker, neighbour = stable.submit(2)
    (worker,) = stable.workers
    await until(lambda: len(worker.starts) == 2)
    worker.stand_still(blocker.ticket)
    await until(lambda: worker.asked_back)
    stable.pool.withdraw(blocker)
    await until(lambda: worker.process.returncode == -9)
    await until(lambda: stable.listener.lost)
    assert [each for each, _ in stable.listener.lost] == [[neighbour]]
    assert stable.listener.gone == [blocker]


async def test_a_silent_worker_is_sent_nothing_and_then_killed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vigil, "SILENT_SECONDS", 0.05)
    stable = await make(size=2, window=1, limits=Limits(hang_seconds=0.5))
    first, second = stable.workers
    (attempt,) = stable.submit(1)
    await until(lambda: first.starts)

    def other_ticks_until(true: Callable[[], object]) -> Callable[[], object]:
        def turn() -> object:
            second.tick()
            return true()

        return turn

    await until(other_ticks_until(lambda: next(iter(stable.pool.workers())).blocked_at))
    worker = next(iter(stable.pool.workers()))
    assert worker.state == "blocked"
    await until(other_ticks_until(lambda: first.process.returncode == -9))
    await until(lambda: stable.listener.lost)
    ((lost, reason),) = stable.listener.lost
    assert lost == [attempt]
    assert "its event loop had not moved for" in reason
    assert second.process.returncode is None
    await until(other_ticks_until(lambda: len(stable.workers) == 3))


async def test_a_time_in_which_this_process_itself_stood_still_is_no_silence_of_its_workers(
    make: Make,
) -> None:
    stable = await make(size=1, limits=Limits(hang_seconds=10.0))
    (worker,) = stable.pool.workers()
    stable.pool._vigil._looked_at -= 3_600.0  # as if its last look had been an hour ago
    await until(lambda: worker.silent_seconds)
    assert worker.silent_seconds < 10.0
    assert worker.process.returncode is None


async def test_who_ticks_is_never_killed_and_without_a_limit_nobody_is(make: Make) -> None:
    stable = await make(size=1, limits=Limits(hang_seconds=0.3))
    unlimited = await make(size=1)
    (worker,) = stable.workers
    for turn in range(60):
        worker.tick(memory=turn)
        await until(lambda: next(iter(stable.pool.workers())).resident_bytes == turn)  # noqa: B023 - awaited in the same turn
    assert worker.process.returncode is None
    assert unlimited.workers[0].process.returncode is None


async def test_a_bloated_worker_works_on_until_its_replacement_is_ready(make: Make) -> None:
    stable = await make(size=1, window=2, limits=Limits(memory_bytes=5_000))
    (old,) = stable.workers
    (attempt,) = stable.submit(1)
    old.tick(memory=5_000)
    await until(lambda: old.starts)
    assert len(stable.workers) == 1
    old.tick(memory=5_001)
    await until(lambda: len(stable.workers) == 2, turns=600)
    (more,) = stable.submit(1)
    assert more.worker_number == 1
    stable.workers[1].hello()
    await until(lambda: old.draining)
    assert attempt.runs
    old.end()
    await until(lambda: len(stable.listener.ended) == 2)
    assert stable.listener.lost == []


async def test_workers_that_are_too_big_at_once_are_replaced_more_and_more_slowly(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    stable = await make(size=1, limits=Limits(memory_bytes=1))
    replace = stable.pool.replace

    def noted(worker: Any, *, after: float = 0.0) -> None:
        asked.append(after)
        replace(worker)

    monkeypatch.setattr(stable.pool, "replace", noted)
    for number in range(1, 5):
        stable.workers[-1].tick(memory=2)
        await until(lambda: len(stable.workers) == number + 1)  # noqa: B023 - awaited in the same turn
        stable.workers[-1].hello()
        await until(lambda: stable.workers[-2].draining)
    assert asked == [1.0, 2.0, 4.0, 8.0]


async def test_a_stop_does_not_wait_for_a_replacement_that_is_due_later(make: Make) -> None:
    stable = await make(size=1, limits=Limits(memory_bytes=1))
    (worker,) = stable.workers
    worker.tick(memory=2)
    await until(lambda: next(iter(stable.pool.workers())).replaced)
    worker.process.end(0)
    await stable.pool.stop(grace=60.0)
    assert len(stable.workers) == 1
