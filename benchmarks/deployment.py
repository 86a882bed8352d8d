"""A deployment to measure: an embedded Postgres with its durable defaults, a pool with two workers, this process as the app."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WORKERS = 2
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Deployment:
    """What the workloads run against."""

    dsn: str
    pool: subprocess.Popen[bytes]
    log: Path

    def processes(self) -> dict[str, int]:
        """Process ids by role: the supervisor, its runloop, the workers."""
        children = _children(self.pool.pid)
        found = {"supervisor": self.pool.pid}
        for child in children:
            found["runloop"] = child
            found.update(
                {f"worker {number}": pid for number, pid in enumerate(_children(child), 1)}
            )
        return found


@contextmanager
def deployed(folder: Path, dsn: str) -> Iterator[Deployment]:
    """Start a pool on ``dsn`` and point the SDK of this process at the same database."""
    environment = {
        **os.environ,
        "WAYMARK_DATABASE_URL": dsn,
        "WAYMARK_USER_MODULE": "benchmarks.app",
        "WAYMARK_WORKER_COUNT": str(WORKERS),
        "WAYMARK_BRIDGE_IDLE_EXIT_S": "5",
    }
    os.environ.update(environment)
    log = folder / "pool.log"
    with log.open("wb") as output:
        pool = subprocess.Popen(
            [sys.executable, "-m", "waymark_worker"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _until_ready(pool, log)
        yield Deployment(dsn, pool, log)
    finally:
        pool.terminate()
        pool.wait()


def _until_ready(pool: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while "pool.ready" not in log.read_text():
        if pool.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the pool did not start:\n{log.read_text()}")
        time.sleep(0.02)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def proportional_megabytes(pid: int) -> float:
    """PSS of a process: shared pages divided among those who share them."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
