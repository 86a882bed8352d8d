"""``python -m benchmarks.fleet``: a flood and its neighbour, pools that come and go, a server that restarts; figures out."""

import argparse
import asyncio
import os
import signal
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import psycopg

from benchmarks.app import One, Pauses, Three
from benchmarks.deployment import Deployment, deployed
from benchmarks.workloads import QUIET, WORKLOADS, Scale, until
from waymark.runs import Run
from waymark_worker.embedded import EmbeddedServer

CHUNK = 5_000
PAUSE = 0.05
ROUNDS_EACH = 2
"""Of D, before and after each restart."""
BESIDE_SECONDS = 5.0
"""For so long the second pool stays."""
NONE_QUEUED = "select not exists (select from waymark.instances where state = 0)"
NEW_OUTCOME = "select exists (select from waymark.journal where finished_at > to_timestamp(%s))"
Begun = list[tuple[int, float]]
"""Process id and time of every call."""


async def neighbour(until: asyncio.Event) -> list[float]:
    """Runs of another workflow, one after the other; seconds each."""
    took = []
    while not until.is_set():
        began = time.perf_counter()
        await One().run(1)
        took.append(time.perf_counter() - began)
    return took


async def flood(count: int, dsn: str) -> None:
    """Print how long single runs take while very many of another workflow are queued, and before."""
    quiet = asyncio.Event()
    asyncio.get_running_loop().call_later(3.0, quiet.set)
    before = await neighbour(quiet)
    done = asyncio.Event()
    beside = asyncio.create_task(neighbour(done))
    began = time.perf_counter()
    for first in range(0, count, CHUNK):
        await Three.start_many(
            [Three.call(number) for number in range(first, min(count, first + CHUNK))]
        )
    queued = time.perf_counter() - began
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as session:
        await until(session, NONE_QUEUED)
    took = time.perf_counter() - began
    done.set()
    during = await beside
    print(
        f"flood of {count:,} runs of three actions: queued in {queued:.1f} s, begun in {took:.1f} s"
        f" ({count / took:,.0f} /s)\n"
        f"  a run of another workflow, before: {_spread(before)}\n"
        f"  a run of another workflow, meanwhile: {_spread(during)}"
    )


def _spread(took: list[float]) -> str:
    took = sorted(took)
    return (
        f"median {statistics.median(took) * 1000:.0f} ms, 99 % {took[int(len(took) * 0.99)] * 1000:.0f} ms,"
        f" longest {took[-1] * 1000:.0f} ms ({len(took)} runs)"
    )


@dataclass(frozen=True)
class Visit:
    """When the second pool was there, and which processes were its own."""

    ready: float
    told: float
    gone: float
    pids: frozenset[int]


async def _visit(deployment: Deployment, folder: Path) -> Visit:
    """Add a pool after a second, and take it away again."""
    await asyncio.sleep(1.0)
    second = Deployment(deployment.dsn, folder / "second.log", deployment.environment)
    await asyncio.to_thread(second.start)
    ready, pids = time.time(), frozenset(second.processes().values())
    await asyncio.sleep(BESIDE_SECONDS)
    told = time.time()
    second.pool.terminate()
    await asyncio.to_thread(second.pool.wait)
    return Visit(ready, told, time.time(), pids)


async def visited(what: str, runs: list[Run[Begun]], deployment: Deployment, folder: Path) -> None:
    """Print what a second pool did of this work while it was there."""
    visit = await _visit(deployment, folder)
    begun: Begun = []
    for run in runs:
        begun += await run.result()
    theirs = sorted(at for pid, at in begun if pid in visit.pids)
    meanwhile = [at for _, at in begun if visit.ready <= at <= visit.told]
    after = sorted(at for _, at in begun if visit.told - 1.0 <= at <= visit.gone + 2.0)
    if not theirs:
        raise SystemExit(f"{what}: the second pool ran nothing")
    share = sum(visit.ready <= at <= visit.told for at in theirs) / max(1, len(meanwhile))
    gap = max((later - earlier for earlier, later in pairwise(after)), default=0.0)
    print(
        f"{what}: a second pool began its first call {theirs[0] - visit.ready:+.2f} s after it was ready,"
        f" ran {share:.0%} of all while it was there; told to stop, it began its last call"
        f" {theirs[-1] - visit.told:+.2f} s and was gone {visit.gone - visit.told:.2f} s later;"
        f" longest time around it in which nobody began a call {gap:.2f} s"
    )


async def visits(width: int, deployment: Deployment, folder: Path) -> None:
    """One run that fans out; then as many runs of one call each."""
    fan = [await Pauses.start(width, PAUSE)]
    await visited(f"one run of {width:,} calls of {PAUSE * 1000:.0f} ms", fan, deployment, folder)
    runs = await Pauses.start_many([Pauses.call(1, PAUSE) for _ in range(width)])
    await visited(f"{width:,} runs of one such call", runs, deployment, folder)


@dataclass
class Rates:
    """D before and after the same work, with a restart in its middle or without; workflows per second."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """After by before, of each cycle; sorted."""
        return sorted(
            statistics.fmean(self.after[at : at + ROUNDS_EACH])
            / statistics.fmean(self.before[at : at + ROUNDS_EACH])
            for at in range(0, len(self.before), ROUNDS_EACH)
        )

    def text(self) -> str:
        """The medians."""
        ratios = self.ratios()
        low, middle, high = (
            statistics.quantiles(ratios) if len(ratios) > 1 else [statistics.median(ratios)] * 3
        )
        return (
            f"D before {statistics.median(self.before):,.0f} /s, after {statistics.median(self.after):,.0f} /s;"
            f" after by before, of each: median {middle:.2f}, middle half {low:.2f} to {high:.2f}"
        )


async def restarted(server: EmbeddedServer, deployment: Deployment, cycles: int) -> None:
    """Print what ``pg_ctl restart -m immediate`` in the middle of D costs, and D before and after, beside cycles without."""
    await WORKLOADS["D"](Scale(), deployment)
    found = {"without": Rates(), "with": Rates()}
    strikes: dict[str, Callable[[], Awaitable[str]]] = {
        "without": _undisturbed,
        "with": partial(_restart, server),
    }
    for number in range(cycles):
        # With, without, without, with: neither always comes first.
        for which in sorted(found, reverse=number % 2 == 0):
            await _cycle(deployment, found[which], strikes[which])
    for which, rates in found.items():
        print(f"{cycles} cycles {which} a restart: {rates.text()}")


async def _cycle(
    deployment: Deployment, rates: Rates, strike: Callable[[], Awaitable[str]]
) -> None:
    """D, D with something in its middle, and D again as soon as all of that has ended."""
    workload, scale = WORKLOADS["D"], Scale()
    for _ in range(ROUNDS_EACH):
        rates.before.append((await workload(scale, deployment))["per_second"])
    ended = asyncio.Event()
    beside = asyncio.create_task(neighbour(ended))
    await Three.start_many([Three.call(number) for number in range(scale.workflows)])
    what = await strike()
    ended.set()
    longest = max(await beside)
    # What it held up is no part of the rounds after it.
    async with await psycopg.AsyncConnection.connect(deployment.dsn, autocommit=True) as session:
        await until(session, QUIET)
    for _ in range(ROUNDS_EACH):
        rates.after.append((await workload(scale, deployment))["per_second"])
    print(f"{what}, the longest run of a neighbour took {longest:.2f} s")


async def _undisturbed() -> str:
    return "not restarted"


async def _restart(server: EmbeddedServer) -> str:
    struck = time.time()
    os.kill(server.pid, signal.SIGQUIT)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    accepts = time.time()
    settled = await _first_commit(server, since=accepts)
    return (
        f"server away for {accepts - struck:.2f} s: the pool committed again {settled - accepts:.2f} s"
        " after it accepted connections"
    )


async def _first_commit(server: EmbeddedServer, *, since: float) -> float:
    """When the outcome of an action that ended after a moment could first be seen."""
    dsn = server.tcp_dsn
    assert dsn is not None
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as session:
        await until(session, NEW_OUTCOME, since)
    return time.time()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--flood", type=int, default=100_000, help="runs of one workflow")
    parser.add_argument("--width", type=int, default=10_000, help="calls of the fan-out")
    parser.add_argument(
        "--restarts",
        type=int,
        default=3,
        help="of the server, each beside a cycle without (default 3)",
    )
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="waymark-bench-", ignore_cleanup_errors=True) as name,
        # On a port, so that its address is the same after a restart.
        EmbeddedServer(Path(name) / "postgres", port=_free_port()) as server,
        deployed(Path(name), server.tcp_dsn or server.dsn) as deployment,
    ):
        if given.restarts:
            asyncio.run(restarted(server, deployment, given.restarts))
        if given.width:
            asyncio.run(visits(given.width, deployment, Path(name)))
        if given.flood:
            asyncio.run(flood(given.flood, deployment.dsn))


if __name__ == "__main__":
    main()
