"""Claimed runs that were begun before in; live instances at their last committed point, or why not, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

from waymark_schema.database.execute import Session, fetch_all
from waymark_schema.ids import LeaseId
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
        loaded = await fetch_all(session, instances.load(claimed, lease=self._lease))
        tails = recovery.group(
            await fetch_all(
                session, journal.tail({item.id: item.snapshot_position or 0 for item in loaded})
            )
        )
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
            row, entries = claimed[item.id], tails.pop(item.id, [])
            live = await self._rebuilt(session, item, row, programs[item.program], entries)
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
        entries: list[JournalEntry],
    ) -> LiveInstance | None:
        """The instance behind its last entry; None if it was refused or handed back instead."""
        try:
            replay = self._restored(item, row, program)
            if replay.instance.position != (item.snapshot_position or 0):
                entries = await fetch_all(session, journal.tail({item.id: 0}))
            for entry in entries:
                await self._turns.give()
                if self._stopped:
                    break
                self._feed(replay, entry)
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
