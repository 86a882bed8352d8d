"""Queries of the bridge in, their rows out, however often the database goes away meanwhile."""

from __future__ import annotations

import asyncio
import logging
import math
import struct
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Final, TypeVar

import psycopg

from waymark.bridge.pauses import growing, pause
from waymark_schema import migrate
from waymark_schema.database import execute
from waymark_schema.database.faults import Fault, classify
from waymark_schema.database.listening import listen
from waymark_schema.database.pools import has_session_features
from waymark_schema.database.sessions import open_session
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.database.statement import Query
from waymark_schema.errors import DatabaseError, DatabaseUnreachable, SchemaMissing
from waymark_schema.ids import ProgramId
from waymark_schema.tables import notifications, programs
from waymark_schema.tables.programs import NewProgram

APPLICATION: Final = "waymark bridge"
_FIRST_PAUSE_S: Final = 0.05
_CANNOT_WAIT: Final = (Fault.FATAL, Fault.DATA, Fault.REFUSED)

T = TypeVar("T")
_log = logging.getLogger("waymark.bridge")


class UnfitValue(DatabaseError):
    """The server refused a value of this statement; others may pass."""


class Store:
    """One database as the bridge uses it: a session for each kind of work, opened when first needed."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._features = False
        self._working: list[Channel] = []
        self._listening: Channel | None = None
        self.reachable = False
        """Whether the database answered the last time it was asked."""

    @property
    def target(self) -> str:
        """The database as a person would name it."""
        return self._settings.target

    @property
    def schema(self) -> str:
        """The schema that is used."""
        return self._settings.schema

    @property
    def patience(self) -> timedelta:
        """How long a request waits for an unreachable database."""
        return self._settings.wait

    @property
    def can_listen(self) -> bool:
        """Whether notifications arrive; known after ``prepare``."""
        return self._features

    def channel(self) -> Channel:
        """Return a session for one kind of work: of its own, or, when no more may be opened, the last one."""
        # One is kept for whoever listens.
        if self._settings.pool_size is None or len(self._working) < self._settings.pool_size - 1:
            self._working.append(Channel(self))
        return self._working[-1]

    def listener(self) -> Channel:
        """Make the session that only listens."""
        self._listening = Channel(self)
        return self._listening

    async def prepare(self) -> None:
        """Make sure that the schema is there, migrating if that is allowed.

        Raises:
            DatabaseUnreachable: no answer; try again.
            DatabaseError: any other one: a person has to look.

        """
        try:
            self._features = await has_session_features(self._settings, application=APPLICATION)
            session = await self.open()
            try:
                await self._check(session)
            finally:
                await session.connection.close()
        except psycopg.Error as error:
            raise self.explained(error) from error
        self.reachable = True

    async def open(self) -> execute.Session:
        """Open one checked session."""
        return await open_session(
            self._settings, application=APPLICATION, session_features=self._features
        )

    async def close(self) -> None:
        """End all sessions."""
        for channel in (*self._working, self._listening):
            if channel is not None:
                await channel.drop()

    def explained(self, error: Exception) -> DatabaseError:
        """Put the driver's error into words, by the decision that it asks for."""
        if isinstance(error, DatabaseError):
            return error
        lines = str(error).splitlines() or [type(error).__name__]
        said = f"the database {self.target} said: {lines[0]}"
        fault = classify(error)
        if fault in {Fault.LOST, Fault.TRANSIENT}:
            return DatabaseUnreachable(said, target=self.target)
        if fault is Fault.DATA:
            return UnfitValue(said, target=self.target)
        return DatabaseError(said, target=self.target)

    async def _check(self, session: execute.Session) -> None:
        try:
            await migrate.check_schema(session)
        except SchemaMissing:
            if not self._settings.auto_migrate:
                raise
            applied = await asyncio.to_thread(migrate.migrate_up, self._settings)
            _log.info(
                "migrated %s: %s", self.target, ", ".join(applied) or "another process was first"
            )
            await migrate.check_schema(session)


class Channel:
    """One session: a statement at a time, tried again until it went through."""

    __slots__ = ("_session", "_store", "_turn")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._session: execute.Session | None = None
        self._turn = asyncio.Lock()

    async def fetch_all(self, query: Query[T], *, patience: timedelta | None = None) -> list[T]:
        """Run a query that may be run twice; a trouble that passes is waited for.

        Raises:
            DatabaseUnreachable: the trouble lasted longer than ``patience``.
            UnfitValue: a value of the query cannot be stored.
            DatabaseError: waiting cannot help.

        """
        clock = asyncio.get_running_loop().time
        deadline = math.inf if patience is None else clock() + patience.total_seconds()
        async with self._turn:
            for seconds in growing(first=_FIRST_PAUSE_S):
                try:
                    rows = await execute.fetch_all(await self._open(), query)
                except (psycopg.Error, OSError, DatabaseUnreachable) as error:
                    await self._after(error, too_late=clock() + seconds > deadline)
                except (ArithmeticError, ValueError, struct.error) as error:
                    # It did not even fit the parameter's type.
                    raise UnfitValue(f"a value cannot be sent to the database: {error}") from error
                else:
                    self._store.reachable = True
                    return rows
                await pause(seconds)
        raise AssertionError("pauses never end")

    async def register(self, program: NewProgram) -> ProgramId:
        """Store a program in a transaction of its own; raises ``ProgramConflict`` and what ``fetch_all`` does."""
        patience = self._store.patience
        await self.fetch_all(programs.register(program), patience=patience)
        found = await self.fetch_all(programs.holder(program), patience=patience)
        return programs.check_registered(program, found[0] if found else None)

    async def listen(self, *, listening: Callable[[], None]) -> AsyncIterator[str]:
        """Yield the payloads of the finished channel until the session breaks; raises as the driver does."""
        session = await self._open()
        channel = notifications.finished_channel(self._store.schema)
        async for message in listen(session, [channel], listening=listening):
            yield message.payload

    async def drop(self) -> None:
        """End the session; the next query opens another."""
        session, self._session = self._session, None
        if session is not None:
            await session.connection.close()

    async def _open(self) -> execute.Session:
        if self._session is None:
            self._session = await self._store.open()
        return self._session

    async def _after(self, error: Exception, *, too_late: bool) -> None:
        """Decide whether another try makes sense; raise if not."""
        fault = Fault.LOST if isinstance(error, DatabaseUnreachable) else classify(error)
        if fault is not Fault.TRANSIENT:
            await self.drop()
        explained = self._store.explained(error)
        if fault in _CANNOT_WAIT:
            raise explained from error
        if self._store.reachable:
            _log.warning("%s; trying again", explained)
        if fault is Fault.LOST:
            self._store.reachable = False
        if too_late:
            raise explained from error
