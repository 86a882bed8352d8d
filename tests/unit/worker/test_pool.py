"""Attempts and the words of fake workers in; who runs what, who is replaced and what is told out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.unit.worker.fakes import Stable, until
from waymark_schema.wire.frames import PROTOCOL, RAISED, CallEnd, Ends
from waymark_worker.pool import crew
from waymark_worker.pool.vigil import Limits

Make = Callable[..., Awaitable[Stable]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Stable] = []

    async def build(*, ready: bool = True, **options: Any) -> Stable:
        stable = Stable(**options)
        made.append(stable)
        if ready:
            await stable.ready()
        return stable

    yield build
    for stable in made:
        await stable.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited before each new worker; nobody waits."""
    waited: list[float] = []

    async def pause(_crew: crew.Crew, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(crew.Crew, "_pause", pause)
    return waited


async def test_the_least_busy_worker_gets_the_next_attempt(make: Make) -> None:
    stable = await make(size=3, window=4)
    stable.submit(6)
    await until(lambda: sum(len(worker.starts) for worker in stable.workers) == 6)
    assert [len(worker.starts) for worker in stable.workers] == [2, 2, 2]


async def test_what_finds_no_slot_waits_its_turn(make: Make) -> None:
    stable = await make(size=1, window=2)
    first, second, third = stable.submit(3)
    assert (stable.pool.queued, stable.pool.free_slots, stable.pool.slots) == (1, 0, 2)
    (worker,) = stable.workers
    await until(lambda: len(worker.starts) == 2)
    worker.end(first.ticket)
    await until(lambda: third.runs)
    assert stable.pool.queued == 0
    assert [attempt for attempt, _ in stable.listener.ended] == [first]
    assert second.runs


async def test_calls_of_one_turn_leave_as_one_frame_behind_their_types(make: Make) -> None:
    stable = await make(size=1, window=10)
    stable.submit(5)
    (worker,) = stable.workers
    await until(lambda: len(worker.starts) == 5)
    assert worker.frames == ["KnownTypes", "Calls"]
    assert worker.known[0].digests == [b"p" * 32]
    stable.submit(1, program=b"q" * 32)
    await until(lambda: len(worker.starts) == 6)
    assert [start.program for start in worker.starts] == [0] * 5 + [1]


async def test_many_bytes_leave_as_several_frames(make: Make) -> None:
    stable = await make(size=1, window=10)
    stable.submit(7, arguments=b"x" * (3 * 1024 * 1024))
    (worker,) = stable.workers
    await until(lambda: len(worker.starts) == 7)
    assert worker.frames.count("Calls") == 7


async def test_a_worker_that_dies_takes_only_its_own_attempts(make: Make) -> None:
    stable = await make(size=2, window=2)
    attempts = stable.submit(4)
    first = stable.workers[0]
    mine = [attempt for attempt in attempts if attempt.worker_number == 1]
    first.process.end(-11)
    await until(lambda: stable.listener.lost)
    assert stable.listener.lost == [(mine, "worker 1 ended with signal 11")]
    await until(lambda: len(stable.workers) == 3)
    assert [attempt.runs for attempt in attempts].count(True) == 2


async def test_workers_that_die_at_once_are_started_ever_more_slowly_whoever_else_works(
    make: Make, pauses: list[float]
) -> None:
    stable = await make(size=2, window=1)
    for number in range(2, 7):
        busy, idle = stable.workers[0], stable.workers[-1]
        (attempt,) = stable.submit(1)
        await until(lambda at=busy: at.starts)  # type: ignore[misc] # the worker of this turn
        busy.end(attempt.ticket)
        await until(lambda at=attempt: not at.runs)  # type: ignore[misc] # likewise
        idle.process.end(-9)
        await until(lambda count=number + 1: len(stable.workers) == count)  # type: ignore[misc]
        stable.workers[-1].hello()
        await until(lambda count=number + 1: len(stable.listener.hellos) == count)  # type: ignore[misc]
    assert pauses == sorted(set(pauses)), "each is longer than the one before"
    assert pauses[-1] == 16 * pauses[0]
    # The first call that one of the new ones ends was the last failure.
    stable.submit(2)
    newest = stable.workers[-1]
    await until(lambda: newest.starts)
    newest.end()
    await until(lambda: len(stable.listener.ended) == 6)
    newest.process.end(-9)
    await until(lambda: len(stable.workers) == 8)
    assert pauses[-1] < pauses[0], "a life in which it did something is no failure"


async def test_who_began_before_a_failure_does_not_show_that_it_has_passed(
    make: Make, pauses: list[float]
) -> None:
    stable = await make(size=4, window=1)
    elders = stable.workers[:3]
    stable.submit(4)
    await until(lambda: all(elder.starts for elder in elders))
    for turn, elder in enumerate(elders, 1):
        stable.workers[-1].process.end(-9)
        await until(lambda count=4 + turn: len(stable.workers) == count)  # type: ignore[misc] # of this turn
        elder.end()
        await until(lambda count=turn: len(stable.listener.ended) == count)  # type: ignore[misc] # likewise
    assert pauses == sorted(set(pauses)), "each is longer than the one before"


async def test_a_withdrawn_attempt_that_waits_never_starts(make: Make) -> None:
    stable = await make(size=1, window=1)
    running, waiting = stable.submit(2)
    assert stable.pool.withdraw(waiting) is True
    stable.workers[0].end(running.ticket) if running.runs else None
    await until(lambda: stable.listener.ended)
    assert stable.pool.queued == 0
    assert not waiting.runs


async def test_a_withdrawn_attempt_that_runs_is_cancelled_and_its_end_is_nobodys(
    make: Make,
) -> None:
    stable = await make(size=1, window=1)
    (attempt,) = stable.submit(1)
    (worker,) = stable.workers
    await until(lambda: worker.starts)
    assert stable.pool.withdraw(attempt) is False
    await until(lambda: worker.cancelled == [attempt.ticket])
    worker.end(attempt.ticket, kind=RAISED)
    await until(lambda: stable.listener.gone)
    assert stable.listener.gone == [attempt]
    assert stable.listener.ended == []


async def test_who_ignores_a_cancellation_is_killed_once_its_neighbours_are_done(
    make: Make,
) -> None:
    stable = await make(size=1, window=2, limits=Limits(cancel_grace=0.05))
    deaf, neighbour = stable.submit(2)
    (worker,) = stable.workers
    await until(lambda: len(worker.starts) == 2)
    stable.pool.withdraw(deaf)
    await until(lambda: len(stable.workers) == 2)
    assert worker.process.returncode is None, "its neighbour still runs"
    worker.end(neighbour.ticket)
    await until(lambda: worker.process.returncode == -9)
    assert [attempt for attempt, _ in stable.listener.ended] == [neighbour]
    await until(lambda: stable.listener.gone == [deaf])
    assert stable.listener.lost == []


async def test_a_timeout_is_told_once_and_not_of_what_was_given_up(make: Make) -> None:
    stable = await make(size=1, window=2)
    timed, given_up = stable.submit(2, timeout=0.03)
    stable.pool.withdraw(given_up)
    await until(lambda: stable.listener.timed_out)
    await asyncio.sleep(0.05)
    assert stable.listener.timed_out == [timed]


async def test_a_suspect_runs_alone(make: Make) -> None:
    stable = await make(size=2, window=2)
    neighbours = stable.submit(4)
    (suspect,) = stable.submit(1, alone=True)
    assert not suspect.runs
    first, second = stable.workers
    await until(lambda: len(first.starts) == 2 and len(second.starts) == 2)
    first.end()
    await until(lambda: suspect.runs)
    assert suspect.worker_number == 1
    # Nobody joins it, though there is room.
    second.end()
    later = stable.submit(3)
    await until(lambda: len(second.starts) == 2)
    assert [attempt.worker_number for attempt in later] == [2, 2, None]
    assert neighbours[0].runs is False
    first.end()
    await until(lambda: later[2].runs)
    assert later[2].worker_number == 1


async def test_a_suspect_on_the_only_worker_holds_the_others_back_no_longer_than_it_runs(
    make: Make,
) -> None:
    stable = await make(size=1, window=3)
    (suspect,) = stable.submit(1, alone=True)
    (worker,) = stable.workers
    await until(lambda: worker.starts)
    others = stable.submit(2)
    assert [attempt.runs for attempt in others] == [False, False]
    worker.end(suspect.ticket)
    await until(lambda: all(attempt.runs for attempt in others))


async def test_recycling_starts_the_replacement_first(make: Make) -> None:
    stable = await make(size=1, window=2, lifecycle=3)
    (old,) = stable.workers
    for _ in range(3):
        (attempt,) = stable.submit(1)
        await until(lambda: old.starts)
        old.end(attempt.ticket)
        await until(lambda: not attempt.runs)  # noqa: B023 - awaited in the same turn
    await until(lambda: len(stable.workers) == 2)
    (attempt,) = stable.submit(1)
    await until(lambda: old.starts)
    assert attempt.worker_number == 1, "it works until the other one is ready"
    assert not old.draining
    stable.workers[1].hello()
    await until(lambda: old.draining)
    (later,) = stable.submit(1)
    assert later.worker_number == 2
    old.end(attempt.ticket)
    old.process.end(0)
    await until(lambda: len(tuple(stable.pool.workers())) == 1)
    assert stable.listener.lost == []
    assert len(stable.workers) == 2


async def test_a_thread_that_nobody_waits_for_gets_its_worker_replaced(make: Make) -> None:
    stable = await make(size=1, window=2, limits=Limits(cancel_grace=0.05))
    (old,) = stable.workers
    stable.submit(1)
    await until(lambda: old.starts)
    for _ in range(3):
        old.tick(running=1)
        await asyncio.sleep(0.03)
    assert len(stable.workers) == 1, "what was sent there may run there"

    def told() -> bool:
        old.tick(running=2)
        return len(stable.workers) == 2

    await until(told)
    stable.workers[1].hello()
    await until(lambda: old.draining)


async def test_a_thread_that_ends_in_time_costs_no_worker(make: Make) -> None:
    stable = await make(size=1, window=2, limits=Limits(cancel_grace=0.1))
    (old,) = stable.workers
    for running in (1, 0, 1, 0, 1, 0):
        old.tick(running=running)
        await asyncio.sleep(0.04)
    assert len(stable.workers) == 1


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        ({"protocol": PROTOCOL + 1}, "waymark-worker is older"),
        ({"protocol": PROTOCOL - 1}, "waymark-sdk is older"),
        ({"token": "guessed"}, "not the one that was started"),
    ],
)
async def test_a_hello_that_does_not_fit_is_refused(
    make: Make, hello: dict[str, Any], reason: str
) -> None:
    stable = await make(size=1, ready=False)
    await stable.pool.start()
    (worker,) = stable.workers
    worker.hello(**hello)
    await until(lambda: stable.listener.refusals)
    assert reason in stable.listener.refusals[0]
    assert worker.process.returncode == -9
    assert stable.listener.hellos == []


async def test_a_module_that_cannot_be_imported_ends_the_start(make: Make) -> None:
    stable = await make(size=2, ready=False)
    await stable.pool.start()
    for worker in stable.workers:
        worker.fail("no module named 'shop'")
    await until(lambda: len(stable.listener.refusals) == 2)
    assert stable.listener.refusals[0] == "no module named 'shop'"
    await asyncio.sleep(0.1)
    assert len(stable.workers) == 2


async def test_a_proven_pool_tries_again_when_a_later_worker_cannot_import(make: Make) -> None:
    stable = await make(size=1)
    stable.workers[0].process.end(1)
    await until(lambda: len(stable.workers) == 2)
    stable.workers[1].fail("half a deployment")
    await until(lambda: len(stable.workers) == 3)
    stable.workers[2].hello()
    (attempt,) = stable.submit(1)
    await until(lambda: attempt.runs)


async def test_a_proven_pool_tries_again_when_a_process_cannot_be_started(make: Make) -> None:
    stable = await make(size=1)
    stable.broken_starts = 2
    stable.workers[0].process.end(1)
    await until(lambda: len(stable.workers) == 2)
    assert stable.listener.refusals == []


async def test_workers_that_end_before_their_hello_end_the_start(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "MAX_BACKOFF_SECONDS", 0.001)
    stable = await make(size=1, ready=False)
    await stable.pool.start()
    for number in range(3):
        await until(lambda: len(stable.workers) == number + 1)  # noqa: B023 - awaited in the same turn
        stable.workers[number].process.end(1)
    await until(lambda: stable.listener.refusals)
    assert "end before they are ready (exit status 1)" in stable.listener.refusals[0]


async def test_garbage_on_the_socket_ends_the_worker(make: Make) -> None:
    stable = await make(size=1)
    (attempt,) = stable.submit(1)
    worker = stable.workers[0]
    worker._theirs.sendall(b"\xff\xff\xff\x7fgarbage")
    await until(lambda: worker.process.returncode == -9)
    await until(lambda: stable.listener.lost)
    assert stable.listener.lost[0][0] == [attempt]


async def test_an_end_of_an_unknown_ticket_is_nobodys(make: Make) -> None:
    stable = await make(size=1)
    (attempt,) = stable.submit(1)
    worker = stable.workers[0]
    await until(lambda: worker.starts)
    worker.send(Ends([CallEnd(999, 0, b"", 0.0, 0.0)]))
    worker.end(attempt.ticket)
    worker.send(Ends([CallEnd(attempt.ticket, 0, b"", 0.0, 0.0)]))
    await until(lambda: stable.listener.ended)
    worker.tick()
    await until(lambda: stable.listener.freed >= 3)
    assert [each for each, _ in stable.listener.ended] == [attempt]


async def test_a_pool_that_drains_starts_nothing_of_what_waits(make: Make) -> None:
    stable = await make(size=1, window=1)
    running, waiting = stable.submit(2)
    stable.pool.hold()
    (worker,) = stable.workers
    await until(lambda: worker.starts)
    worker.end(running.ticket)
    await until(lambda: stable.listener.ended)
    await asyncio.sleep(0.05)
    assert not waiting.runs
    assert stable.pool.queued == 1


async def test_nothing_starts_while_the_lease_is_not_sure(make: Make) -> None:
    """Neither what comes nor what waits: somebody else may have been given it by now."""
    sure = [True]
    stable = await make(size=1, window=1, may_start=lambda: sure[0])
    running, waiting = stable.submit(2)
    (worker,) = stable.workers
    await until(lambda: worker.starts)
    sure[0] = False
    worker.end(running.ticket)
    await until(lambda: stable.listener.ended)
    (late,) = stable.submit(1)
    assert (stable.pool.queued, stable.pool.free_slots) == (2, 0)
    assert (waiting.runs, late.runs) == (False, False)
    stable.pool.fill()
    assert stable.pool.queued == 2
    sure[0] = True
    stable.pool.fill()
    assert (waiting.runs, late.runs) == (True, False)


async def test_stop_drains_and_kills_who_does_not_end(make: Make) -> None:
    stable = await make(size=2)
    stable.submit(1)
    await until(lambda: stable.workers[0].starts)
    await stable.pool.stop(grace=0.1)
    assert stable.workers[0].cancelled == [stable.workers[0].starts[0].ticket]
    assert stable.listener.lost == [], "what was cut off has nobody to blame"
    assert [worker.draining for worker in stable.workers] == [True, True]
    assert [worker.process.returncode for worker in stable.workers] == [-9, -9]
    await stable.pool.stop(grace=0.1)
    await asyncio.sleep(0.1)
    assert len(stable.workers) == 2
