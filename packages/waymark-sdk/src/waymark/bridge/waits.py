"""Runs that clients wait for in; how they ended out: told by notification, found by looking otherwise."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psycopg

from waymark.bridge.parties import Party, failed
from waymark.bridge.pauses import growing, pause
from waymark.bridge.protocol import Ended, Missing, Stuck
from waymark.bridge.store import Store
from waymark_schema.errors import DatabaseError
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import instances
from waymark_schema.tables.instances import InstanceResult
from waymark_schema.tables.notifications import unpack_ids

TOLD_FIRST_S: Final = 1.0
TOLD_LONGEST_S: Final = 5.0
"""Looks at runs whose end is notified: they only make up for lost notifications."""
UNTOLD_FIRST_S: Final = 0.03
UNTOLD_LONGEST_S: Final = 0.5
_GROWTH: Final = 1.6
_SLACK_S: Final = 0.01
_LOOK_IDS: Final = 10_000
_REMEMBERED: Final = 100_000
_log = logging.getLogger("waymark.bridge")


@dataclass(slots=True, eq=False)
class _Watched:
    """One run and everybody who waits for it."""

    id: UUID
    parties: list[tuple[Party, int]]
    seen: bool
    """It is known to exist."""
    told: bool
    """Its end will be notified."""
    interval: float
    next_look_at: float = 0.0
    stuck: set[tuple[int, int]] = field(default_factory=set)
    """Parties and requests that know that it is quarantined."""


class Waits:
    """Everybody who waits, and the one look at the database that serves them all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reading, self._hearing = store.channel(), store.listener()
        self._watched: dict[UUID, _Watched] = {}
        self._by_party: dict[int, dict[int, UUID]] = {}
        self._upcoming: list[tuple[float, UUID]] = []
        self._due: set[UUID] = set()
        self._news = asyncio.Event()
        self._queued_here: OrderedDict[UUID, bool] = OrderedDict()
        self.listening = False

    def __len__(self) -> int:
        return len(self._watched)

    def waiting(self) -> dict[UUID, list[tuple[Party, int]]]:
        """Return who waits for what now: clients and their requests, by run."""
        return {run: list(watched.parties) for run, watched in self._watched.items()}

    def queued(self, ids: Iterable[UUID]) -> None:
        """Remember runs whose end will be notified and that are known to exist."""
        remembered = self._queued_here
        for instance in ids:
            remembered[instance] = False
        while len(remembered) > _REMEMBERED:
            remembered.popitem(last=False)

    def watch(self, party: Party, request: int, instance: UUID) -> None:
        """Answer this request when the run has ended."""
        self._by_party.setdefault(id(party), {})[request] = instance
        watched = self._watched.get(instance)
        if watched is not None:
            watched.parties.append((party, request))
            self._look_now(instance)
            return
        ended = self._queued_here.get(instance)
        told = ended is not None
        watched = _Watched(
            instance, [(party, request)], told, told, TOLD_FIRST_S if told else UNTOLD_FIRST_S
        )
        self._watched[instance] = watched
        if ended is False and self.listening:
            # It was queued here and nothing was heard since: its end will be heard.
            self._look_later(watched)
        else:
            self._look_now(instance)

    def forget(self, party: Party, request: int) -> None:
        """Nobody waits for the answer to this request any more."""
        instance = self._by_party.get(id(party), {}).pop(request, None)
        watched = self._watched.get(instance) if instance is not None else None
        if watched is None:
            return
        watched.parties.remove((party, request))
        if not watched.parties:
            del self._watched[watched.id]

    def leave(self, party: Party) -> None:
        """Forget everything a client waited for: it is gone."""
        for request in list(self._by_party.get(id(party), ())):
            self.forget(party, request)
        self._by_party.pop(id(party), None)

    def give_up(self, error: Exception) -> int:
        """Answer everybody with an error; return how many requests."""
        waiting = [each for watched in self._watched.values() for each in watched.parties]
        for party, request in waiting:
            party.answer(failed(request, error))
        self._watched.clear()
        self._by_party.clear()
        return len(waiting)

    async def run(self) -> None:
        """Look, whenever something is due, until cancelled."""
        while True:
            await self._next_news()
            self._take_upcoming()
            while self._due:
                batch = [self._due.pop() for _ in range(min(len(self._due), _LOOK_IDS))]
                await self._look([each for each in batch if each in self._watched])

    async def hear(self) -> None:
        """Listen until cancelled; while nothing can be heard, looking is all there is."""
        pauses = growing()
        while True:
            try:
                async for payload in self._hearing.listen(listening=self._begin):
                    pauses = growing()
                    self._ended(unpack_ids(payload))
            except (psycopg.Error, OSError, DatabaseError, ValueError) as error:
                _log.warning("listening broke off: %s", self._store.explained(error))
            self._stop_hearing()
            await self._hearing.drop()
            await pause(next(pauses))

    def _begin(self) -> None:
        self.listening = True
        # What ended before was not heard.
        self._look_at_all()

    def _stop_hearing(self) -> None:
        self.listening = False
        self._queued_here = OrderedDict((instance, True) for instance in self._queued_here)
        for watched in self._watched.values():
            watched.interval = UNTOLD_FIRST_S
        self._look_at_all()

    def _look_at_all(self) -> None:
        self._due.update(self._watched)
        self._news.set()

    def _ended(self, ids: Iterable[UUID]) -> None:
        for instance in ids:
            if instance in self._watched:
                self._due.add(instance)
            elif instance in self._queued_here:
                self._queued_here[instance] = True
        if self._due:
            self._news.set()

    def _look_now(self, instance: UUID) -> None:
        self._due.add(instance)
        self._news.set()

    def _look_later(self, watched: _Watched) -> None:
        told = watched.told and self.listening
        at = asyncio.get_running_loop().time() + watched.interval
        longest = TOLD_LONGEST_S if told else UNTOLD_LONGEST_S
        watched.interval = min(watched.interval * _GROWTH, longest)
        watched.next_look_at = at
        heapq.heappush(self._upcoming, (at, watched.id))
        if self._upcoming[0][1] == watched.id:
            self._news.set()

    async def _next_news(self) -> None:
        seconds = None
        if self._upcoming:
            seconds = max(0.0, self._upcoming[0][0] - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass  # something is due: that is news as well
        self._news.clear()

    def _take_upcoming(self) -> None:
        soon = asyncio.get_running_loop().time() + _SLACK_S
        while self._upcoming and self._upcoming[0][0] <= soon:
            at, instance = heapq.heappop(self._upcoming)
            watched = self._watched.get(instance)
            # Else it was looked at meanwhile, for another reason, and has a later entry.
            if watched is not None and watched.next_look_at == at:
                self._due.add(instance)

    async def _look(self, ids: list[UUID]) -> None:
        if not ids:
            return
        rows = await self.reading.fetch_all(instances.results(ids))
        unseen = [each for each in ids if each in self._watched and not self._watched[each].seen]
        missing = await self._missing(unseen, found={row.id for row in rows})
        for row in rows:
            self._found(row)
        for instance in missing:
            self._answer(instance, Missing)
        for instance in ids:
            watched = self._watched.get(instance)
            if watched is not None:
                self._look_later(watched)

    async def _missing(self, unseen: list[UUID], *, found: Iterable[UUID]) -> set[UUID]:
        asked = set(unseen) - set(found)
        if not asked:
            return set()
        known = {row.id for row in await self.reading.fetch_all(instances.status(asked))}
        for instance in known:
            if instance in self._watched:
                self._watched[instance].seen = True
        return asked - known

    def _found(self, row: InstanceResult) -> None:
        watched = self._watched.get(row.id)
        if watched is None:
            return
        watched.seen = True
        if row.state != InstanceState.QUARANTINED:
            self._answer(row.id, lambda request: Ended(request, row.state, row.result, row.error))
            return
        for party, request in watched.parties:
            if (id(party), request) not in watched.stuck:
                watched.stuck.add((id(party), request))
                party.answer(Stuck(request, row.id.bytes))

    def _answer(self, instance: UUID, make: Callable[[int], Ended | Missing]) -> None:
        watched = self._watched.pop(instance, None)
        if watched is None:
            return
        self._queued_here.pop(instance, None)
        for party, request in watched.parties:
            self._by_party.get(id(party), {}).pop(request, None)
            party.answer(make(request))
