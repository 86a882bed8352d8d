"""Claimed runs that were begun before in; live instances at their last committed point, or why not, out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

from waymark_schema.database.execute import Session, fetch_all
from waymark_schema.ids import InstanceId, LeaseId
from waymark_schema.kinds import InboxKind
from waymark_schema.tables import inbox, instances, journal, offers
from waymark_schema.tables.instances import Claimed, LoadedInstance
from waymark_schema.tables.journal import JournalEntry
from waymark_schema.tables.offers import OfferKey
from waymark_schema.values.errors import MalformedValue
from waymark_worker.clock import Clock
from waymark_worker.runloop import recovery
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.offered_calls import NO_LETTERS
from waymark_worker.runloop.programs import RunnableProgram
from waymark_worker.runloop.recovery import Diverged, Replay
from waymark_worker.runloop.turns import Turns
from waymark_worker.telemetry import log
from waymark_worker.vm.snapshot import SnapshotUnreadable

_EXPECTED = (Diverged, ValueError, MalformedValue, LookupError)


READ_BYTES = 32 * 1024 * 1024
"""What is read at a time of states and of journals, or a single one that is larger."""


class _NotRebuilt(Exception):
    """Whatever is wrong with one run is that run's trouble; what is wrong with the database is not."""


class Adopter(Protocol):
    """Who takes the instances over."""

    def resume(
        self,
        instance: LiveInstance,
        offered: Iterable[OfferKey] = ...,
        letters: Mapping[OfferKey, int] = ...,
    ) -> None: ...
    def hand_back(self, claimed: Claimed) -> None: ...
    def refuse(self, claimed: Claimed, reason: str) -> None: ...


class Tails:
    """The ends of some journals, read piece by piece; asked for run by run in the order of their ids."""

    def __init__(self, session: Session, after: dict[InstanceId, int]) -> None:
        """``after``: the position of each run behind which its entries are wanted."""
        self._session = session
        self._after = after
        self._entries: deque[JournalEntry] = deque()

    async def next_of(self, instance: InstanceId) -> JournalEntry | None:
        """The next entry of a run; None behind its last one."""
        while True:
            while self._entries and self._entries[0].instance < instance:
                self._entries.popleft()  # of a run that was given up in its midst
            if self._entries:
                ours = self._entries[0].instance == instance
                return self._entries.popleft() if ours else None
            if instance not in self._after:
                return None
            await self._read(instance)

    async def _read(self, first: InstanceId) -> None:
        wanted = {id_: after for id_, after in self._after.items() if id_ >= first}
        entries = await fetch_all(self._session, journal.tail(wanted, room=READ_BYTES))
        self._entries.extend(entries)
        self._after = {}
        if sum(entry.size for entry in entries) >= READ_BYTES:
            last = entries[-1]
            self._after = {id_: after for id_, after in wanted.items() if id_ > last.instance}
            self._after[last.instance] = last.position


class Rebuilder:
    """One per lease. A run is nobody's but its own until the last entry of its journal is fed."""

    def __init__(
        self,
        lease: LeaseId,
        adopter: Adopter,
        *,
        clock: Clock,
        advancing: Callable[[LiveInstance | None], None],
    ) -> None:
        """``advancing`` is told of the instance whose code is replayed, and of None when it has run."""
        self._lease = lease
        self._adopter = adopter
        self._clock = clock
        self._advancing = advancing
        self._turns = Turns(clock)
        self._stopped = False

    def stop(self) -> None:
        """Hand back what is not rebuilt yet."""
        self._stopped = True

    async def rebuild(
        self, session: Session, rows: list[Claimed], programs: Mapping[Any, RunnableProgram]
    ) -> None:
        """Rebuild runs and have them resumed, one after the other."""
        claimed = {row.id: row for row in rows}
        while claimed:
            if self._stopped:
                for row in claimed.values():
                    self._adopter.hand_back(row)
                return
            query = instances.load(claimed, lease=self._lease, room=READ_BYTES)
            loaded = await fetch_all(session, query)
            if not loaded:
                return  # what is left is not ours any more
            some = {item.id: claimed.pop(item.id) for item in loaded}
            await self._rebuild(session, loaded, some, programs)

    async def _rebuild(
        self,
        session: Session,
        loaded: list[LoadedInstance],
        claimed: Mapping[InstanceId, Claimed],
        programs: Mapping[Any, RunnableProgram],
    ) -> None:
        tails = Tails(session, {item.id: item.snapshot_position or 0 for item in loaded})
        # In this order: an offer goes in the statement that leaves its outcome in the mail.
        offered: dict[UUID, list[OfferKey]] = {}
        for offer in await fetch_all(session, offers.adopt(self._lease, claimed)):
            key = OfferKey(offer.instance, offer.call, offer.attempt)
            offered.setdefault(offer.instance, []).append(key)
        letters: dict[UUID, dict[OfferKey, int]] = {}
        for letter in await fetch_all(session, inbox.pending(claimed)):
            if letter.kind == InboxKind.OFFERED_OUTCOME:
                key = OfferKey(letter.instance, letter.call or 0, letter.attempt or 0)
                letters.setdefault(letter.instance, {})[key] = letter.id
        for item in loaded:
            await self._turns.give()
            row = claimed[item.id]
            if self._stopped:
                self._adopter.hand_back(row)
                continue
            live = await self._rebuilt(session, item, row, programs[item.program], tails)
            if live is not None:
                live.recoveries = row.recoveries
                self._adopter.resume(
                    live, offered.get(item.id, ()), letters.get(item.id, NO_LETTERS)
                )

    async def _rebuilt(
        self,
        session: Session,
        item: LoadedInstance,
        row: Claimed,
        program: RunnableProgram,
        tails: Tails,
    ) -> LiveInstance | None:
        """The instance behind its last entry; None if it was refused or handed back instead."""
        try:
            replay = self._restored(item, row, program)
            if replay.instance.position != (item.snapshot_position or 0):
                tails = Tails(session, {item.id: 0})
            while not self._stopped and (entry := await tails.next_of(item.id)) is not None:
                self._feed(replay, entry)
                await self._turns.give()
            if not self._stopped:
                return replay.rebuilt()
        except (_NotRebuilt, Diverged) as error:
            self._adopter.refuse(row, str(error))
            return None
        self._adopter.hand_back(row)
        return None

    def _restored(self, item: LoadedInstance, row: Claimed, program: RunnableProgram) -> Replay:
        """A replay that goes on behind the snapshot, or begins with the first entry if that cannot be used."""
        now = self._clock.now()
        try:
            try:
                return recovery.restored(item, program, now=now, awaited=row.awaited)
            except SnapshotUnreadable as error:
                log.info("snapshot.unreadable", instance=str(item.id), reason=str(error))
            return recovery.begun(item, program, now=now, awaited=row.awaited)
        except Exception as error:
            raise _NotRebuilt(why_not(error)) from error

    def _feed(self, replay: Replay, entry: JournalEntry) -> None:
        """Feed one entry under the run's name: if nothing comes back from that, it is to blame."""
        self._advancing(replay.instance)
        try:
            replay.feed(entry)
        except Exception as error:
            raise _NotRebuilt(why_not(error)) from error
        finally:
            self._advancing(None)


def why_not(error: Exception) -> str:
    """Say why a run cannot be rebuilt; an error that nobody foresaw names its type."""
    if isinstance(error, _EXPECTED) and str(error):
        return str(error)
    log.error("instance.not_rebuilt", exc_info=error)
    return f"it cannot be rebuilt: {error!r}"
