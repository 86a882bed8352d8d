"""``python -m benchmarks.pruning``: many finished runs in a database; how fast the pruner's statement deletes them out.

Processor time is what counts beside D: the pool that prunes also runs. Then the wake duty's statement, for
very many that are due at once, without and with an old transaction that keeps dead rows from being cleaned.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg

from waymark_schema.database.execute import Session, fetch_all, fetch_one
from waymark_schema.database.sessions import Purpose, open_session
from waymark_schema.database.settings import from_environment
from waymark_schema.migrate import migrate_up
from waymark_schema.tables import instances, pruning
from waymark_worker.embedded import EmbeddedServer

ROOM = 100
FINISHED = """
with run as materialized (
    select gen_random_uuid() as id, n, now() - interval '2 days' + n * interval '1 ms' as at
    from generate_series(1, %(count)s) as n
),
runs as (
    insert into waymark.instances (id, program, state, started_at, finished_at, epoch, inputs, result)
    select r.id, 1, 4, r.at, r.at, 1, '\\x93c40a', '\\x0a' from run as r
)
insert into waymark.journal (
    instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, queued_at, started_at,
    finished_at, worker, python_minor
)
select r.id, p, 1, p - 1, 1, 0, '\\x93c40a', '\\x0a', 0, r.at, r.at, r.at, 1, 12
from run as r cross join generate_series(1, 3) as p
"""
SLEEPING = """
insert into waymark.instances (id, program, state, started_at, wake_at, epoch, inputs)
select gen_random_uuid(), 1, 3, now(), now() - interval '1 second', 1, '\\x93c40a'
from generate_series(1, %(count)s)
"""


async def prune(session: Session) -> dict[str, float]:
    """Delete all of them, batch by batch."""
    deleted, since, took = 0, None, []
    began = time.perf_counter()
    while True:
        at = time.perf_counter()
        batch = await fetch_one(
            session,
            pruning.prune_instances(
                pruning.STATES[0], retention=timedelta(days=1), room=ROOM, since=since
            ),
        )
        took.append(time.perf_counter() - at)
        deleted += batch.instances
        since = batch.newest or since
        if batch.found < ROOM:
            break
    took.sort()
    return {
        "runs": deleted,
        "per_second": deleted / (time.perf_counter() - began),
        "median_ms": took[len(took) // 2] * 1000,
        "longest_ms": took[-1] * 1000,
    }


async def wake(session: Session) -> dict[str, float]:
    """Queue all that is due."""
    began, woken, took = time.perf_counter(), 0, []
    while True:
        at = time.perf_counter()
        found = await fetch_all(session, instances.wake_due(room=1_000))
        took.append(time.perf_counter() - at)
        woken += len(found)
        if len(found) < 1_000:
            break
    return {
        "runs": woken,
        "per_second": woken / (time.perf_counter() - began),
        "first_ms": took[0] * 1000,
        "last_full_ms": took[-2] * 1000,
    }


async def measure(dsn: str, *, finished: int, due: int) -> None:
    """Fill, measure, print."""
    settings = from_environment({"WAYMARK_DATABASE_URL": dsn})
    session = await open_session(settings, application="benchmark", purpose=Purpose.OWNER)
    with psycopg.connect(dsn, autocommit=True) as person, psycopg.connect(dsn) as old:
        person.execute(FINISHED.encode(), {"count": finished})
        person.execute(b"analyze")
        pids = b"select pid from pg_stat_activity where application_name like 'benchmark%'"
        ((backend,),) = person.execute(pids).fetchall()
        before = _cpu(backend)
        _show("pruned", await prune(session), (_cpu(backend) - before) / finished)
        person.execute(SLEEPING.encode(), {"count": due})
        person.execute(b"analyze")
        _show("woken", await wake(session))
        person.execute(b"truncate waymark.instances")
        person.execute(SLEEPING.encode(), {"count": due})
        person.execute(b"analyze")
        old.execute(b"begin isolation level repeatable read")
        old.execute(b"select count(*) from waymark.programs")
        _show("woken beside an old transaction", await wake(session))
    await session.connection.close()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _show(what: str, figures: dict[str, float], each: float = 0.0) -> None:
    shown = ", ".join(f"{name} {value:,.1f}" for name, value in figures.items())
    print(f"{what}: {shown}" + (f", {each * 1e6:.0f} µs of a processor each" if each else ""))


def main() -> None:
    """Parse, start a server, measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pruning", description=__doc__)
    parser.add_argument("--finished", type=int, default=200_000)
    parser.add_argument("--due", type=int, default=100_000)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="waymark-bench-", ignore_cleanup_errors=True) as name,
        EmbeddedServer(Path(name) / "postgres") as server,
    ):
        migrate_up(from_environment({"WAYMARK_DATABASE_URL": server.dsn}))
        asyncio.run(measure(server.dsn, finished=given.finished, due=given.due))


if __name__ == "__main__":
    main()
