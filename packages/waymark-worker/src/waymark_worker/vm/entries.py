"""What happened to an instance, one record per journal entry that the machine is fed with."""

from __future__ import annotations

from typing import Any, Protocol

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


class LocalSource(Protocol):
    """Recorded values: those in the journal first, fresh ones after them, stored with the entry."""

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Durable wire form of the next recorded value of ``kind`` (a name of ``ir.language.RECORDED``)."""
        ...


class NoLocals:
    """The source of a program that records nothing."""

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:  # noqa: ARG002 - as the protocol
        """Refuse: such a program never asks."""
        msg = f"the program asked for a recorded {kind!r}, but nobody supplies recorded values here"
        raise LookupError(msg)
