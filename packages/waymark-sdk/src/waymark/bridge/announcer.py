"""News of queued runs in; one coalesced notification at a time for idle pools out."""

from __future__ import annotations

import asyncio
import logging

from waymark.bridge.store import Store
from waymark_schema.errors import DatabaseError
from waymark_schema.tables import notifications

_log = logging.getLogger("waymark.bridge")


class Announcer:
    """Notifies on a session of its own, after the commit: inside it, notifying would serialise commits."""

    def __init__(self, store: Store) -> None:
        self._channel = store.channel()
        self._schema = store.schema
        self._patience = store.patience
        self._news = asyncio.Event()

    def queued(self) -> None:
        """Tell the pools that there is something to claim."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled. One that gets lost costs its run a poll interval of the pool."""
        while True:
            await self._news.wait()
            self._news.clear()
            message = (notifications.ready_channel(self._schema), "")
            try:
                await self._channel.fetch_all(
                    notifications.notify([message]), patience=self._patience
                )
            except DatabaseError as error:
                _log.warning("pools were not notified, they find their work by polling: %s", error)
