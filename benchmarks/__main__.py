"""``python -m benchmarks``: every workload on the real engine and the skeleton, interleaved, as one table.

Figures of one machine at one time: compare inside one run, quote medians and ratios.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.deployment import Deployment, cpu_seconds, deployed, proportional_megabytes
from benchmarks.workloads import WORKLOADS, Figures, Scale
from waymark_worker.embedded import EmbeddedServer

SKELETON = {
    "B": ["--steps", "{chain}", "--workflows", "1"],
    "C": ["--steps", "{fan}", "--workflows", "1", "--fan"],
    "D": ["--steps", "3", "--workflows", "{workflows}"],
}
NAMES = {
    "A": "A one action, awaited, in turn (p50 ms)",
    "B": "B sequential actions of one workflow (/s)",
    "C": "C gather of one workflow (/s)",
    "D": "D workflows of 3 actions (/s)",
    "Q": "D enqueue one by one, 100 in flight (/s)",
    "E": "E workflows with a durable sleep of 5 s (s)",
    "F": "F kill -9, a new pool is ready: first resumed action (s)",
    "G": "G sequential actions of one long workflow (/s)",
}


def skeleton(workload: str, scale: Scale, dsn: str) -> float:
    """Run the skeleton's counterpart of a workload; its rate."""
    sizes = {"chain": scale.chain, "fan": scale.fan, "workflows": scale.workflows}
    arguments = [argument.format(**sizes) for argument in SKELETON[workload]]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.skeleton", *arguments],
        env={**os.environ, "WAYMARK_DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    seconds = float(figures["seconds" if workload == "D" else "run_seconds"])
    return {"B": scale.chain, "C": scale.fan, "D": scale.workflows}[workload] / seconds


def fsync_milliseconds(dsn: str) -> float:
    """Median time of a commit that writes one row: what every durable step pays."""
    took = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table if not exists public.benchmark_flush (n int)")
        for number in range(50):
            began = time.perf_counter()
            connection.execute("insert into public.benchmark_flush values (%s)", (number,))
            took.append((time.perf_counter() - began) * 1000)
        connection.execute("drop table public.benchmark_flush")
    return statistics.median(took)


def main() -> None:
    """Measure, print the table, write JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--workloads",
        default="A,B,C,D,Q",
        help="which, by letter, out of A to G (Q: D's enqueue alone)",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default 3)")
    parser.add_argument("--fan", type=int, default=1000, help="width of C (default 1000)")
    parser.add_argument("--short", action="store_true", help="small sizes, for correctness only")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    given = parser.parse_args()
    scale = Scale(5, 10, 20, 20, 20, 1.0, 10, 100) if given.short else Scale(fan=given.fan)
    chosen = given.workloads.split(",")
    if unknown := [letter for letter in chosen if letter not in WORKLOADS]:
        parser.error(
            f"no workload {', '.join(unknown)}; there are {','.join(WORKLOADS)}, separated by commas"
        )
    with (
        tempfile.TemporaryDirectory(prefix="waymark-bench-", ignore_cleanup_errors=True) as name,
        EmbeddedServer(Path(name) / "postgres") as server,
        deployed(Path(name), server.dsn) as deployment,
    ):
        flush = fsync_milliseconds(server.dsn)
        found = asyncio.run(measured(chosen, scale, given.rounds, deployment))
        memory = {role: proportional_megabytes(pid) for role, pid in deployment.processes().items()}
    show(found, flush, memory)
    if given.json:
        given.json.write_text(
            json.dumps({"workloads": found, "flush_ms": flush, "memory_mb": memory}, indent=1)
        )


async def measured(
    chosen: list[str], scale: Scale, rounds: int, deployment: Deployment
) -> dict[str, list[Figures]]:
    """Every workload ``rounds`` times, engine and skeleton in turn."""
    found: dict[str, list[Figures]] = {letter: [] for letter in chosen}
    turns = [(number, letter) for number in range(rounds) for letter in chosen]
    for _, letter in track(turns, console=Console(stderr=True), transient=True):
        before = {role: cpu_seconds(pid) for role, pid in deployment.processes().items()}
        figures = dict(await WORKLOADS[letter](scale, deployment))
        for role, pid in deployment.processes().items():
            figures[f"cpu {role}"] = cpu_seconds(pid) - before.get(role, 0.0)
        if letter in SKELETON:
            figures["skeleton"] = await asyncio.to_thread(skeleton, letter, scale, deployment.dsn)
        found[letter].append(figures)
    return found


def show(found: dict[str, list[Figures]], flush: float, memory: dict[str, float]) -> None:
    """Print medians and ratios."""
    table = Table(title=f"CPython {platform.python_version()}, one durable commit {flush:.2f} ms")
    for column in ("workload", "waymark", "skeleton", "ratio", "more"):
        table.add_column(column, justify="left" if column in ("workload", "more") else "right")
    for letter, rounds in found.items():
        value = statistics.median(
            next(item[key] for key in ("per_second", "p50_ms", "seconds") if key in item)
            for item in rounds
        )
        bare = (
            statistics.median(item["skeleton"] for item in rounds)
            if "skeleton" in rounds[0]
            else None
        )
        table.add_row(
            NAMES[letter],
            f"{value:,.1f}" if letter in "AEF" else f"{value:,.0f}",
            "" if bare is None else f"{bare:,.0f}",
            "" if bare is None else f"{value / bare:.3f}",
            _more(rounds),
        )
    console = Console(width=150)
    console.print(table)
    console.print(
        "memory, PSS: " + ", ".join(f"{role} {size:.0f} MB" for role, size in memory.items())
    )


def _more(rounds: list[Figures]) -> str:
    shown = {"p95_ms": "p95 {:.1f} ms", "enqueue_per_second": "enqueue {:,.0f} /s"}
    shown |= {
        "wal_bytes_per_action": "WAL {:,.0f} B/action",
        "commits_per_action": "{:.3f} commits/action",
        "since_kill": "{:.1f} s after the kill",
        "end_by_start": "last tenth at {:.2f} of the first",
    }
    parts = [
        text.format(statistics.median(item[name] for item in rounds))
        for name, text in shown.items()
        if name in rounds[0]
    ]
    return ", ".join(parts)


if __name__ == "__main__":
    main()
