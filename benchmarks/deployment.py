"""A deployment to measure: an embedded Postgres with its durable defaults, a pool with two workers, this process as the app."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

WORKERS = 2
READY_SECONDS = 300.0


@dataclass
class Deployment:
    """What the workloads run against."""

    dsn: str
    log: Path
    environment: dict[str, str]
    pool: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start a pool and wait until it can run calls."""
        with self.log.open("wb") as output:
            self.pool = subprocess.Popen(
                [sys.executable, "-m", "waymark_worker"],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        _until_ready(self.pool, self.log)

    def kill(self) -> None:
        """``kill -9`` of every process of the pool, as a lost machine would look."""
        for pid in self.processes().values():
            os.kill(pid, signal.SIGKILL)
        self.pool.wait()

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
def deployed(folder: Path, dsn: str, log: str = "pool.log") -> Iterator[Deployment]:
    """Start a pool on ``dsn`` and point the SDK of this process at the same database."""
    environment = {
        **os.environ,
        "WAYMARK_DATABASE_URL": dsn,
        "WAYMARK_USER_MODULE": "benchmarks.app",
        "WAYMARK_WORKER_COUNT": str(WORKERS),
        "WAYMARK_BRIDGE_IDLE_EXIT_S": "5",
    }
    os.environ.update(environment)
    deployment = Deployment(dsn, folder / log, environment)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.pool.terminate()
        deployment.pool.wait()


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
