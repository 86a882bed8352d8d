"""What happened to an instance, one record per journal entry that the machine is fed with."""

from __future__ import annotations

import msgspec


class CallReturned(msgspec.Struct, frozen=True, array_like=True, tag="returned"):
    """A call ended with this value (durable wire form)."""

    call: int
    value: bytes


class CallRaised(msgspec.Struct, frozen=True, array_like=True, tag="raised"):
    """A call ended with this exception (durable wire form)."""

    call: int
    error: bytes


class TimerFired(msgspec.Struct, frozen=True, array_like=True, tag="fired"):
    """A timer came due."""

    timer: int


class CancelRequested(msgspec.Struct, frozen=True, array_like=True, tag="cancel"):
    """Somebody asked the run to stop; ``force`` ends it without running ``finally`` blocks."""

    force: bool = False


Entry = CallReturned | CallRaised | TimerFired | CancelRequested
