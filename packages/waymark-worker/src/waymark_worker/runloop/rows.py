"""What becomes of a call or of an instance in, the rows that a commit writes about it out."""

from __future__ import annotations

from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.tables.settle import FinalRow, InFlightRow, JournalRow
from waymark_worker.clock import moment
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.live import LiveCall, LiveInstance
from waymark_worker.vm.effects import Cancelled, Complete, Effect, Fail

MOST_ATTEMPTS = 32_767
"""What a journal row can count; later attempts bear this number."""
MOST_SHOWN_BYTES = 64 * 1024
"""Of the inputs of a call while it runs; its entry has all of them."""
ENDINGS: dict[type, InstanceState] = {
    Complete: InstanceState.COMPLETED,
    Fail: InstanceState.FAILED,
    Cancelled: InstanceState.CANCELLED,
}


def attempt_row(
    attempt: Attempt[LiveCall],
    kind: JournalKind,
    outcome: OutcomeKind,
    payload: bytes,
    *,
    seconds: float,
    now: float,
    loop_now: float,
) -> JournalRow:
    """The next entry of the call's instance: how this attempt ended.

    ``now`` is the database's time and ``loop_now`` the loop's, at the same moment; ``seconds`` is how long it ran.
    """
    call = attempt.owner
    instance = call.instance
    instance.position += 1
    started = now - (loop_now - attempt.started_at) if attempt.started_at else now
    return JournalRow(
        instance.id,
        instance.position,
        int(kind),
        call.number,
        min(attempt.number, MOST_ATTEMPTS),
        instance.program.action_index.get(call.action),
        call.arguments,
        payload,
        int(outcome),
        None,
        moment(call.queued_at),
        moment(started),
        moment(started + seconds),
        attempt.worker_number,
    )


def in_flight_row(attempt: Attempt[LiveCall], *, now: float, loop_now: float) -> InFlightRow:
    """An attempt that runs; ``now`` is the database's time and ``loop_now`` the loop's, at the same moment."""
    call = attempt.owner
    instance = call.instance
    return InFlightRow(
        instance.id,
        call.number,
        min(attempt.number, MOST_ATTEMPTS),
        instance.program.action_index.get(call.action),
        call.arguments if len(call.arguments) <= MOST_SHOWN_BYTES else None,
        moment(call.queued_at),
        moment(now - (loop_now - attempt.started_at)),
        attempt.worker_number,
    )


def timer_row(instance: LiveInstance, number: int) -> JournalRow:
    """The next entry of an instance: a timer of it came due."""
    instance.position += 1
    return JournalRow(instance.id, instance.position, int(JournalKind.TIMER), call=number)


def start_row(instance: LiveInstance, local: bytes) -> JournalRow:
    """The first entry of an instance whose first advance recorded something."""
    instance.position += 1
    return JournalRow(instance.id, instance.position, int(JournalKind.START), local=local)


def final_row(instance: LiveInstance, effect: Effect) -> FinalRow:
    """How the machine ended the instance."""
    return FinalRow(
        instance.id,
        instance.epoch,
        int(ENDINGS[type(effect)]),
        None,
        effect.result if isinstance(effect, Complete) else None,
        effect.error if isinstance(effect, Fail | Cancelled) else None,
    )


def running_row(instance: LiveInstance) -> FinalRow:
    """The instance stays where it is; its lost owners are forgotten."""
    return FinalRow(instance.id, instance.epoch, int(InstanceState.RUNNING))


def queued_row(instance: LiveInstance, *, crash_limit: int) -> FinalRow:
    """The instance goes back to the queue, with the owners that it has lost.

    If a call was recorded as being tried and nobody died of it, the next owner must not take it for the cause.
    """
    recoveries = instance.recoveries
    if any(instance.epoch in call.beside_epochs for call in instance.calls.values()):
        recoveries = 0
    if any(call.alone_epoch == instance.epoch for call in instance.calls.values()):
        recoveries = min(recoveries, crash_limit)
    return FinalRow(instance.id, instance.epoch, int(InstanceState.QUEUED), recoveries=recoveries)


def quarantine_row(instance: LiveInstance, reason: str) -> FinalRow:
    """The instance stops until a person decides."""
    return FinalRow(
        instance.id,
        instance.epoch,
        int(InstanceState.QUARANTINED),
        None,
        None,
        outcomes.quarantine_error(reason),
    )
