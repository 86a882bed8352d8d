"""Ends of taken attempts in; mail for their owners, some megabytes at a time, and why one of them cannot be told, out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from waymark_schema.database.execute import Session, execute
from waymark_schema.ids import LeaseId
from waymark_schema.kinds import OutcomeKind
from waymark_schema.tables import offers
from waymark_schema.tables.offers import OfferedEnd, OfferKey
from waymark_worker.batches import fitting, halves, refused, too_long
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.offered import OfferedOutcome, decode_outcome, encode_outcome
from waymark_worker.runloop.taken import TakenCall
from waymark_worker.sessions import first_line
from waymark_worker.telemetry import log

MOST_MAILED = 500
"""Outcomes in one statement."""

Ended: TypeAlias = tuple[Attempt[TakenCall], OfferedEnd]


def letter(
    attempt: Attempt[TakenCall], kind: OutcomeKind, outcome: OfferedOutcome, *, ended: bool
) -> Ended:
    """What is to be mailed of an attempt; a death counts as its own only where it was alone."""
    told = msgspec.structs.replace(outcome, alone=outcome.died and attempt.alone)
    end = OfferedEnd(*attempt.owner.key, int(kind), encode_outcome(told), ended)
    return attempt, end


async def mail(
    session: Session,
    lease: LeaseId,
    ends: list[Ended],
    *,
    mailed: Callable[[list[Ended]], None],
    given_up: Callable[[OfferKey], None],
) -> None:
    """Mail all of them, in their order; each leaves the list when the server has it.

    One that the server refuses is isolated by halving, and its owner told so instead. If even that is
    refused its offer has to go without mail: ``given_up``.
    """
    while ends:
        pending = [fitting(ends, _size, rows=MOST_MAILED)]
        while pending:
            part = pending.pop()
            try:
                await execute(session, offers.finish(lease, [end for _, end in part]))
            except Exception as error:
                if len(part) > 1 and (refused(error) or too_long(error)):
                    log.warning("report.halved", outcomes=len(part), error=first_line(error))
                    pending += halves(part)
                    continue
                if not refused(error):
                    raise
                await _mail_instead(session, lease, part[0], error, given_up)
            del ends[: len(part)]
            mailed(part)


async def _mail_instead(
    session: Session,
    lease: LeaseId,
    ended: Ended,
    error: Exception,
    given_up: Callable[[OfferKey], None],
) -> None:
    attempt, end = ended
    about = {"instance": str(end.instance), "call": end.call, "attempt": end.attempt}
    reason = str(error).strip() or repr(error)
    log.error("report.rejected", **about, error=reason)
    try:
        await execute(session, offers.finish(lease, [_instead(attempt, end, reason)]))
    except Exception as again:
        if not refused(again):
            raise
        log.error("report.given_up: its owner runs the call again", **about, error=str(again))
        if end.ended:
            given_up(attempt.owner.key)


def _instead(attempt: Attempt[TakenCall], end: OfferedEnd, reason: str) -> OfferedEnd:
    """The same end without what came of it: a value becomes an error, what was lost or too late stays so."""
    kind = OutcomeKind(end.outcome_kind)
    if kind is OutcomeKind.LOST:
        payload = f"the database refused to say why: {reason}".encode()
    else:
        payload = outcomes.refused_error(attempt.action, attempt.number, reason)
    if kind is OutcomeKind.VALUE:
        kind = OutcomeKind.ERROR
    told = msgspec.structs.replace(decode_outcome(end.payload), payload=payload, output=b"")
    return end._replace(outcome_kind=int(kind), payload=encode_outcome(told))


def _size(ended: Ended) -> int:
    return len(ended[1].payload)
