"""What an ended attempt means: policy and outcome in; resume with it, or try again after a pause, out."""

from __future__ import annotations

from dataclasses import dataclass

from waymark_schema.ir.policies import StoredPolicy
from waymark_schema.kinds import OutcomeKind

TIMEOUT_NAMES = frozenset(("ActionTimeout", "TimeoutError"))
"""A timeout is tried again only by a policy that names one of these; a catch-all does not."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The outcome goes to the workflow. ``exhausted``: retries were allowed and are used up."""

    exhausted: bool = False


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The call is tried again ``seconds`` from now, jitter included."""

    seconds: float


Settlement = Resume | RetryAfter

_RESUME = Resume()


def settle(
    policy: StoredPolicy,
    *,
    failed_attempts: int,
    outcome: OutcomeKind,
    error_names: tuple[str, ...],
    draw: float,
) -> Settlement:
    """Decide about an attempt that ended.

    ``failed_attempts`` counts this one if it failed; ``error_names`` are the names of the exception's
    class and its bases; ``draw`` is uniform in [0, 1) and decides the jitter.
    """
    if outcome is OutcomeKind.VALUE or not _retryable(policy, outcome, error_names):
        return _RESUME
    if failed_attempts >= policy.attempts:
        return Resume(exhausted=policy.attempts > 1)
    return RetryAfter(_pause(policy, failed_attempts) * (1.0 + policy.jitter * draw))


def _pause(policy: StoredPolicy, failed_attempts: int) -> float:
    try:
        grown = policy.base * policy.factor ** min(failed_attempts - 1, 1000)
    except OverflowError:
        return policy.max
    return min(grown, policy.max)


def _retryable(policy: StoredPolicy, outcome: OutcomeKind, error_names: tuple[str, ...]) -> bool:
    if policy.attempts <= 1 and not policy.exception_types:
        return False
    named = frozenset(policy.exception_types)
    if outcome is OutcomeKind.TIMEOUT:
        return bool(named & TIMEOUT_NAMES)
    if outcome is not OutcomeKind.ERROR:
        return False
    return not named or not named.isdisjoint(error_names)
