"""Group commit: changes of many instances in, one guarded statement at a time, committed changes out."""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import psycopg

from waymark_schema.database.execute import Session, execute, fetch_one
from waymark_schema.database.faults import Fault, classify
from waymark_schema.errors import DatabaseError, HistoryLost
from waymark_schema.ids import LeaseId
from waymark_schema.tables import settle, transactions
from waymark_schema.tables.settle import (
    FinalRow,
    InFlightRow,
    JournalRow,
    SettleBatch,
    SettleResult,
    SnapshotRow,
)
from waymark_worker.batches import MAX_BYTES, MAX_ROWS, halves, too_long
from waymark_worker.clock import pause
from waymark_worker.telemetry import Counters, log

TRIM_EVERY = 256
PYTHON_MINOR = sys.version_info.minor


@dataclass(slots=True, eq=False)
class Change:
    """What one entry did to one instance; ``carried`` comes back with the commit."""

    instance: UUID
    epoch: int
    carried: Any
    rows: list[JournalRow] = field(default_factory=list)
    final: FinalRow | None = None
    snapshot: SnapshotRow | None = None
    forget_snapshot: bool = False
    consumed: list[tuple[UUID, int]] = field(default_factory=list)
    flying: list[InFlightRow] = field(default_factory=list)
    """Calls of it that people are to see running."""
    landed: list[int] = field(default_factory=list)
    """Calls of it that they are to see running no longer."""
    last_word: bool = False
    """It ends an instance of which an earlier change was refused."""

    @property
    def only_shows(self) -> bool:
        """Whether nothing depends on it: refused, it leaves no gap."""
        return self.carried is None and self.final is None

    def size(self) -> int:
        """Bytes of the values it writes."""
        total = sum(
            len(row.inputs or b"") + len(row.outcome or b"") + len(row.local or b"")
            for row in self.rows
        )
        if self.final is not None:
            total += len(self.final.result or b"") + len(self.final.error or b"")
        if self.snapshot is not None:
            total += len(self.snapshot.state)
        if self.flying:
            total += sum(len(row.inputs or b"") for row in self.flying)
        return total


class Sessions(Protocol):
    """Opens the committer's own session, again after every loss."""

    async def open(self, *, role: str) -> Session: ...
    async def open_after_lost(self, *, role: str) -> Session: ...
    async def lose(self, session: Session) -> None: ...
    async def terminate_lost(self) -> None: ...
    @property
    def knows_backends(self) -> bool: ...


class Fenced(Exception):
    """The lease is lost; everything that is held must be dropped."""


class _TooLong(Exception):
    """A statement was cancelled, by its timeout or by a person; it was rolled back."""


class Committer:
    """One per lease. While one commit is in flight, what settles queues up; the next one takes it.

    What does not fit into one commit goes by turns, a change of each instance at a time: one that settles ten
    thousand calls, or large values, holds up nobody else.
    """

    def __init__(
        self,
        lease: LeaseId,
        sessions: Sessions,
        *,
        committed: Callable[[list[Change]], None],
        rejected: Callable[[Change, Exception], None],
        counters: Counters,
        interval: float = 0.0,
    ) -> None:
        """``committed`` and ``rejected`` run on the loop's thread, before the next commit starts."""
        self._lease = lease
        self._sessions = sessions
        self._committed = committed
        self._rejected = rejected
        self._counters = counters
        self._interval = interval
        self._queue: OrderedDict[UUID, deque[Change]] = OrderedDict()
        """By instance, in the order of their turns."""
        self._under_way: list[Change] = []
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._session: Session | None = None
        self._lost_answer = False
        self._seq = 1
        self._stopping = False
        self._refused: set[tuple[UUID, int]] = set()
        """Claims of which a change was refused: what was queued behind it would leave a gap."""

    def add(self, change: Change) -> None:
        """Queue a change; it is committed with whatever else is ready then."""
        waiting = self._queue.get(change.instance)
        if waiting is None:
            self._queue[change.instance] = deque((change,))
        else:
            waiting.append(change)
        self._wake.set()
        self._drained.clear()

    def settles(self, instance: UUID) -> bool:
        """Whether a change of an instance is not committed yet."""
        return instance in self._queue or any(each.instance == instance for each in self._under_way)

    async def drain(self) -> None:
        """Wait until everything that was added is committed."""
        await self._drained.wait()

    async def run(self) -> None:
        """Commit until ``stop``. Raises Fenced or HistoryLost when the lease is no longer good."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._interval and self._queue:
                await pause(self._interval)
            while self._queue:
                self._under_way = self._take()
                await self._commit(self._under_way)
                self._under_way = []
            self._drained.set()
            if self._stopping:
                await self._close()
                return

    def stop(self) -> None:
        """Make ``run`` return once the queue is empty."""
        self._stopping = True
        self._wake.set()

    def _take(self) -> list[Change]:
        queue = self._queue
        taken: list[Change] = []
        rows = size = 0
        while queue:
            instance = next(iter(queue))
            waiting = queue[instance]
            change = waiting[0]
            rows += len(change.rows) + len(change.flying) + 1
            size += change.size()
            if taken and (rows > MAX_ROWS or size > MAX_BYTES):
                break
            taken.append(waiting.popleft())
            if waiting:
                queue.move_to_end(instance)
            else:
                del queue[instance]
        return taken

    async def _commit(self, changes: list[Change]) -> None:
        """Commit the changes; one that the server refuses is isolated by halving and rejected alone.

        What is too much for the time that a statement has is halved, too, as far as that goes.
        """
        pending = [changes]
        while pending:
            part = [change for change in pending.pop() if self._wanted(change)]
            if not part:
                continue
            try:
                await self._settle(part)
            except (Fenced, HistoryLost):
                raise
            except _TooLong as error:
                log.warning("journal.halved", changes=len(part), error=str(error).strip())
                pending += halves(part)
            except Exception as error:  # noqa: BLE001 - what cannot even be encoded is refused like what the server refuses
                if len(part) == 1:
                    log.error(
                        "journal.rejected", instance=str(part[0].instance), error=str(error).strip()
                    )
                    if not part[0].only_shows:
                        self._refused.add((part[0].instance, part[0].epoch))
                        self._rejected(part[0], error)
                    continue
                pending += halves(part)
            else:
                self._committed(part)

    def _wanted(self, change: Change) -> bool:
        return change.last_word or (change.instance, change.epoch) not in self._refused

    async def _settle(self, changes: list[Change]) -> None:
        """Commit one batch, sending it until the server has answered.

        Raises _TooLong when it ran out of time and surely nothing of it was kept. With an earlier answer
        lost it may be committed, or be about to be: then only the identical batch may be sent, until the old
        backend has ended and has left no marker.
        """
        batch = self._batch(changes)
        attempt = 0
        known = True
        while True:
            sent = False
            try:
                session = self._session or await self._open()
                sent = True
                result = await transactions.commit(session, batch)
            except (psycopg.Error, OSError, DatabaseError) as error:
                if len(changes) > 1 and too_long(error):
                    known = known or await self._surely_undone()
                    if known:
                        raise _TooLong(str(error)) from error
                known = known and (not sent or _answered(error))
                if not await self._recover(error, attempt):
                    raise
                attempt += 1
                continue
            if result is SettleResult.FENCED:
                raise Fenced
            self._seq += 1
            self._counters.commits += 1
            self._counters.journal_rows += len(batch.journal)
            if self._seq % TRIM_EVERY == 0:
                await self._trim()
            return

    async def _surely_undone(self) -> bool:
        """Whether nothing is kept of a batch whose answer was lost before: no backend is left that could still do it."""
        if not self._sessions.knows_backends:
            return False
        await self._close()
        try:
            self._session = await self._sessions.open_after_lost(role="journal")
            last = await fetch_one(self._session, settle.last_commit(self._lease))
        except (psycopg.Error, OSError, DatabaseError) as error:
            log.warning("journal.unclear", error=str(error).strip())
            await self._close()
            return False
        return last.seq < self._seq

    def _batch(self, changes: list[Change]) -> SettleBatch:
        finals: dict[UUID, FinalRow] = {}
        snapshots: dict[UUID, SnapshotRow] = {}
        forget: set[UUID] = set()
        flying: dict[tuple[UUID, int], InFlightRow] = {}
        landed: dict[tuple[UUID, int], None] = {}
        for change in changes:
            for call in change.landed:
                flying.pop((change.instance, call), None)
                landed[change.instance, call] = None
            for row in change.flying:
                landed.pop((row.instance, row.call), None)
                flying[row.instance, row.call] = row
            if change.final is not None:
                finals[change.instance] = change.final
            if change.snapshot is not None:
                snapshots[change.instance] = change.snapshot
            if change.forget_snapshot:
                snapshots.pop(change.instance, None)
                forget.add(change.instance)
        return SettleBatch(
            self._lease,
            self._seq,
            PYTHON_MINOR,
            journal=[row for change in changes for row in change.rows],
            instances=list(finals.values()),
            snapshots=list(snapshots.values()),
            forget_snapshots=list(forget),
            consumed=[item for change in changes for item in change.consumed],
            in_flight=list(flying.values()),
            landed=list(landed),
        )

    async def _open(self) -> Session:
        if self._lost_answer:
            # The old backend may still hold the statement whose answer was lost.
            await self._sessions.terminate_lost()
        session = await self._sessions.open(role="journal")
        self._session = session
        self._lost_answer = False
        return session

    async def _recover(self, error: Exception, attempt: int) -> bool:
        """Prepare to send the identical batch again; False if sending it again cannot help."""
        fault = Fault.LOST if isinstance(error, DatabaseError) else classify(error)
        if fault in (Fault.DATA, Fault.REFUSED):
            return False
        if fault is not Fault.TRANSIENT:
            # FATAL too: role or schema are not what they must be until a person mends them, and then
            # what is held here goes on.
            self._lost_answer = self._lost_answer or fault is Fault.LOST
            await self._close(lost=fault is Fault.LOST)
        if attempt:
            log.warning("journal.retrying", attempt=attempt, error=str(error).strip())
            await pause(min(2.0, 0.02 * 2 ** min(attempt, 8)))
        return True

    async def _trim(self) -> None:
        assert self._session is not None
        try:
            await execute(self._session, settle.trim_commits(self._lease, before=self._seq - 2))
        except (psycopg.Error, OSError) as error:
            log.warning("journal.trim_failed", error=str(error).strip())
            await self._close()

    async def _close(self, *, lost: bool = False) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        if lost:
            await self._sessions.lose(session)
        else:
            await session.connection.close()


def _answered(error: Exception) -> bool:
    """Whether the server said that it has done nothing."""
    answered = isinstance(error, psycopg.Error) and error.sqlstate is not None
    return answered and classify(error) is not Fault.LOST
