"""The closed choices that rows store as small integers; names go in, the stored number comes out."""

from enum import IntEnum


class InstanceState(IntEnum):
    """Where an instance stands: queued → running ⇄ waiting → completed, failed or cancelled."""

    QUEUED = 0
    """Runnable now; any pool that knows its program may claim it."""
    DELAYED = 1
    """Not runnable before `wake_at`; people see it as queued."""
    RUNNING = 2
    """Held by exactly one lease; the only state that has an owner."""
    WAITING = 3
    """Parked: it goes on when `wake_at` comes or its inbox has a row."""
    COMPLETED = 4
    FAILED = 5
    CANCELLED = 6
    QUARANTINED = 7
    """Stopped until a person decides: corrupt or diverging state, repeated crashes."""

    @property
    def finished(self) -> bool:
        """Whether nothing will move the instance on by itself any more."""
        return self >= InstanceState.COMPLETED


class JournalKind(IntEnum):
    """What an entry of the journal fed to the machine."""

    START = 0
    """The first advance, written only if it recorded local values."""
    OUTCOME = 1
    """A call ended with a value or an error."""
    RETRY = 2
    """An attempt failed; the next begins at the recorded time."""
    TIMER = 3
    """A durable sleep came due."""
    TIMEOUT = 4
    """A call or a timeout block ran out of time."""
    CANCEL = 5
    """Somebody asked the run to stop."""
    EVENT = 6
    """An external event was consumed."""
    CHILD_RESULT = 7
    """A child instance finished."""
    OPERATOR_RETRY = 8
    """A person sent a failed or quarantined run on."""
    LOST = 9
    """An attempt was lost to infrastructure; it does not use up the user's attempts."""
    TERMINAL = 10
    """A limit ended the run; replay does not enforce the limit again."""


class OutcomeKind(IntEnum):
    """How an attempt ended."""

    VALUE = 0
    ERROR = 1
    TIMEOUT = 2
    CANCELLED = 3
    LOST = 4


class InboxKind(IntEnum):
    """What a message addressed to an instance is."""

    EVENT = 0
    CANCEL = 1
    CHILD_RESULT = 2
    OFFERED_OUTCOME = 3
    OPERATOR_RETRY = 4
    SET_PRIORITY = 5
