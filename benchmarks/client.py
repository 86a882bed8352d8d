"""``python -m benchmarks.client``: an application in a process of its own, the letter of a workload a line in, its figures out.

So that one benchmark can use two databases in turns: an application has one.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deployment import Deployment
from benchmarks.workloads import WORKLOADS, Figures, Scale


@dataclass(frozen=True)
class Client:
    """The other end of such a process."""

    process: subprocess.Popen[str]

    def figures(self, workload: str) -> Figures:
        """Run a workload once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{workload}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(
                f"the application of workload {workload} has gone: exit status {self.process.wait()}"
            )
        found: Figures = json.loads(line)
        return found


@contextmanager
def client(deployment: Deployment) -> Iterator[Client]:
    """Start one on the database of a deployment; it ends with the block."""
    command = [sys.executable, "-m", "benchmarks.client"]
    with subprocess.Popen(
        command,
        env=deployment.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Client(process)


async def serve(dsn: str) -> None:
    """Answer line by line until there are no more."""
    deployment = Deployment(dsn, log=Path(os.devnull), environment={})
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await WORKLOADS[line.strip()](Scale(), deployment)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(os.environ["WAYMARK_DATABASE_URL"]))
