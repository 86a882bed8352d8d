"""A request to start or await a run in, the runtime that serves it out: the bridge, or one that tests install."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from waymark_schema.wire.frames import ProgramReport

RunState = Literal[
    "queued", "running", "waiting", "completed", "failed", "cancelled", "quarantined"
]
FINAL_STATES: frozenset[RunState] = frozenset(("completed", "failed", "cancelled"))
"""States that a run never leaves. A quarantined run waits for a person, its callers with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """One run to queue. Sending it twice starts it once, because the client makes the id."""

    id: UUID
    """UUIDv7."""
    program: ProgramReport
    """What runs: name, version, digest, and all that is needed to register an unknown digest."""
    inputs: bytes
    """Durable wire form of the dict of ``run()``'s bound arguments by name."""
    attributes: bytes
    """Durable wire form of ``vars(self)``."""
    priority: int = 0
    delay: timedelta | None = None
    start_at: datetime | None = None
    """Aware. At most one of ``delay`` and ``start_at`` is set."""
    idempotency_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: ``result`` is durable bytes when completed, ``error`` when failed."""

    id: UUID
    state: RunState
    result: bytes | None = None
    error: bytes | None = None


class Runtime(Protocol):
    """Serves runs. Safe to use from several loops and threads of a process, and after a fork."""

    async def start(self, request: StartRequest) -> UUID:
        """Queue the run; the id is another run's if that one holds the idempotency key already."""
        ...

    async def start_many(self, requests: Sequence[StartRequest]) -> list[UUID]:
        """Queue the runs in one transaction; ids in the order of the requests."""
        ...

    async def wait(self, instance_id: UUID, *, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109 - travels to the bridge
        """Wait until the run has ended, at most ``timeout`` seconds.

        Abandoning the wait never touches the run.

        Raises:
            TimeoutError: it had not ended in time.
            InstanceNotFound: there is no such run.
            BridgeUnavailable: the bridge could not be booted.

        """
        ...

    async def status(self, instance_id: UUID) -> RunState:
        """Return the run's state; raises ``InstanceNotFound``."""
        ...


class _Slot:
    """The one place that a process's runtime is kept in."""

    __slots__ = ("installed",)

    def __init__(self) -> None:
        self.installed: Runtime | None = None


_slot = _Slot()


def install(runtime: Runtime | None) -> Runtime | None:
    """Serve all runs of this process from ``runtime`` (None: from the bridge); returns the previous one."""
    previous, _slot.installed = _slot.installed, runtime
    return previous


def current() -> Runtime:
    """Return the runtime that serves this process: the installed one, else the bridge client."""
    if _slot.installed is not None:
        return _slot.installed
    from waymark.bridge.client import shared_client  # noqa: PLC0415 - only who starts runs needs a bridge

    return shared_client()
