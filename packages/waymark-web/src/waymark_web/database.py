"""Settings in; sessions for one request each out, from a pool that opens when the server first answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from waymark_schema.database.execute import Session
from waymark_schema.database.pools import SessionPool, has_session_features, open_pool
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import DatabaseUnreachable

APPLICATION = "waymark web"
POOL_SIZE = 4
PATIENCE = timedelta(seconds=3)
"""How long a request waits for a session before its page says that the database is away."""


class Database:
    """The web's sessions: opened by the first request that finds a server, replaced after an outage."""

    def __init__(self, settings: DatabaseSettings, *, patience: timedelta = PATIENCE) -> None:
        self._settings = settings
        self._patience = patience
        self._turn = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._pool: SessionPool | None = None
        self._most = settings.pool_size or POOL_SIZE
        self._lent = 0

    @property
    def target(self) -> str:
        """The database as a person would name it."""
        return self._settings.target

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Borrow a session.

        Raises a DatabaseError when none can be had in time.
        """
        pool = self._pool or await self._opened()
        async with AsyncExitStack() as borrowed:
            try:
                session = await borrowed.enter_async_context(pool.session())
            except DatabaseUnreachable:
                await self._forget(pool)
                raise
            self._lent += 1
            borrowed.callback(self._returned)
            yield session

    async def close(self) -> None:
        """Close every session; legal before the first was opened, and twice."""
        self._pool = None
        await self._stack.aclose()

    def _returned(self) -> None:
        self._lent -= 1

    async def _forget(self, pool: SessionPool) -> None:
        """Drop a pool that could not give a session, unless all of its sessions are in use.

        A pool whose server is away tries again after ever longer pauses; a new one tries at once, for the
        next request, and fails at once while nobody answers.
        """
        if self._pool is pool and self._lent < self._most:
            self._pool = None
            forgotten, self._stack = self._stack, AsyncExitStack()
            await forgotten.aclose()

    async def _opened(self) -> SessionPool:
        try:
            async with asyncio.timeout(self._patience.total_seconds()), self._turn:
                if self._pool is None:
                    self._pool = await self._open()
                return self._pool
        except TimeoutError as error:
            msg = (
                f"the database {self.target} did not answer within {self._patience.total_seconds():g} s.\n"
                "Check host and port in WAYMARK_DATABASE_URL, and that the server runs."
            )
            raise DatabaseUnreachable(msg, target=self.target) from error

    async def _open(self) -> SessionPool:
        features = await has_session_features(self._settings, application=APPLICATION)
        return await self._stack.enter_async_context(
            open_pool(
                self._settings,
                application=APPLICATION,
                size=POOL_SIZE,
                session_features=features,
                timeout=self._patience,
            )
        )
