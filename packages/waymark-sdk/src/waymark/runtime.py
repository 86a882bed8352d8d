"""A request to start or await a run in, the runtime that serves it out: the bridge, or one that tests install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from waymark.requests import FINAL_STATES, Outcome, RunState, StartRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

__all__ = ["FINAL_STATES", "Outcome", "RunState", "Runtime", "StartRequest", "current", "install"]


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
