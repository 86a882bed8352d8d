"""Bridges killed at the worst moments in; nothing lost, nothing doubled, nobody left waiting out."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal

import pytest

from tests.integration.bridge.greetings import Counting
from tests.support.bridges import Bridges, finish, rows
from tests.support.processes import wait_for_end


async def _kill_often(bridges: Bridges, *, until: asyncio.Event, gap: float) -> int:
    killed = 0
    while not until.is_set():
        for pid in bridges.pids:
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(wait_for_end, [pid])
            killed += 1
        try:
            await asyncio.wait_for(until.wait(), gap)
        except TimeoutError:
            continue
    return killed


async def test_callers_go_on_waiting_and_the_next_start_boots_another(
    bridges: Bridges, database_url: str
) -> None:
    run = await Counting.start(1)
    waiting = asyncio.ensure_future(run.result(timeout=60))
    await asyncio.wait([waiting], timeout=0.2)
    first = bridges.pid
    os.kill(first, signal.SIGKILL)
    again = await Counting.start(2)
    assert bridges.pid != first
    await asyncio.to_thread(finish, database_url, [run.id, again.id], result=11)
    assert await waiting == 11
    assert await again.result(timeout=20) == 11


async def test_a_waiting_caller_alone_boots_the_next_bridge(
    bridges: Bridges, database_url: str
) -> None:
    run = await Counting.start(1)
    waiting = asyncio.ensure_future(run.result(timeout=60))
    await asyncio.wait([waiting], timeout=0.2)
    bridges.kill()
    await asyncio.to_thread(finish, database_url, [run.id], result=3)
    assert await waiting == 3


@pytest.mark.slow
async def test_a_thousand_starts_under_kills_are_a_thousand_rows(
    bridges: Bridges, database_url: str
) -> None:
    await Counting.start(-1)
    done = asyncio.Event()
    killing = asyncio.ensure_future(_kill_often(bridges, until=done, gap=0.9))

    async def start(number: int) -> str:
        await asyncio.wait([killing], timeout=(number % 100) * 0.04)
        return (await Counting.start(number)).id

    ids = await asyncio.gather(*(start(number) for number in range(1_000)))
    done.set()
    assert await killing >= 3
    stored = {id_ for (id_,) in rows(database_url, "select id::text from waymark.instances")}
    assert len(set(ids)) == 1_000
    assert set(ids) < stored
    assert len(stored) == 1_001


async def test_keyed_starts_under_kills_are_one_row_each(
    bridges: Bridges, database_url: str
) -> None:
    await Counting.start(-1)
    done = asyncio.Event()
    killing = asyncio.ensure_future(_kill_often(bridges, until=done, gap=0.9))

    async def start(number: int) -> str:
        await asyncio.wait([killing], timeout=number * 0.02)
        return (await Counting.options(idempotency_key=f"k{number % 50}").start(number)).id

    ids = await asyncio.gather(*(start(number) for number in range(150)))
    done.set()
    await killing
    assert len(set(ids)) == 50
    assert len(rows(database_url)) == 51


async def test_a_stopped_bridge_says_goodbye_and_the_next_one_serves(bridges: Bridges) -> None:
    await Counting.start(1)
    first = bridges.pid
    os.kill(first, signal.SIGTERM)
    await Counting.start(2)  # perhaps it comes before the signal
    await asyncio.to_thread(wait_for_end, [first])
    await Counting.start(3)
    assert bridges.pid != first
    assert "Traceback" not in bridges.log


async def test_a_directory_that_was_cleaned_away_is_made_again(bridges: Bridges) -> None:
    await Counting.start(1)
    first = bridges.pid
    for path in bridges.home.iterdir():
        shutil.rmtree(path)
    # The link that this loop holds goes on working; another loop finds nobody and boots the next bridge.
    await Counting.start(2)
    await asyncio.to_thread(asyncio.run, Counting.start(3))
    (second,) = bridges.pids
    assert second != first
    os.kill(first, signal.SIGTERM)
    await asyncio.to_thread(wait_for_end, [first])
    assert bridges.sockets, "the bridge that left took the socket of the next one with it"
    await asyncio.to_thread(asyncio.run, Counting.start(4))
    assert bridges.pids == [second]
