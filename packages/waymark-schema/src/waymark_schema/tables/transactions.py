"""Statements that belong together: a session and what to do go in, what became of it comes out."""

from datetime import timedelta
from typing import Final

import psycopg

from waymark_schema.database import execute
from waymark_schema.errors import NotTheOwner
from waymark_schema.ids import LeaseId, ProgramId
from waymark_schema.tables import leases, programs, settle
from waymark_schema.tables.programs import NewProgram, ProgramHolder
from waymark_schema.tables.settle import SettleBatch, SettleResult

FENCE_LOCK_TIMEOUT: Final = timedelta(milliseconds=500)
_REFUSED: Final = "WM001"


async def store_program(session: execute.Session, program: NewProgram) -> ProgramId:
    """Register a program, in its own transaction, unless it is registered already.

    Raises ProgramConflict when its workflow name and version stand for other code.
    """
    await execute.execute(session, programs.register(program))
    found = await execute.fetch_optional(session, programs.holder(program))
    return programs.check_registered(program, found)


def store_program_sync(session: execute.SyncSession, program: NewProgram) -> ProgramId:
    """Register a program on a blocking session; the same as `store_program`."""
    execute.execute_sync(session, programs.register(program))
    found = execute.fetch_optional_sync(session, programs.holder(program))
    return programs.check_registered(program, found)


async def prune_programs(
    session: execute.Session, *, unused_for: timedelta, limit: timedelta
) -> list[ProgramHolder] | None:
    """Delete programs that nothing refers to; None, and nothing deleted, when that would take longer than `limit`."""
    try:
        with execute.answered(session):
            async with session.connection.transaction():
                await execute.fetch_one(session, programs.set_time_limit(limit))
                return await execute.fetch_all(session, programs.prune(unused_for=unused_for))
    except psycopg.errors.QueryCanceled:
        return None


async def commit(session: execute.Session, batch: SettleBatch) -> SettleResult:
    """Run one group commit and say what became of it; also the way to resend one whose answer was lost.

    Raises NotTheOwner when the batch names an instance that the lease does not hold, HistoryLost when the
    server no longer has the commit before this one, psycopg.Error for everything that `faults.classify`
    tells apart; in every case nothing of the batch was kept by this call.
    """
    try:
        answer = await execute.fetch_one(session, settle.settle(batch))
    except psycopg.Error as error:
        if error.sqlstate != _REFUSED:
            raise
        raise NotTheOwner(
            f"{error.diag.message_primary}; the commit was rolled back.\n"
            "Drop the instances of this batch: somebody else owns them now."
        ) from error
    if answer.marked or not answer.held:
        return settle.judge(batch, answer, None)
    last = await execute.fetch_one(session, settle.last_commit(batch.lease))
    return settle.judge(batch, answer, last)


async def fence_expired(session: execute.Session, lease: LeaseId, *, application: str) -> bool:
    """Fence a lease whose time is over; false when it beat meanwhile or its owner holds the row.

    In the latter case the sessions named `application` were ended: call again. Releasing what the lease
    owned is another transaction: `instances.release`.
    """
    try:
        with execute.answered(session):
            async with session.connection.transaction():
                await execute.fetch_one(session, leases.set_lock_timeout(FENCE_LOCK_TIMEOUT))
                if await execute.fetch_optional(session, leases.lock_expired(lease)) is None:
                    return False
                await execute.execute(session, leases.mark_fenced(lease))
                return True
    except psycopg.errors.LockNotAvailable:
        await execute.fetch_all(session, leases.terminate(application))
        return False


async def fence_dead(
    session: execute.Session, lease: LeaseId, *, observed: int, application: str
) -> bool:
    """Fence a lease before its time, when its session lock was seen free twice and it did not beat.

    False when its session turns out to live, when it beat since `observed`, or when its owner holds the
    row; in the last case the sessions named `application` were ended: call again.
    """
    try:
        with execute.answered(session):
            async with session.connection.transaction():
                await execute.fetch_one(session, leases.set_lock_timeout(FENCE_LOCK_TIMEOUT))
                free = await execute.fetch_one(
                    session, leases.try_lock(lease, schema=session.schema)
                )
                if not free.held:
                    return False
                locked = await execute.fetch_optional(
                    session, leases.lock_unbeaten(lease, observed=observed)
                )
                if locked is None:
                    return False
                await execute.execute(session, leases.mark_fenced(lease))
                return True
    except psycopg.errors.LockNotAvailable:
        await execute.fetch_all(session, leases.terminate(application))
        return False


async def leave(session: execute.Session, lease: LeaseId, *, application: str) -> bool:
    """Give one's own lease up; false when it was fenced already.

    Sessions named `application` that still hold it, those of a killed runloop, are ended first.

    Raises psycopg.errors.LockNotAvailable when they do not end.
    """
    for last in (False, True):
        try:
            with execute.answered(session):
                async with session.connection.transaction():
                    await execute.fetch_one(session, leases.set_lock_timeout(FENCE_LOCK_TIMEOUT))
                    return await execute.fetch_optional(session, leases.leave(lease)) is not None
        except psycopg.errors.LockNotAvailable:
            if last:
                raise
            await execute.fetch_all(session, leases.terminate(application))
    raise AssertionError(lease)
