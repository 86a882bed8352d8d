"""A started call comes in; its outcome, after all attempts of its policy, goes out: a worker without a process."""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from waymark.actions import call_with
from waymark.attempts import running_attempt
from waymark.coercion import codec
from waymark.coercion.imports import ImportBinding
from waymark.executor.arguments import Plan, plan_of
from waymark.executor.construct import CONSTRUCT
from waymark.registry import registry
from waymark_schema.ir.policies import NO_POLICY, StoredPolicy
from waymark_schema.values.codec import Codec

_attempt: ContextVar[int] = ContextVar("attempt", default=0)
_plans: dict[str, Plan] = {}
_RESULTS = Codec(ImportBinding(), sorted_sets=True)
"""A worker's sets come in the order of its own hash seed; here every run must get the same bytes."""


def attempt() -> int:
    """Which attempt of its call an action of a language case runs in; from 1."""
    tried = running_attempt.get()
    return _attempt.get() if tried is None else tried.attempt


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: ``wire`` is that of its result, or of its exception."""

    returned: bool
    wire: bytes


def act(key: str, arguments: bytes, policy: StoredPolicy | None) -> Outcome:
    """Carry a call out at once, with as many attempts as its policy allows."""
    chosen = policy or NO_POLICY
    number = 0
    while True:
        number += 1
        outcome, error = _try(key, arguments, number)
        if error is None or number >= chosen.attempts or not _is_retried(error, chosen):
            return outcome


def _try(key: str, arguments: bytes, number: int) -> tuple[Outcome, BaseException | None]:
    token = _attempt.set(number)
    try:
        plan = _plan(key)
        given = plan.arguments(codec().decode(arguments))
        value = call_with(plan.function, plan.definition.signature, given)
        if inspect.iscoroutine(value):
            value = _finish(value, key)
        return Outcome(returned=True, wire=_RESULTS.encode(value, path="result")), None
    except Exception as error:  # noqa: BLE001 - whatever an action raises is its outcome
        return Outcome(returned=False, wire=codec().encode_exception(error)), error
    finally:
        _attempt.reset(token)


def _plan(key: str) -> Plan:
    plan = _plans.get(key)
    if plan is None:
        definition = CONSTRUCT if key == CONSTRUCT.key else registry.get(key)
        assert definition is not None, f"no action has the key {key!r}"
        plan = _plans[key] = plan_of(definition)
    return plan


def _finish(coroutine: Any, key: str) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    msg = f"action {key!r} of a language case waits for something; let it return at once"
    raise AssertionError(msg)


def _is_retried(error: BaseException, policy: StoredPolicy) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return not policy.exception_types or not names.isdisjoint(policy.exception_types)
