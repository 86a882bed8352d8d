"""What the machine asks for: plain records that the runloop carries out, in order."""

from __future__ import annotations

import msgspec

from waymark_schema.ir.policies import StoredPolicy


class StartCall(msgspec.Struct, frozen=True, array_like=True, tag="start_call"):
    """Run an action (or an inline step) and feed its outcome back under ``call``.

    A struct and not a dataclass: one is made per action on the hot path, and a snapshot holds it as it is.
    """

    call: int
    """Number of the call, sequential per instance."""
    action: str
    """Key of the action, ``module:name``; ``waymark:construct`` for an opaque type."""
    arguments: bytes
    """Durable wire form of the dict of arguments by name."""
    policy: StoredPolicy
    inline: bool = False
    """The workflow stands still until this returns: nothing else of the instance runs meanwhile."""


class CancelCall(msgspec.Struct, frozen=True, array_like=True, tag="cancel_call"):
    """Nobody waits for this call any more; whatever it still returns is dropped."""

    call: int


class StartTimer(msgspec.Struct, frozen=True, array_like=True, tag="start_timer"):
    """Feed ``TimerFired`` back after this many seconds."""

    timer: int
    seconds: float


class CancelTimer(msgspec.Struct, frozen=True, array_like=True, tag="cancel_timer"):
    """Nobody waits for this timer any more."""

    timer: int


class Complete(msgspec.Struct, frozen=True, array_like=True, tag="complete"):
    """``run()`` returned and everything it left behind has ended. Terminal."""

    result: bytes


class Fail(msgspec.Struct, frozen=True, array_like=True, tag="fail"):
    """An exception left ``run()``, or a limit ended the instance. Terminal."""

    error: bytes


class Cancelled(msgspec.Struct, frozen=True, array_like=True, tag="cancelled"):
    """``CancelledError`` left ``run()``, or the instance was cancelled by force (no error then). Terminal."""

    error: bytes | None


class Log(msgspec.Struct, frozen=True, array_like=True, tag="log"):
    """A line for the run's log."""

    level: str
    text: str


Effect = StartCall | CancelCall | StartTimer | CancelTimer | Complete | Fail | Cancelled | Log
