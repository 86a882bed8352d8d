"""The workloads: a deployment in, figures out. Each goes through the public SDK, as an app would."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg

from benchmarks.app import Chain, Fan, One, Three

UNFINISHED = "select count(*) from waymark.instances where finished_at is null"
WORKFLOWS = 2000
IN_FLIGHT = 100
POLL_SECONDS = 0.01
Figures = dict[str, float]


@dataclass(frozen=True)
class Scale:
    """How much of each workload is run."""

    lone_runs: int = 200
    chain: int = 200
    fan: int = 1000
    workflows: int = WORKFLOWS


async def lone(scale: Scale, dsn: str) -> Figures:
    """A: one workflow of one action after the other, each awaited; milliseconds."""
    del dsn
    await One().run(0)
    took = []
    for number in range(scale.lone_runs):
        began = time.perf_counter()
        result = await One().run(number)
        took.append((time.perf_counter() - began) * 1000)
        _expect(result, number + 1)
    took.sort()
    return {"p50_ms": statistics.median(took), "p95_ms": took[int(len(took) * 0.95)]}


async def chain(scale: Scale, dsn: str) -> Figures:
    """B: one workflow of many sequential actions; steps per second."""
    del dsn
    await Chain().run(3)
    began = time.perf_counter()
    _expect(await Chain().run(scale.chain), scale.chain)
    return {"per_second": scale.chain / (time.perf_counter() - began)}


async def fan(scale: Scale, dsn: str) -> Figures:
    """C: one workflow whose actions run side by side; actions per second."""
    del dsn
    await Fan().run(3)
    began = time.perf_counter()
    _expect(await Fan().run(scale.fan), scale.fan * (scale.fan + 1) // 2)
    return {"per_second": scale.fan / (time.perf_counter() - began)}


async def many(scale: Scale, dsn: str) -> Figures:
    """D: many short workflows, from the first enqueue to the last end; workflows per second."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as session:
        before = await _wal(session)
        began = time.perf_counter()
        await Three.start_many([Three.call(number) for number in range(scale.workflows)])
        enqueued = time.perf_counter()
        await _until_finished(session)
        ended = time.perf_counter()
        after = await _wal(session)
    actions = scale.workflows * 3
    return {
        "per_second": scale.workflows / (ended - began),
        "enqueue_per_second": scale.workflows / (enqueued - began),
        "wal_bytes_per_action": (after["bytes"] - before["bytes"]) / actions,
        "commits_per_action": (after["commits"] - before["commits"]) / actions,
    }


async def enqueue_singly(scale: Scale, dsn: str) -> Figures:
    """D's enqueue, one by one with 100 in flight; starts per second."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> None:
        async with gate:
            await Three.start(number)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(scale.workflows):
            group.create_task(one(number))
    took = time.perf_counter() - began
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as session:
        await _until_finished(session)
    return {"per_second": scale.workflows / took}


async def _until_finished(session: psycopg.AsyncConnection) -> None:
    while True:
        cursor = await session.execute(UNFINISHED)
        row = await cursor.fetchone()
        if row is not None and row[0] == 0:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _wal(session: psycopg.AsyncConnection) -> dict[str, float]:
    cursor = await session.execute(
        "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn,"
        # Every transaction that writes takes a number; the server's statistics lag by seconds.
        " pg_current_xact_id()::text::bigint"
    )
    row = await cursor.fetchone()
    assert row is not None
    return {"bytes": float(row[0]), "commits": float(row[1])}


def _expect(found: object, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"a workload returned {found!r}; expected {wanted!r}")


Workload = Callable[[Scale, str], Awaitable[Figures]]
WORKLOADS: dict[str, Workload] = {"A": lone, "B": chain, "C": fan, "D": many, "E": enqueue_singly}
