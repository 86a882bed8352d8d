"""Several sessions shared by tasks: settings go in, a pool of checked sessions comes out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg
import psycopg_pool

from waymark_schema.database import execute
from waymark_schema.database.hanging import Answered
from waymark_schema.database.sessions import (
    BACKEND,
    CONNECT_TIMEOUT_S,
    Purpose,
    connect_parameters,
    explain_connect,
    open_session,
    prepare_session,
    session_on,
)
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import DatabaseUnreachable

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_PROBE_WAIT_S: Final = 1.0
_CHECK_WAIT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class SessionPool:
    """Sessions for many tasks at once, opened on demand and checked when opened."""

    pool: psycopg_pool.AsyncConnectionPool[psycopg.AsyncConnection[Any]]
    settings: DatabaseSettings
    purpose: Purpose
    session_features: bool

    @asynccontextmanager
    async def session(self) -> AsyncIterator[execute.Session]:
        """Borrow a session; it goes back in autocommit, or is replaced when it broke.

        Raises DatabaseUnreachable when none can be had in time.
        """
        try:
            connection = await self.pool.getconn()
        except psycopg_pool.PoolTimeout as error:
            raise DatabaseUnreachable(
                f"no session with {self.settings.target} could be had within {self.pool.timeout:g} s;"
                " the server is away, or all of its or our connections are busy.\n"
                "Look at the server, or raise WAYMARK_DATABASE_POOL_SIZE.",
                target=self.settings.target,
            ) from error
        try:
            yield session_on(
                connection,
                self.settings,
                purpose=self.purpose,
                session_features=self.session_features,
            )
        finally:
            await self.pool.putconn(connection)


@asynccontextmanager
async def open_pool(
    settings: DatabaseSettings,
    *,
    application: str,
    size: int,
    purpose: Purpose = Purpose.CLIENT,
    session_features: bool = True,
    timeout: timedelta = timedelta(seconds=30),  # noqa: ASYNC109 - of every later borrow, not of this call
) -> AsyncIterator[SessionPool]:
    """Open at most `size` sessions (`WAYMARK_DATABASE_POOL_SIZE` wins), one at once, and close them all.

    Raises what `open_session` raises when the first cannot be had.
    """
    most = settings.pool_size or size

    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        await prepare_session(
            connection, settings, purpose=purpose, session_features=session_features
        )

    first = await open_session(
        settings, application=application, purpose=purpose, session_features=session_features
    )
    await first.connection.close()
    pool = psycopg_pool.AsyncConnectionPool(
        kwargs={**connect_parameters(settings, application), "autocommit": True},
        min_size=1,
        max_size=most,
        open=False,
        configure=configure,
        check=_check,
        timeout=timeout.total_seconds(),
        name=application,
    )
    async with pool:
        yield SessionPool(pool, settings, purpose, session_features)


async def _check(connection: psycopg.AsyncConnection[Any]) -> None:
    """An idle session is still there; one that does not say so soon is replaced like a broken one."""
    with Answered(connection, _CHECK_WAIT_S):
        await psycopg_pool.AsyncConnectionPool.check_connection(connection)


async def wait_for_database(settings: DatabaseSettings, *, application: str) -> None:
    """Return once the server lets us in; give up after `WAYMARK_DATABASE_WAIT_S`.

    Only an unreachable server is waited for: a wrong password, role or database name is raised at once.
    Raises DatabaseUnreachable, DatabaseRefused, ServerTooOld, DatabaseMisconfigured.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + settings.wait.total_seconds()
    pause = _FIRST_PAUSE_S
    while True:
        try:
            session = await open_session(settings, application=application)
        except DatabaseUnreachable:
            if clock() + pause >= deadline:
                raise
            await asyncio.sleep(pause)  # noqa: TID251 - a starting process has no Clock yet
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        else:
            await session.connection.close()
            return


async def has_session_features(settings: DatabaseSettings, *, application: str) -> bool:
    """Find out whether sessions are ours: LISTEN, session locks, prepared statements, session settings.

    `WAYMARK_LISTEN` on or off decides without looking. Otherwise true only if the connection's process
    id is the backend's own and a NOTIFY from a second connection reaches an idle listener.
    """
    if settings.listen != "auto":
        return settings.listen == "on"
    try:
        async with await _plain(settings, application) as listener:
            session = execute.Session(listener, settings.schema, prepare=False)
            with Answered(listener, CONNECT_TIMEOUT_S):
                backend = await execute.fetch_one(session, BACKEND.bind())
                if backend.pid != listener.info.backend_pid:
                    return False
                return await _notification_arrives(settings, application, listener)
    except psycopg.OperationalError as error:
        raise explain_connect(error, settings) from error


async def _notification_arrives(
    settings: DatabaseSettings, application: str, listener: psycopg.AsyncConnection[Any]
) -> bool:
    channel = f"{settings.schema}_probe_{listener.info.backend_pid}"
    await listener.execute(f'listen "{channel}"'.encode())
    async with await _plain(settings, application) as sender:
        await sender.execute(f'notify "{channel}"'.encode())
    async for _ in listener.notifies(timeout=_PROBE_WAIT_S, stop_after=1):
        return True
    return False


async def _plain(settings: DatabaseSettings, application: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        **connect_parameters(settings, application), autocommit=True, prepare_threshold=None
    )
