"""Start of a runloop process: arguments and environment in, an exit status out."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from uuid import UUID

import psycopg

from waymark_schema.database.settings import from_environment
from waymark_schema.environment import already_warned, load
from waymark_schema.errors import WaymarkError
from waymark_worker.runloop.process import (
    CANNOT_RUN,
    CannotRun,
    RunloopArguments,
    RunloopProcess,
)
from waymark_worker.settings import PoolSettings
from waymark_worker.telemetry import configure, log


def main() -> int:
    """Run until told to stop; 0 after a drain, 78 when starting again cannot help."""
    parser = argparse.ArgumentParser(prog="python -m waymark_worker.runloop")
    parser.add_argument("--page-fd", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--application", required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--session-features", action="store_true")
    parser.add_argument("--poison", action="append", default=[], type=UUID)
    given = parser.parse_args()
    already_warned()  # by the supervisor
    settings = load(PoolSettings)
    configure(level=settings.log_level, form=settings.log_format)
    arguments = RunloopArguments(
        given.page_fd,
        given.control_fd,
        given.application,
        given.workers,
        given.session_features,
        tuple(given.poison),
    )
    process = RunloopProcess(arguments, settings, from_environment(os.environ))
    try:
        asyncio.run(process.run())
    except BaseException as raised:
        error = _first(raised)
        if isinstance(error, CannotRun):
            return CANNOT_RUN  # its report says why
        if not isinstance(error, WaymarkError | psycopg.Error):
            raise
        log.error("runloop.failed", reason=str(error).strip())
        return 1
    return 0


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
