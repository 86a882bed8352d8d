"""``python -m benchmarks.retention``: D without a pause, on a pool that keeps finished runs for seconds; what stays and what it costs out.

At first, for a quarter of the time, there is nothing to prune, so that the price shows; the pool is then replaced by
one that prunes. Keeping up means: what is overdue does not grow, and neither do the tables.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.deployment import Deployment, deployed
from benchmarks.workloads import WORKLOADS, Scale
from waymark_worker.embedded import EmbeddedServer

KEPT_SECONDS = 10
EVERY_SECONDS = 1
LEFT = f"""
select count(*), count(*) filter (where finished_at < now() - interval '{KEPT_SECONDS + EVERY_SECONDS} s'),
    coalesce(extract(epoch from now() - min(finished_at)), 0)::float8
from waymark.instances where finished_at is not null
"""
SIZE = (
    "select sum(pg_total_relation_size(c.oid))::float8 / 1048576 from pg_class as c"
    " where c.relnamespace = 'waymark'::regnamespace and c.relkind = 'r'"
)


@dataclass(frozen=True)
class Seen:
    """What there was after one round of D."""

    at: float
    per_second: float
    finished: int
    overdue: int
    oldest_s: float
    megabytes: float


def rounds(deployment: Deployment, seconds: float) -> list[Seen]:
    """Run D again and again, for so long."""
    began, seen = time.monotonic(), []
    with psycopg.connect(deployment.dsn, autocommit=True) as session:
        while time.monotonic() - began < seconds:
            # One loop a round, as an application has.
            rate = asyncio.run(_rate(deployment))
            ((finished, overdue, oldest),) = session.execute(LEFT.encode()).fetchall()
            ((size,),) = session.execute(SIZE.encode()).fetchall()
            seen.append(Seen(time.monotonic() - began, rate, finished, overdue, oldest, size))
    return seen


async def _rate(deployment: Deployment) -> float:
    return (await WORKLOADS["D"](Scale(), deployment))["per_second"]


def show(title: str, seen: list[Seen]) -> None:
    """Print at most a dozen of the rounds, and the rate of all."""
    rates = [each.per_second for each in seen]
    total = sum(Scale().workflows for _ in seen)
    print(f"{title}: {total:,} workflows, median {statistics.median(rates):,.0f} a second")
    print("      s  per second  finished  overdue  oldest s     MB")
    for each in seen[:: max(1, len(seen) // 12)]:
        print(
            f"  {each.at:5.0f}  {each.per_second:10,.0f}  {each.finished:8,}  {each.overdue:7,}"
            f"  {each.oldest_s:8.1f}  {each.megabytes:5.1f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retention", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="of D with pruning")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="waymark-bench-", ignore_cleanup_errors=True) as name,
        EmbeddedServer(Path(name) / "postgres") as server,
    ):
        with deployed(Path(name), server.dsn) as deployment:
            rounds(deployment, 5.0)
            show("nothing to prune", rounds(deployment, given.seconds / 4))
        os.environ["WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS"] = str(KEPT_SECONDS / 3600)
        os.environ["WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS"] = str(EVERY_SECONDS * 1000)
        with deployed(Path(name), server.dsn) as deployment:
            show(f"kept for {KEPT_SECONDS} s", rounds(deployment, given.seconds))


if __name__ == "__main__":
    main()
