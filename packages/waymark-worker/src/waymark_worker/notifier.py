"""Notifications after commits: channels and payloads in, one coalesced statement at a time out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from uuid import UUID

import psycopg

from waymark_schema.database.execute import Session, fetch_one
from waymark_schema.errors import DatabaseError
from waymark_schema.ids import LeaseId
from waymark_schema.tables import notifications
from waymark_worker.clock import pause
from waymark_worker.journal import Sessions
from waymark_worker.sessions import first_line
from waymark_worker.telemetry import log

PAUSE_SECONDS = 0.5


class Notifier:
    """Sends on a session of its own, so that no commit ever waits for the notification queue's lock.

    A notification that is lost costs its receiver one poll interval, nothing else.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._finished: list[UUID] = []
        self._ready = False
        self._mail: set[LeaseId] = set()
        self._wake = asyncio.Event()
        self._session: Session | None = None

    def finished(self, ids: Iterable[UUID]) -> None:
        """Tell callers that wait for these runs."""
        self._finished.extend(ids)
        if self._finished:
            self._wake.set()

    def mail(self, owners: Iterable[LeaseId]) -> None:
        """Tell owners that instances of theirs have got mail."""
        self._mail.update(owners)
        self._wake.set()

    def ready(self) -> None:
        """Tell idle pools that there is something to claim."""
        self._ready = True
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._send()
        finally:
            await self._close()

    async def flush(self) -> None:
        """Send what is left once ``run`` has been cancelled."""
        if self._finished or self._ready or self._mail:
            try:
                await self._send()
            finally:
                await self._close()

    async def _send(self) -> None:
        finished, self._finished = self._finished, []
        ready, self._ready = self._ready, False
        mail, self._mail = self._mail, set()
        try:
            if self._session is None:
                self._session = await self._sessions.open(role="notify")
            schema = self._session.schema
            channel = notifications.finished_channel(schema)
            messages = [(channel, payload) for payload in notifications.pack_ids(finished)]
            if mail:
                channel = notifications.inbox_channel(schema)
                messages += [(channel, payload) for payload in notifications.pack_leases(mail)]
            if ready:
                messages.append((notifications.ready_channel(schema), ""))
            await fetch_one(self._session, notifications.notify(messages))
        except (psycopg.Error, OSError, DatabaseError) as error:
            log.warning("notify.failed", error=first_line(error))
            await self._close()
            await pause(PAUSE_SECONDS)

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.connection.close()
