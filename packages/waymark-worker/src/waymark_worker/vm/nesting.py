"""A call of compiled code comes in from the host's side; it is run to its end at once, and its value goes out.

Nothing in it may be suspended: the host's stack has no stored form. So only sync functions and
generators are run like this, while one instruction of the machine is being carried out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native, too_deep

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

MAX_RUNS = 200
"""Runs inside one another; one more raises ``RecursionError``."""
_HOST_FRAMES = 8000
"""Frames of the host that so many runs may need."""


class _Current(threading.local):
    machine: Machine | None = None


_current = _Current()
EXECUTE: list[Callable[[Any], None]] = []
"""The interpreter's loop; its module puts it here."""


def advancing(machine: Machine | None) -> Machine | None:
    """Say whose code runs in this thread from now on; returns whose ran before."""
    before, _current.machine = _current.machine, machine
    return before


@contextmanager
def advanced(machine: Machine) -> Iterator[None]:
    """Let the code of ``machine`` run in this thread: keys that are read may hash themselves."""
    before = advancing(machine)
    try:
        yield
    finally:
        advancing(before)


def current() -> Machine | None:
    """Give the machine that advances in this thread."""
    return _current.machine


class Barrier(NativeFrame):
    """The bottom of a run: what reaches it is the run's outcome."""

    __slots__ = ("error", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None

    def resume(self, machine: Machine, value: Any) -> Any:
        self.value = value
        machine.frame = None
        return PUSHED

    def stop(self, machine: Machine) -> Any:
        return self.resume(machine, ENDED)

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        self.error = error
        machine.frame = None
        return None


class Ended:
    """Outcome of a run that asked an exhausted iterator for an item."""

    __slots__ = ()


ENDED = Ended()


class Failed(Exception):
    """The run ended with an exception of the program's own."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def run(machine: Machine, begin: Callable[[], Any]) -> Any:
    """Do what ``begin`` starts: its value, or ``ENDED``. Raises ``Failed`` with the program's exception."""
    if machine.runs >= MAX_RUNS:
        raise too_deep()
    before, barrier = machine.frame, Barrier()
    push_native(machine, barrier)
    machine.runs += 1
    try:
        value = begin()
        if value is not PUSHED:
            return value
        if machine.frame is not None:
            EXECUTE[0](machine)
    finally:
        machine.runs -= 1
        machine.frame = before
    if barrier.error is not None:
        raise Failed(barrier.error)
    return barrier.value


def machine_for(what: str) -> Machine:
    """Give the machine whose code asks for ``what``."""
    machine = _current.machine
    if machine is None:
        raise unsupported_operation(f"{what} outside of a running workflow", "use plain fields")
    return machine


if sys.getrecursionlimit() < _HOST_FRAMES:
    sys.setrecursionlimit(_HOST_FRAMES)
