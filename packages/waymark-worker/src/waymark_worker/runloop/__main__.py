"""Start of a runloop process: arguments and environment in, an exit status out."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from waymark_schema.database.settings import from_environment
from waymark_schema.environment import load
from waymark_schema.errors import WaymarkError
from waymark_worker.runloop.process import (
    CANNOT_RUN,
    CannotRun,
    RunloopArguments,
    RunloopProcess,
)
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import configure


def main() -> int:
    """Run until told to stop; 0 after a drain, 78 when starting again cannot help."""
    parser = argparse.ArgumentParser(prog="python -m waymark_worker.runloop")
    parser.add_argument("--page-fd", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--application", required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--session-features", action="store_true")
    given = parser.parse_args()
    settings = load(PoolSettings)
    configure(level=settings.log_level, form=settings.log_format)
    arguments = RunloopArguments(
        given.page_fd, given.control_fd, given.application, given.workers, given.session_features
    )
    process = RunloopProcess(arguments, settings, from_environment(os.environ))
    try:
        asyncio.run(process.run())
    except BaseException as raised:
        error = _first(raised)
        if not isinstance(error, WaymarkError):
            raise
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - the first screen of a failed start
        return CANNOT_RUN if isinstance(error, CannotRun) else 1
    return 0


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
