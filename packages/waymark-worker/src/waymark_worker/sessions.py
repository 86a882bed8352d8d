"""Sessions of one lease: a role in, an owner's session under the lease's own application name out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from waymark_schema.database.execute import Session, fetch_all
from waymark_schema.database.faults import Fault, classify
from waymark_schema.database.sessions import Purpose, open_session
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.errors import DatabaseUnreachable
from waymark_schema.tables import leases
from waymark_worker.clock import pause
from waymark_worker.telemetry import log

MAX_PAUSE_SECONDS = 2.0
SHORT_PAUSE_SECONDS = 0.5
"""While the server is away: when it is back, a lease must beat before others may take its owner for dead."""
LOST_PAUSE_SECONDS = 0.02


class Rooms:
    """Who of a process has a connection of its own, when there may be so many in all."""

    def __init__(self, roles: Sequence[str], most: int | None) -> None:
        """``roles`` in the order in which they get one; the last of those allowed is for all others together."""
        alone = len(roles) if most is None or most >= len(roles) else most - 1
        self._alone = frozenset(roles[:alone])
        self._roles = frozenset(roles)

    def shared(self, role: str) -> bool:
        """Whether a role shares its connection; one that is not listed, and comes and goes, does not."""
        return role in self._roles - self._alone


class LeaseSessions:
    """Opens the sessions that write under one lease, and ends those that were lost."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        application: str,
        session_features: bool,
        roles: Sequence[str] = (),
    ) -> None:
        """``roles`` names those that hold sessions for long, the most important ones first."""
        self._rooms = Rooms(roles, settings.pool_size)
        self._shared: Session | None = None
        self._turn = asyncio.Lock()
        self._settings = settings
        self._features = session_features
        self.application = application
        self._backends: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._lost: set[int] = set()
        """Backends whose last answer did not come: what they were told may still be done."""

    @property
    def knows_backends(self) -> bool:
        """Whether it can be told when a session that was given up has ended in the server: not behind a pooler."""
        return self._features

    def has_own(self, role: str) -> bool:
        """Whether this role does not share its session with others."""
        return not self._rooms.shared(role)

    async def open(self, *, role: str) -> Session:
        """Open a session, waiting for as long as the database is away.

        A shared one runs a statement at a time, and whoever closes it closes it for all: they open it anew.

        Raises DatabaseRefused or DatabaseMisconfigured when waiting cannot help.
        """
        if self.has_own(role):
            return await self._open_own(role)
        async with self._turn:
            if self._shared is None or self._shared.connection.closed:
                self._shared = await self._open_own(role)
            return self._shared

    async def _open_own(self, role: str) -> Session:
        """Open one more session.

        Raises DatabaseRefused or DatabaseMisconfigured when waiting cannot help.
        """
        attempt = 0
        while True:
            try:
                session = await open_session(
                    self._settings,
                    application=self.application,
                    purpose=Purpose.OWNER,
                    session_features=self._features,
                )
            except DatabaseUnreachable as error:
                if attempt % 40 == 0:
                    log.warning("database.unreachable", role=role, error=first_line(error))
                await pause(min(SHORT_PAUSE_SECONDS, 0.02 * 2 ** min(attempt, 8)))
                attempt += 1
                continue
            self._backends[session.connection] = session.connection.info.backend_pid
            return session

    async def open_after_lost(self, *, role: str) -> Session:
        """Open a session once every backend that was given up with `lose` has ended: what it did is done."""
        session = await self.open(role=role)
        try:
            while self._lost:
                asked = set(self._lost)
                query = leases.terminate_backends(self.application, asked)
                self._lost -= asked - {row.pid for row in await fetch_all(session, query)}
                if self._lost:
                    await pause(LOST_PAUSE_SECONDS)
        except BaseException:
            await session.connection.close()
            raise
        return session

    async def lose(self, session: Session) -> None:
        """Close a session that failed; its last statement may still be at work.

        Behind a pooler the backend cannot be told, so there it is only closed.
        """
        if self._features:
            self._lost.add(self._backends[session.connection])
        await session.connection.close()

    async def terminate_lost(self) -> None:
        """End every session of this lease: the old backend may still hold a statement of ours."""
        session = await open_session(
            self._settings, application="waymark terminator", session_features=False
        )
        try:
            await fetch_all(session, leases.terminate(self.application))
        finally:
            await session.connection.close()


def first_line(error: BaseException) -> str:
    """What an error says first, for a log; its type when it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


async def pause_after(
    error: BaseException, attempt: int, *, most: float = MAX_PAUSE_SECONDS
) -> None:
    """Wait before a duty tries again, ``most`` seconds or two if a person has to do something.

    Whatever the database says, a pool that has begun goes on asking: a password, a grant or a schema that
    a person mends must not need a restart of every pool as well.
    """
    if classify(error) is Fault.FATAL and not isinstance(error, DatabaseUnreachable):
        log.error("database.refuses", error=str(error).strip())
        most = MAX_PAUSE_SECONDS
    await pause(min(most, 0.05 * 2 ** min(attempt, 8)))
