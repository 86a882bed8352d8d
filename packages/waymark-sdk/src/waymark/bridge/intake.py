"""Requests to start runs in; rows in the database out, all that arrived meanwhile in one statement."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from waymark.bridge.parties import Party, failed
from waymark.bridge.protocol import NewRun, Started, UnknownPrograms
from waymark.bridge.store import Channel, Store, UnfitValue
from waymark_schema.errors import DatabaseError, DatabaseUnreachable, RunIdTaken
from waymark_schema.ids import InstanceId, ProgramId, program_id
from waymark_schema.tables import instances

BATCH_RUNS: Final = 2_000
BATCH_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """One Start request of one client; its runs are queued in one statement, or none is."""

    party: Party
    request: int
    runs: Sequence[NewRun]

    @property
    def size(self) -> int:
        """About how many bytes of the statement it takes."""
        return sum(len(run.inputs) + 100 for run in self.runs)

    @property
    def keyed(self) -> bool:
        """Whether an idempotency key may make another run of one of these."""
        return any(run.key is not None for run in self.runs)


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """What a statement has not queued."""

    unknown: set[ProgramId]
    """Programs that are not registered."""
    there: set[bytes] = field(default_factory=set)
    """Ids of runs that are there already, or whose key is."""
    taken: dict[tuple[InstanceId, ProgramId], RunIdTaken] = field(default_factory=dict)
    """Those of them that are other workflows'."""

    def why_not(self, asked: Asked) -> RunIdTaken | None:
        """Why a request did not start all that it asked for, or None."""
        if not self.taken:
            return None
        return next((self.taken[key] for key in map(_key, asked.runs) if key in self.taken), None)


class Intake:
    """Queues runs. Ids are the clients', so that whatever is sent twice is queued once."""

    def __init__(self, store: Store, *, queued: Callable[[Iterable[NewRun]], None]) -> None:
        self._patience = store.patience
        self._shared, self._alone = store.channel(), store.channel()
        self._queued = queued
        self._plain: deque[Asked] = deque()
        self._keyed: deque[Asked] = deque()
        self._taken: list[Asked] = []
        self._plain_news, self._keyed_news = asyncio.Event(), asyncio.Event()
        self._known: set[bytes] = set()

    @property
    def waiting(self) -> int:
        """How many runs are not committed yet."""
        asked = (*self._plain, *self._keyed, *self._taken)
        return sum(len(each.runs) for each in asked)

    def add(self, asked: Asked) -> None:
        """Take a request, or answer at once that its programs must be registered first."""
        unknown = {run.digest for run in asked.runs} - self._known
        if unknown:
            asked.party.answer(UnknownPrograms(asked.request, sorted(unknown)))
        elif asked.keyed:
            self._keyed.append(asked)
            self._keyed_news.set()
        else:
            self._plain.append(asked)
            self._plain_news.set()

    def registered(self, digest: bytes) -> None:
        """Learn that a program is stored."""
        self._known.add(digest)

    def give_up(self, error: Exception) -> int:
        """Answer everything that is not in the database's hands with an error; return how many requests."""
        waiting = [*self._plain, *self._keyed]
        self._plain.clear()
        self._keyed.clear()
        for asked in waiting:
            asked.party.answer(failed(asked.request, error))
        return len(waiting)

    async def run_shared(self) -> None:
        """Queue plain runs until cancelled: one statement at a time, with all that came in meanwhile."""
        while True:
            await self._plain_news.wait()
            self._plain_news.clear()
            while self._plain:
                batch = self._next_batch()
                self._taken += batch
                try:
                    await self._queue(self._shared, batch)
                finally:
                    self._taken = [asked for asked in self._taken if asked not in batch]

    async def run_keyed(self) -> None:
        """Queue keyed runs until cancelled, each request by itself: a held key stops no other run."""
        while True:
            await self._keyed_news.wait()
            self._keyed_news.clear()
            while self._keyed:
                await self._queue(self._alone, [self._keyed.popleft()])

    def _next_batch(self) -> list[Asked]:
        batch = [self._plain.popleft()]
        runs, size = len(batch[0].runs), batch[0].size
        while self._plain:
            following = self._plain[0]
            runs += len(following.runs)
            size += following.size
            if runs > BATCH_RUNS or size > BATCH_BYTES:
                break
            batch.append(self._plain.popleft())
        return batch

    async def _queue(self, channel: Channel, batch: Sequence[Asked]) -> None:
        runs = [run for asked in batch for run in asked.runs]
        try:
            left_out = await self._insert(channel, runs)
        except UnfitValue as error:
            await self._one_by_one(channel, batch, error)
        except DatabaseUnreachable as error:
            for asked in batch:
                asked.party.answer(failed(asked.request, _uncertain(error, asked)))
        except DatabaseError as error:
            for asked in batch:
                asked.party.answer(failed(asked.request, error))
            raise
        else:
            self._queued(run for run in runs if program_id(run.digest) not in left_out.unknown)
            for asked in batch:
                await self._answer(channel, asked, left_out)

    async def _insert(self, channel: Channel, runs: Sequence[NewRun]) -> _LeftOut:
        query = instances.enqueue([_new_instance(run) for run in runs])
        rows = await channel.fetch_all(query, patience=self._patience)
        unknown = {row.program for row in rows if not row.registered}
        there = {row.instance.bytes for row in rows if row.registered}
        if not there:
            return _LeftOut(unknown)
        asked = instances.strangers(_key(run) for run in runs if run.id in there)
        taken = {
            (found.id, found.program): RunIdTaken(found.id, found.workflow, found.wanted)
            for found in await channel.fetch_all(asked, patience=self._patience)
        }
        return _LeftOut(unknown, there, taken)

    async def _one_by_one(
        self, channel: Channel, batch: Sequence[Asked], error: DatabaseError
    ) -> None:
        if len(batch) == 1:
            batch[0].party.answer(failed(batch[0].request, error))
            return
        for asked in batch:
            await self._queue(channel, [asked])

    async def _answer(self, channel: Channel, asked: Asked, left_out: _LeftOut) -> None:
        gone = {run.digest for run in asked.runs if program_id(run.digest) in left_out.unknown}
        if gone:
            # Pruned since it was registered here; the client registers it and asks again.
            self._known -= gone
            asked.party.answer(UnknownPrograms(asked.request, sorted(gone)))
            return
        taken = left_out.why_not(asked)
        if taken is not None:
            asked.party.answer(failed(asked.request, taken))
            return
        ids = [run.id for run in asked.runs]
        if asked.keyed:
            try:
                ids = [await self._holder(channel, run, left_out) for run in asked.runs]
            except DatabaseUnreachable as error:
                asked.party.answer(failed(asked.request, _uncertain(error, asked)))
                return
        asked.party.answer(Started(asked.request, ids))

    async def _holder(self, channel: Channel, run: NewRun, left_out: _LeftOut) -> bytes:
        """Return whose the key is, in a new statement: if another run won, it is committed by now."""
        if run.key is None or run.id not in left_out.there:
            return run.id
        found = await channel.fetch_all(instances.find_by_key(run.key), patience=self._patience)
        return found[0].id.bytes if found else run.id


def _key(run: NewRun) -> tuple[InstanceId, ProgramId]:
    return InstanceId(UUID(bytes=run.id)), program_id(run.digest)


def _new_instance(run: NewRun) -> instances.NewInstance:
    return instances.NewInstance(
        id=InstanceId(UUID(bytes=run.id)),
        program=program_id(run.digest),
        inputs=run.inputs,
        priority=run.priority,
        awaited=run.awaited,
        start_at=run.start_at,
        delay=run.delay,
        idempotency_key=run.key,
    )


def _uncertain(error: DatabaseUnreachable, asked: Asked) -> DatabaseUnreachable:
    first = UUID(bytes=asked.runs[0].id)
    rest = f" and {len(asked.runs) - 1} more" if len(asked.runs) > 1 else ""
    return DatabaseUnreachable(
        f"{error}\nWhether run {first}{rest} was queued is not known; starting with the same id again is safe.",
        target=error.target,
    )
