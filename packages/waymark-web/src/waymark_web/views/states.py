"""Stored states and outcomes in, their names and tones on a page out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind


class Tone(Enum):
    """How a badge looks: the stylesheet has one rule for each."""

    QUIET = "quiet"
    LIVE = "live"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Badge:
    """A word in a colour."""

    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class StateFilter:
    """One choice of the state filter: its name in the address, and what it stands for."""

    name: str
    states: tuple[InstanceState, ...]


FILTERS = (
    StateFilter("queued", (InstanceState.QUEUED, InstanceState.DELAYED)),
    StateFilter("running", (InstanceState.RUNNING,)),
    StateFilter("waiting", (InstanceState.WAITING,)),
    StateFilter("completed", (InstanceState.COMPLETED,)),
    StateFilter("failed", (InstanceState.FAILED,)),
    StateFilter("cancelled", (InstanceState.CANCELLED,)),
    StateFilter("quarantined", (InstanceState.QUARANTINED,)),
)

_STATES = {
    InstanceState.QUEUED: Badge("queued", Tone.QUIET.value),
    InstanceState.DELAYED: Badge("queued", Tone.QUIET.value),
    InstanceState.RUNNING: Badge("running", Tone.LIVE.value),
    InstanceState.WAITING: Badge("waiting", Tone.LIVE.value),
    InstanceState.COMPLETED: Badge("completed", Tone.GOOD.value),
    InstanceState.FAILED: Badge("failed", Tone.BAD.value),
    InstanceState.CANCELLED: Badge("cancelled", Tone.WARN.value),
    InstanceState.QUARANTINED: Badge("quarantined", Tone.BAD.value),
}

_OUTCOMES = {
    OutcomeKind.VALUE: Badge("returned", Tone.GOOD.value),
    OutcomeKind.ERROR: Badge("raised", Tone.BAD.value),
    OutcomeKind.TIMEOUT: Badge("timed out", Tone.BAD.value),
    OutcomeKind.CANCELLED: Badge("cancelled", Tone.WARN.value),
    OutcomeKind.LOST: Badge("lost", Tone.WARN.value),
}

_KINDS = {
    JournalKind.START: "Started",
    JournalKind.OUTCOME: "Call",
    JournalKind.RETRY: "Call",
    JournalKind.TIMER: "Slept",
    JournalKind.TIMEOUT: "Timed out",
    JournalKind.CANCEL: "Cancellation requested",
    JournalKind.EVENT: "Event",
    JournalKind.CHILD_RESULT: "Child finished",
    JournalKind.OPERATOR_RETRY: "Sent on by a person",
    JournalKind.LOST: "Call",
    JournalKind.TERMINAL: "Ended by a limit",
}


def state_badge(state: int) -> Badge:
    """The badge of a run's state; a number that only newer code knows is shown as it is."""
    try:
        return _STATES[InstanceState(state)]
    except ValueError:
        return Badge(f"state {state}", Tone.QUIET.value)


def outcome_badge(kind: int | None) -> Badge | None:
    """The badge of an attempt's outcome."""
    if kind is None:
        return None
    try:
        return _OUTCOMES[OutcomeKind(kind)]
    except ValueError:
        return Badge(f"outcome {kind}", Tone.QUIET.value)


def kind_title(kind: int) -> str:
    """What an entry of the journal is called."""
    try:
        return _KINDS[JournalKind(kind)]
    except ValueError:
        return f"Entry of kind {kind}"


def is_finished(state: int) -> bool:
    """Whether nothing will move the run on by itself any more."""
    return state >= InstanceState.COMPLETED
