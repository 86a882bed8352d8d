"""A request to start or await a run in, the runtime that serves it out: the bridge, or one that tests install."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from waymark import bridge, settings
from waymark.errors import BridgeUnavailable
from waymark.executor.importing import begun_by_import
from waymark.requests import FINAL_STATES, Outcome, RunState, StartRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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


IN_PROCESS = "waymark.in_process"
"""Entry points of this group give the runtime of this process, or None if the bridge is to serve after all."""


class _Slot:
    """The one place that a process's runtime is kept in."""

    __slots__ = ("in_process", "installed")

    def __init__(self) -> None:
        self.installed: Runtime | None = None
        self.in_process: Callable[[], Runtime | None] | None = None


_slot = _Slot()


def install(runtime: Runtime | None) -> Runtime | None:
    """Serve all runs of this process from ``runtime`` (None: as the environment says); returns the previous one."""
    previous, _slot.installed = _slot.installed, runtime
    return previous


def current() -> Runtime:
    """Return the runtime that serves this process.

    The installed one, else one in this process (under pytest, and with ``WAYMARK_BRIDGE_IN_MEMORY``), else
    the bridge client.

    Raises:
        BridgeUnavailable: runs are to be served in process, and waymark-worker is not installed; or a
            worker imports the module that asks, which would wait for itself.

    """
    importing = begun_by_import()
    if importing is not None:
        msg = (
            f"a run was started while a worker imports {importing!r}: every worker would start one, and wait"
            ' for itself; put that under `if __name__ == "__main__":`'
        )
        raise BridgeUnavailable(msg)
    if _slot.installed is not None:
        return _slot.installed
    reason = _why_in_process()
    if reason is not None:
        local = _in_process(reason)()
        if local is not None:
            return local
    from waymark.bridge.client import shared_client  # noqa: PLC0415 - only who starts runs needs a bridge

    return shared_client()


def ready_in_process() -> None:
    """Make what serves runs in this process, if anything does; what is wrong with it is told by ``current``."""
    if _slot.installed is None and (reason := _why_in_process()) is not None:
        with suppress(BridgeUnavailable):
            _in_process(reason)()


def _why_in_process() -> str | None:
    # A child process of a test inherits the variables, but does not run under pytest.
    if "pytest" in sys.modules and _PYTEST & os.environ.keys():
        return "under pytest"
    if settings.current().bridge_in_memory:
        return "with WAYMARK_BRIDGE_IN_MEMORY=true"
    return None


_PYTEST = {"PYTEST_VERSION", "PYTEST_CURRENT_TEST"}


def _in_process(reason: str) -> Callable[[], Runtime | None]:
    if _slot.in_process is None:
        found = list(entry_points(group=IN_PROCESS))
        if not found:
            msg = (
                f"workflows run in process {reason}, and what runs them is not installed: add waymark-worker"
                " to the dev group, by `uv add --dev waymark-worker` or `pip install waymark-worker`"
            )
            raise BridgeUnavailable(msg)
        _slot.in_process = found[0].load()
    return _slot.in_process


bridge.serve_from(current)
