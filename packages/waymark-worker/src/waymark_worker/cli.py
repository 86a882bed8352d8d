"""`waymark-start-workers`: the environment in, a running pool or a clear first screen out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from waymark_schema.database.pools import has_session_features, wait_for_database
from waymark_schema.database.sessions import open_session_sync
from waymark_schema.database.settings import DatabaseSettings, from_environment
from waymark_schema.environment import load
from waymark_schema.errors import SettingError, WaymarkError
from waymark_schema.migrate import check_schema_sync, migrate_up
from waymark_worker.settings import PoolSettings, available_cpus
from waymark_worker.supervisor import Supervisor
from waymark_worker.telemetry import configure, log

CANNOT_START = 78


def main() -> int:
    """Start the pool; 0 after a drain, 78 when something has to be changed first."""
    if sys.platform == "win32":
        return _fail("the worker pool runs on Linux and macOS; on Windows use WSL or a container")
    try:
        settings = load(PoolSettings)
        database = from_environment(os.environ)
        _require_modules(settings)
        configure(level=settings.log_level, form=settings.log_format)
        return asyncio.run(_run(settings, database))
    except BaseException as raised:
        error = _first(raised)
        if isinstance(error, KeyboardInterrupt):
            return 130
        if not isinstance(error, WaymarkError):
            raise
        return _fail(str(error))


async def _run(settings: PoolSettings, database: DatabaseSettings) -> int:
    await wait_for_database(database, application="waymark pool")
    await asyncio.to_thread(_migrate, database)
    features = await has_session_features(database, application="waymark probe")
    count, why = available_cpus()
    if settings.worker_count is not None:
        count, why = settings.worker_count, "WAYMARK_WORKER_COUNT"
    supervisor = Supervisor(settings, database, workers=count, session_features=features)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    announcing = loop.create_task(
        _announce(supervisor, database, line=f"{count} workers ({why})", features=features)
    )
    try:
        return await supervisor.run()
    finally:
        announcing.cancel()


def _require_modules(settings: PoolSettings) -> None:
    if not settings.user_module:
        raise SettingError(
            "WAYMARK_USER_MODULE",
            "WAYMARK_USER_MODULE is not set; expected the module with your workflows and actions.\n"
            "For example: WAYMARK_USER_MODULE=yourapp.workflows waymark-start-workers",
        )


def _migrate(database: DatabaseSettings) -> None:
    if database.auto_migrate:
        migrate_up(database)
        return
    session = open_session_sync(database, application="waymark pool")
    try:
        check_schema_sync(session)
    finally:
        session.connection.close()


async def _announce(
    supervisor: Supervisor, database: DatabaseSettings, *, line: str, features: bool
) -> None:
    """One line once calls can run: what, where, how many and why."""
    await supervisor.ready.wait()
    known = supervisor.known()
    log.info(
        "pool.ready",
        pool=supervisor.pool,
        database=database.target,
        workers=line,
        workflows=known.workflows,
        actions=known.actions,
        notified=features,
    )


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fail(message: str) -> int:
    print(f"waymark-start-workers: {message}", file=sys.stderr, flush=True)
    return CANNOT_START
