"""The workloads: a deployment in, figures out. Each goes through the public SDK, as an app would."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg

from benchmarks.app import Chain, Fan, Nap, One, Slow, Three
from benchmarks.deployment import Deployment

FINISHED = "select count(*) = 0 from waymark.instances where finished_at is null"
QUIET = """
select not exists (select from waymark.instances where state = 0)
    and not exists (select from waymark.instances where owner is not null)
"""
"""Nothing is queued or runs, however many sleep."""
WORKFLOWS = 2000
IN_FLIGHT = 100
POLL_SECONDS = 0.01
NOW = "select extract(epoch from clock_timestamp())::float8"
Figures = dict[str, float]


@dataclass(frozen=True)
class Scale:
    """How much of each workload is run."""

    lone_runs: int = 200
    chain: int = 200
    fan: int = 1000
    workflows: int = WORKFLOWS
    naps: int = 1000
    nap_seconds: float = 5.0
    interrupted: int = 200
    long_chain: int = 10_000


async def lone(scale: Scale, deployment: Deployment) -> Figures:
    """A: one workflow of one action after the other, each awaited; milliseconds."""
    del deployment
    await One().run(0)
    took = []
    for number in range(scale.lone_runs):
        began = time.perf_counter()
        result = await One().run(number)
        took.append((time.perf_counter() - began) * 1000)
        _expect(result, number + 1)
    took.sort()
    return {"p50_ms": statistics.median(took), "p95_ms": took[int(len(took) * 0.95)]}


async def chain(scale: Scale, deployment: Deployment) -> Figures:
    """B: one workflow of many sequential actions; steps per second."""
    del deployment
    await Chain().run(3)
    began = time.perf_counter()
    _expect(await Chain().run(scale.chain), scale.chain)
    return {"per_second": scale.chain / (time.perf_counter() - began)}


async def fan(scale: Scale, deployment: Deployment) -> Figures:
    """C: one workflow whose actions run side by side; actions per second."""
    del deployment
    await Fan().run(3)
    began = time.perf_counter()
    _expect(await Fan().run(scale.fan), scale.fan * (scale.fan + 1) // 2)
    return {"per_second": scale.fan / (time.perf_counter() - began)}


async def many(scale: Scale, deployment: Deployment) -> Figures:
    """D: many short workflows, from the first enqueue to the last end; workflows per second."""
    async with await psycopg.AsyncConnection.connect(deployment.dsn, autocommit=True) as session:
        before = await _wal(session)
        began = time.perf_counter()
        await Three.start_many([Three.call(number) for number in range(scale.workflows)])
        enqueued = time.perf_counter()
        await until(session, QUIET)
        ended = time.perf_counter()
        after = await _wal(session)
    actions = scale.workflows * 3
    return {
        "per_second": scale.workflows / (ended - began),
        "enqueue_per_second": scale.workflows / (enqueued - began),
        "wal_bytes_per_action": (after["bytes"] - before["bytes"]) / actions,
        "commits_per_action": (after["commits"] - before["commits"]) / actions,
    }


async def enqueue_singly(scale: Scale, deployment: Deployment) -> Figures:
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
    async with await psycopg.AsyncConnection.connect(deployment.dsn, autocommit=True) as session:
        await until(session, QUIET)
    return {"per_second": scale.workflows / took}


async def naps(scale: Scale, deployment: Deployment) -> Figures:
    """E: a durable sleep between two actions; seconds from the first enqueue to the last end."""
    async with await psycopg.AsyncConnection.connect(deployment.dsn, autocommit=True) as session:
        began = time.perf_counter()
        await Nap.start_many([Nap.call(n, scale.nap_seconds) for n in range(scale.naps)])
        await until(session, FINISHED)
    return {"seconds": time.perf_counter() - began}


async def killed(scale: Scale, deployment: Deployment) -> Figures:
    """F: kill -9 of the whole pool in the middle; seconds until a new one has begun the first resumed action."""
    async with await psycopg.AsyncConnection.connect(deployment.dsn, autocommit=True) as session:
        runs = await Slow.start_many([Slow.call(n) for n in range(scale.interrupted)])
        ids = [run.id for run in runs]
        before = await _value(session, "select count(*) from waymark.journal")
        await until(
            session,
            "select count(*) >= %s from waymark.journal",
            before + len(ids),
        )
        deployment.kill()
        killed_at = await _value(session, NOW)
        await asyncio.to_thread(deployment.start)
        ready_at = await _value(session, NOW)
        await until(session, FINISHED)
        first = await _value(
            session,
            "select extract(epoch from min(started_at))::float8 from waymark.journal"
            " where instance = any (%s::uuid[]) and extract(epoch from started_at) > %s",
            ids,
            killed_at,
        )
    for number, run in enumerate(runs):
        _expect(await run.result(), number + 5)
    return {"seconds": max(0.0, first - ready_at), "since_kill": first - killed_at}


async def long_chain(scale: Scale, deployment: Deployment) -> Figures:
    """G: a chain of many steps; steps per second, and the rate of its last tenth by that of its first."""
    run = await Chain.start(scale.long_chain)
    _expect(await run.result(), scale.long_chain)
    async with await psycopg.AsyncConnection.connect(deployment.dsn, autocommit=True) as session:
        part = scale.long_chain // 10
        took = []
        for first, last in ((1, part), (scale.long_chain - part, scale.long_chain)):
            taken = await _value(
                session,
                "select extract(epoch from max(finished_at) - min(finished_at))::float8"
                " from waymark.journal where instance = %s::uuid and position between %s and %s",
                run.id,
                first,
                last,
            )
            took.append(taken)
        whole = await _value(
            session,
            "select extract(epoch from max(finished_at) - min(finished_at))::float8"
            " from waymark.journal where instance = %s::uuid",
            run.id,
        )
    return {"per_second": scale.long_chain / whole, "end_by_start": took[0] / took[1]}


async def _value(session: psycopg.AsyncConnection, query: str, *values: object) -> float:
    cursor = await session.execute(query.encode(), values or None)
    row = await cursor.fetchone()
    assert row is not None
    return float(row[0])


async def until(session: psycopg.AsyncConnection, query: str, *values: object) -> None:
    """Ask until the answer is true."""
    while True:
        if await _value(session, query, *values):
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


Workload = Callable[[Scale, Deployment], Awaitable[Figures]]
WORKLOADS: dict[str, Workload] = {
    "A": lone,
    "B": chain,
    "C": fan,
    "D": many,
    "Q": enqueue_singly,
    "E": naps,
    "F": killed,
    "G": long_chain,
}
