"""`waymark-start-workers`: the environment in, a running pool or a clear first screen out."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from waymark_schema.database.pools import has_session_features, wait_for_database
from waymark_schema.database.sessions import (
    durability_warnings,
    open_session,
    open_session_sync,
    server_facts,
)
from waymark_schema.database.settings import VARIABLES, DatabaseSettings, from_environment
from waymark_schema.environment import load, refuse_login
from waymark_schema.errors import SettingError, WaymarkError
from waymark_schema.migrate import check_schema_sync, migrate_up
from waymark_worker import web
from waymark_worker.settings import PoolSettings, available_cpus
from waymark_worker.supervisor import Supervisor
from waymark_worker.telemetry import configure, log, settle

CANNOT_START = 78
FIRST_SCREEN_LINES = 15
PATIENCE_SECONDS = 15.0
"""So long may a start take before the pool says what it waits for."""


def main() -> int:
    """Start the pool; 0 after a drain, 78 when something has to be changed first."""
    parser = argparse.ArgumentParser(
        description="Run the worker pool; the environment says what and where.",
        epilog=_variables(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    ready_fd: int | None = parser.parse_args().ready_fd
    if sys.platform == "win32":
        return _fail("the worker pool runs on Linux and macOS; on Windows use WSL or a container")
    if os.getpid() == 1:
        # What would end any other process is not even delivered to this one before somebody handles it.
        signal.signal(signal.SIGTERM, _end_at_once)
    try:
        settings = load(PoolSettings)
        configure(level=settings.log_level, form=settings.log_format)
        database = from_environment(os.environ)
        _require_modules(settings)
        if settings.webapp_enabled:
            refuse_login()
            web.require_web()
            web.require_address(settings.webapp_addr)
        return asyncio.run(_run(settings, database, ready_fd))
    except BaseException as raised:
        error = _first(raised)
        if isinstance(error, KeyboardInterrupt):
            return 130
        if not isinstance(error, WaymarkError):
            raise
        return _fail(str(error))


def _end_at_once(number: int, _frame: object) -> None:
    """While nothing runs there is nothing to drain."""
    os._exit(128 + number)


def _variables() -> str:
    lines = ["WAYMARK_DATABASE_URL and WAYMARK_USER_MODULE are needed. All variables of a pool:"]
    lines += [f"  {variable}: {allowed}" for variable, allowed in VARIABLES.items()]
    for name, field in PoolSettings.model_fields.items():
        decided_at_start = field.default in (None, ()) or name == "lock_heartbeat_ms"
        default = str(field.default).lower() if field.default is False else field.default
        shown = "" if decided_at_start else f" [{default}]"
        lines.append(f"  WAYMARK_{name.upper()}: {field.description}{shown}")
    return "\n".join(lines)


async def _run(settings: PoolSettings, database: DatabaseSettings, ready_fd: int | None) -> int:
    await wait_for_database(database, application="waymark pool")
    await asyncio.to_thread(_migrate, database)
    features = await has_session_features(database, application="waymark probe")
    doubts = await _doubts(database)
    count, why = available_cpus()
    if settings.worker_count is not None:
        count, why = settings.worker_count, "WAYMARK_WORKER_COUNT"
    supervisor = Supervisor(settings, database, workers=count, session_features=features)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    loop.add_signal_handler(signal.SIGUSR1, supervisor.retire)
    announcing = loop.create_task(
        _announce(supervisor, settings, database, doubts, count=count, why=why)
    )
    telling = loop.create_task(_tell(supervisor, ready_fd)) if ready_fd is not None else None
    try:
        status = await supervisor.run()
    finally:
        announcing.cancel()
        if telling is not None:
            telling.cancel()
    return _fail(supervisor.failure) if supervisor.failure else status


async def _tell(supervisor: Supervisor, ready_fd: int) -> None:
    """Write one line to whoever started us once calls can run; closed without one, it will never be so."""
    with os.fdopen(ready_fd, "w") as reader:
        await supervisor.ready.wait()
        reader.write("ready\n")


async def _doubts(database: DatabaseSettings) -> list[str]:
    """Look which of the server's settings would lose committed work."""
    session = await open_session(database, application="waymark pool")
    try:
        return durability_warnings(await server_facts(session))
    finally:
        await session.connection.close()


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
    supervisor: Supervisor,
    settings: PoolSettings,
    database: DatabaseSettings,
    doubts: list[str],
    *,
    count: int,
    why: str,
) -> None:
    """One line once calls can run: what, where, how many and why."""
    await _ready(supervisor, settings)
    # Only by a pool that works: it must not stand in front of what keeps one from starting.
    for doubt in doubts:
        log.warning("database.not_durable", reason=doubt)
    known = supervisor.known()
    slots = count * settings.concurrent_per_worker
    web_url = f"http://{settings.webapp_addr}" if settings.webapp_enabled else None
    if settings.log_format == "json":
        log.info(
            "pool.ready",
            pool=supervisor.pool,
            database=database.target,
            workers=count,
            workers_from=why,
            slots=slots,
            workflows=known.workflows,
            actions=known.actions,
            web=web_url,
        )
        return
    parts = [
        f"{_counted(count, 'worker')} ({why})",
        _counted(slots, "slot"),
        _counted(known.workflows, "workflow"),
        _counted(known.actions, "action"),
    ]
    line = f"pool.ready: pool {supervisor.pool} on {database.target}: {', '.join(parts)}"
    log.info(f"{line}, web {web_url}" if web_url else line)


async def _ready(supervisor: Supervisor, settings: PoolSettings) -> None:
    """Wait for it, and say so if that takes long: a module may do anything when it is imported."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await supervisor.ready.wait()
    except TimeoutError:
        modules = ", ".join(settings.user_module)
        log.warning(
            f"pool.not_ready: workers have been importing {modules} for {PATIENCE_SECONDS:g} s;"
            " runs wait until that is done"
        )
        await supervisor.ready.wait()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fail(message: str) -> int:
    """Show what is in the way; a screen of it, in full where the log goes."""
    lines = message.strip().splitlines()
    if len(lines) > FIRST_SCREEN_LINES:
        rest = len(lines) - FIRST_SCREEN_LINES + 1
        lines = [
            *lines[: FIRST_SCREEN_LINES - 1],
            f"… and {rest} lines more; `waymark check` shows all",
        ]
    settle()
    print("waymark-start-workers: " + "\n".join(lines), file=sys.stderr, flush=True)
    return CANNOT_START
