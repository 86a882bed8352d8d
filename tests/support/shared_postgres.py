"""A directory and the pid of a test run in; one Postgres that all workers of the run share, until it ends.

Run as `python -m tests.support.shared_postgres DIRECTORY PID`; it returns once the server answers.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from waymark_worker.embedded import EmbeddedServer, find_binaries
from waymark_worker.embedded.watchdog import first_to_end

STATE = "shared-postgres.json"
# Committed work may be lost when the machine dies, never when a process does: synchronous_commit stays on.
OPTIONS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
}


class _Enough(Exception):
    pass


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Enough


def serve(directory: Path, run: int, ready: int) -> None:
    """Hold the server until the test run is over or this process is asked to stop."""
    # Unblocked only where _Enough is expected: the server must never be lost half-way through its start.
    signal.signal(signal.SIGTERM, _stop)
    try:
        with EmbeddedServer(
            directory / "shared", options=OPTIONS, binaries=find_binaries(test_environment())
        ) as server:
            state = {"url": server.dsn, "holder": os.getpid(), "server": server.pid}
            draft = directory / f"{STATE}.draft"
            draft.write_text(json.dumps(state), encoding="utf-8")
            draft.rename(directory / STATE)
            os.write(ready, b"y")
            os.close(ready)
            first_to_end([run, server.pid])
    except _Enough:
        return
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test_environment() -> dict[str, str]:
    """Let `WAYMARK_TEST_PG_BIN` say which binaries the tests use."""
    chosen = os.environ.get("WAYMARK_TEST_PG_BIN")
    return {**os.environ, "WAYMARK_PG_BIN": chosen} if chosen else dict(os.environ)


def main(argv: list[str]) -> int:
    """Detach a holder and wait for its word."""
    directory, run = Path(argv[0]), int(argv[1])
    reading, writing = os.pipe()
    if os.fork() != 0:
        os.close(writing)
        return 0 if os.read(reading, 1) else 1
    os.close(reading)
    os.setsid()
    # What the holder says belongs into the caller's file; the caller's pipes must not stay open.
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    try:
        serve(directory, run, writing)
    except Exception:  # noqa: BLE001 - the last stop of a detached process: say it and end
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
