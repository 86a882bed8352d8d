"""How an attempt ended and the policy of its call in; what the machine is fed, or the pause before the next try, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from waymark_schema.ir.policies import StoredPolicy
from waymark_schema.kinds import JournalKind, OutcomeKind
from waymark_worker.runloop import outcomes
from waymark_worker.settlement import Resume, settle
from waymark_worker.vm.entries import CallRaised, CallReturned, Entry


@dataclass(frozen=True, slots=True)
class Feed:
    """The call is over: the entry for the machine, and what the journal keeps of it."""

    entry: Entry
    kind: JournalKind
    payload: bytes


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The machine hears nothing yet: the next attempt starts ``seconds`` from now."""

    seconds: float
    payload: bytes


def judge(
    call: int,
    policy: StoredPolicy,
    *,
    failed: int,
    outcome: OutcomeKind,
    payload: bytes,
    draw: Callable[[], float],
) -> Feed | TryAgain:
    """Decide about one attempt; ``failed`` counts it if it failed, ``draw`` gives [0, 1) for the jitter."""
    names: tuple[str, ...] = ()
    if outcome is OutcomeKind.ERROR and policy.attempts > 1:
        names = outcomes.error_names(payload)
    verdict = settle(
        policy,
        failed_attempts=failed,
        outcome=outcome,
        error_names=names,
        draw=draw() if policy.jitter else 0.0,
    )
    if not isinstance(verdict, Resume):
        return TryAgain(verdict.seconds, payload)
    if verdict.exhausted:
        payload = outcomes.exhausted(payload, attempts=failed)
    kind = JournalKind.TIMEOUT if outcome is OutcomeKind.TIMEOUT else JournalKind.OUTCOME
    returned = outcome is OutcomeKind.VALUE
    return Feed(
        CallReturned(call, payload) if returned else CallRaised(call, payload), kind, payload
    )
