"""Runs and calls as they happen in; what a test may ask of them afterwards out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from waymark.actions import DEFINITION
from waymark.registry import ActionDefinition
from waymark.requests import RunState


@dataclass(eq=False, slots=True)
class CallRecord:
    """One call of an action by a run: all attempts together."""

    run_id: str
    action: str
    """``module:name``."""
    name: str
    arguments: dict[str, Any]
    """By parameter name, as the worker decodes them; what ``Depends`` injects is not among them."""
    number: int
    """Place among all calls of the test, from 0."""
    attempts: int = 0
    """How many have started."""
    ended: str = ""
    """``returned``, ``raised``, ``cancelled``, or nothing while it is open."""
    result: Any = None
    error: BaseException | None = None


@dataclass(eq=False, slots=True)
class RunRecord:
    """One run of a workflow."""

    id: str
    workflow: str
    arguments: dict[str, Any]
    state: RunState = "queued"
    result: Any = None
    error: BaseException | None = None
    log: list[str] = field(default_factory=list)
    """What the workflow and its actions printed and logged, in order."""
    calls: list[CallRecord] = field(default_factory=list)
    """Its calls of actions, in the order they started."""


def key_of(action: object) -> str:
    """Return the key of a decorated function, or of a key given as text; raises ``TypeError``."""
    definition = getattr(action, DEFINITION, None)
    if isinstance(definition, ActionDefinition):
        return definition.key
    if isinstance(action, str) and ":" in action:
        return action
    msg = f"{action!r} is no action; expected a function decorated with @action, or its key 'module:name'"
    raise TypeError(msg)
