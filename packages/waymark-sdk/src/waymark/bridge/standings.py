"""Questions where runs stand in; their states out, all that were asked meanwhile in one statement."""

from __future__ import annotations

import asyncio
from uuid import UUID

from waymark.bridge.parties import Party, failed
from waymark.bridge.protocol import Missing, Standing
from waymark.bridge.store import Store
from waymark_schema.errors import DatabaseError, DatabaseUnreachable
from waymark_schema.tables import instances


class Standings:
    """Reads states."""

    def __init__(self, store: Store) -> None:
        self._channel = store.channel()
        self._patience = store.patience
        self._asked: list[tuple[Party, int, UUID]] = []
        self._news = asyncio.Event()

    def add(self, party: Party, request: int, instance: UUID) -> None:
        """Take a request."""
        self._asked.append((party, request, instance))
        self._news.set()

    def give_up(self, error: Exception) -> int:
        """Answer everybody with an error; return how many requests."""
        asked, self._asked = self._asked, []
        for party, request, _ in asked:
            party.answer(failed(request, error))
        return len(asked)

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            asked, self._asked = self._asked, []
            ids = {instance for _, _, instance in asked}
            try:
                rows = await self._channel.fetch_all(instances.status(ids), patience=self._patience)
            except DatabaseError as error:
                for party, request, _ in asked:
                    party.answer(failed(request, error))
                if not isinstance(error, DatabaseUnreachable):
                    raise
                continue
            states: dict[UUID, int] = {row.id: row.state for row in rows}
            for party, request, instance in asked:
                state = states.get(instance)
                party.answer(Missing(request) if state is None else Standing(request, state))
