"""A workflow and its number in; what plain CPython makes of it, as text that can be compared, out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.chaos import actions
from tests.chaos.workflows import by_name
from tests.support import acting
from tests.support.observing import fault, normal
from tests.support.oracle import run_in_cpython
from waymark.coercion import codec
from waymark_schema.kinds import InstanceState

actions.attempt_of_oracle.append(acting.attempt)

RETURNED, RAISED = "returned", "raised"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: compared as a whole."""

    how: str
    value: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run must show."""

    ending: Ending
    calls: int
    """How many calls it makes, whatever happens to their attempts."""


@cache
def expected(workflow: str, n: int) -> Expected:
    """Run a workflow as plain Python."""
    seen = run_in_cpython(by_name(workflow), {"n": n})
    return Expected(Ending(seen.ending, repr(seen.value)), len(seen.trace))


def stored(state: int, result: bytes | None, error: bytes | None) -> Ending:
    """Read how a run ended from its row."""
    if state == InstanceState.COMPLETED:
        value = None if result is None else codec().decode(result)
        return Ending(RETURNED, repr(normal(value)))
    if state == InstanceState.FAILED and error is not None:
        return Ending(RAISED, repr(fault(codec().decode(error))))
    shown = "" if error is None else repr(_decoded(error))
    return Ending(InstanceState(state).name.lower(), shown)


def _decoded(error: bytes) -> Any:
    return codec().decode(error)
