"""``python -m benchmarks.parked``: a million parked sleepers in a database; what they cost the pool and workload D out.

H: D in two databases of one server in turns, one with the sleepers and one without, so that a pair of rounds has the same
mood of the machine. Then very many that are due in the same second, while a neighbour starts one run after the other.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from benchmarks.app import Nap, One
from benchmarks.client import client
from benchmarks.deployment import Deployment, cpu_seconds, deployed, proportional_megabytes
from waymark_worker.embedded import EmbeddedServer

DAY = 86_400.0
ROOM = 100_000
PARKED = "select id from waymark.instances where state = 3"
COPY = """
with copy as materialized (select gen_random_uuid() as id from generate_series(1, %(count)s)),
runs as (
    insert into waymark.instances (id, program, state, wake_at, started_at, epoch, inputs)
    select c.id, i.program, i.state, i.wake_at, i.started_at, i.epoch, i.inputs
    from copy as c, waymark.instances as i where i.id = %(run)s
),
entries as (
    insert into waymark.journal (
        instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, local, python_minor
    )
    select c.id, j.position, j.kind, j.call, j.attempt, j.action, j.inputs, j.outcome, j.outcome_kind,
        j.local, j.python_minor
    from copy as c, waymark.journal as j where j.instance = %(run)s
)
insert into waymark.snapshots (instance, position, python_minor, state)
select c.id, s.position, s.python_minor, s.state
from copy as c, waymark.snapshots as s where s.instance = %(run)s
"""
"""Copies of a run that a pool has parked: real ones, due when it is."""


def ask(session: psycopg.Connection, query: str, **values: object) -> list[tuple[object, ...]]:
    """Run one statement."""
    cursor = session.execute(query.encode(), values or None)
    return cursor.fetchall() if cursor.description else []


def park(session: psycopg.Connection, count: int, seconds: float) -> None:
    """Have a pool park a sleeper, and copy it."""
    asyncio.run(_start(seconds))
    while not (found := ask(session, PARKED)):
        time.sleep(0.05)
    ((run,),) = found
    for done in range(0, count - 1, ROOM):
        ask(session, COPY, run=run, count=min(ROOM, count - 1 - done))
    ask(session, "vacuum analyze")


async def _start(seconds: float) -> None:
    await Nap.start(1, seconds)


def cost_when_idle(deployment: Deployment, seconds: float) -> dict[str, float]:
    """Processor time and memory of the pool while nothing happens."""
    pids = deployment.processes()
    before = {role: cpu_seconds(pid) for role, pid in pids.items()}
    time.sleep(seconds)
    spent = sum(cpu_seconds(pid) - before[role] for role, pid in pids.items())
    return {
        "cpu_percent": spent / seconds * 100,
        "runloop_mb": proportional_megabytes(pids["runloop"]),
    }


async def neighbour(session: psycopg.AsyncConnection) -> list[float]:
    """Runs of another workflow, one after the other, until nothing is left of the sleepers; seconds each."""
    took = []
    while True:
        began = time.perf_counter()
        await One().run(1)
        took.append(time.perf_counter() - began)
        cursor = await session.execute(
            b"select exists (select from waymark.instances where state = 3)"
            b" or exists (select from waymark.instances where state = 0)"
            b" or exists (select from waymark.instances where owner is not null)"
        )
        row = await cursor.fetchone()
        if row is not None and not row[0]:
            return took


async def wake_up(dsn: str) -> list[float]:
    """Wait until the sleepers are due, then be their neighbour."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as session:
        while True:
            cursor = await session.execute(
                b"select min(wake_at) - clock_timestamp() < interval '0' from waymark.instances where state = 3"
            )
            row = await cursor.fetchone()
            if row is not None and row[0] is not False:
                return await neighbour(session)
            await asyncio.sleep(0.02)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parked", description=__doc__)
    parser.add_argument("--parked", type=int, default=1_000_000, help="sleepers beside D")
    parser.add_argument("--due", type=int, default=100_000, help="sleepers that wake in one second")
    parser.add_argument("--rounds", type=int, default=10, help="pairs of D (default 10)")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="waymark-bench-", ignore_cleanup_errors=True) as name,
        EmbeddedServer(Path(name) / "postgres") as server,
    ):
        # The second database is the one that this process is an application of.
        folder, databases = Path(name), [_database(server, part) for part in ("without", "with")]
        with (
            deployed(folder, databases[0], log="without.log") as without,
            deployed(folder, databases[1], log="with.log") as deployment,
            psycopg.connect(deployment.dsn, autocommit=True) as session,
        ):
            if given.parked:
                park(session, given.parked, DAY)
                beside({"without": without, "with": deployment}, given.rounds)
            if given.due:
                storm(deployment, session, given.due)


def _database(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.dsn, autocommit=True) as session:
        session.execute(SQL("create database {}").format(Identifier(name)))
    return make_conninfo(server.dsn, dbname=name)


def beside(deployments: dict[str, Deployment], rounds: int) -> None:
    """Print D of both in turns, and what each pool costs while nothing happens."""
    rates: dict[str, list[float]] = {part: [] for part in deployments}
    with ExitStack() as stack:
        clients = {part: stack.enter_context(client(each)) for part, each in deployments.items()}
        for each in clients.values():
            each.figures("D")
        for number in range(rounds):
            # With, without, without, with: neither always comes first.
            for part in sorted(clients, reverse=number % 2 == 0):
                rates[part].append(clients[part].figures("D")["per_second"])
    ratios = [
        crowded / alone for crowded, alone in zip(rates["with"], rates["without"], strict=True)
    ]
    print("D, workflows per second, in turns:")
    for part, found in rates.items():
        print(
            f"  {part:8} median {statistics.median(found):8,.0f}   {[round(rate) for rate in found]}"
        )
    print(
        f"  with them, of what it is without: median {statistics.median(ratios):.2f}"
        f"   {[round(ratio, 2) for ratio in sorted(ratios)]}"
    )
    for part, deployment in deployments.items():
        cost = cost_when_idle(deployment, 10.0)
        print(
            f"  idle, {part:8} {cost['cpu_percent']:.1f} % of a processor, runloop {cost['runloop_mb']:.0f} MB"
        )


def storm(deployment: Deployment, session: psycopg.Connection, due: int) -> None:
    """Print how long very many take that wake in one second, and what their neighbour sees of it."""
    for table in ("instances", "journal", "snapshots"):
        ask(session, f"truncate waymark.{table}")
    park(session, due, 20.0 + due / 4_000)
    ((early,),) = ask(
        session,
        "select bool_and(wake_at > clock_timestamp()) from waymark.instances where state = 3",
    )
    if not early:
        raise SystemExit("the copies were not there before the first was due; choose fewer")
    took = asyncio.run(wake_up(deployment.dsn))
    ((wrong,),) = ask(session, "select count(*) from waymark.instances where state <> 4")
    took.sort()
    print(
        f"{due:,} due in one second: {sum(took):.1f} s until the last had ended, {wrong} failed;"
        f" a neighbour's run meanwhile: median {statistics.median(took) * 1000:.0f} ms,"
        f" longest {took[-1] * 1000:.0f} ms ({len(took)} runs)"
    )


if __name__ == "__main__":
    main()
