"""A call of a compiled async generator function comes in as a frame; it runs from one ``yield`` to the next when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.iterators import CREATED, EXHAUSTED, FINISHED, RUNNING, SUSPENDED
from waymark_worker.vm.limits import MAX_DEPTH
from waymark_worker.vm.names import register
from waymark_worker.vm.state import PUSHED, Frame, too_deep

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine
    from waymark_worker.vm.state import AnyFrame


class AsyncGenerator:
    """An async generator: its frame between two items. While it runs, it may be suspended in an ``await``."""

    __slots__ = ("frame", "state")

    def __init__(self, frame: Frame) -> None:
        self.frame: Frame | None = frame
        self.state = CREATED

    def __del__(self) -> None:
        frame = getattr(self, "frame", None)
        if frame is not None and self.state == SUSPENDED and frame.at.handler is not None:
            DROPPED[0](self)

    def produce(self, machine: Machine) -> Any:
        """Turn to its frame: ``PUSHED``, or ``EXHAUSTED`` if there is none left."""
        frame = self.frame
        if frame is None:
            return EXHAUSTED
        if self.state == RUNNING:
            msg = "anext(): asynchronous generator is already running"
            raise RuntimeError(msg)
        caller = machine.frame
        assert caller is not None
        frame.depth = caller.depth + 1
        if frame.depth > MAX_DEPTH:
            raise too_deep()
        if self.state == SUSPENDED:
            at = frame.at
            frame.slots[at.dst] = None
            frame.next = at.target
        self.state = RUNNING
        frame.owner = self
        frame.caller = caller
        machine.frame = frame
        return PUSHED

    def finish(self) -> AnyFrame | None:
        """Drop the frame; returns who waited for the item."""
        frame = self.frame
        assert frame is not None
        self.frame = None
        self.state = FINISHED
        caller, frame.caller = frame.caller, None
        return caller


DROPPED: list[Callable[[AsyncGenerator], None]] = []
"""What is told of an async generator that nothing refers to any more, but whose ``finally`` has not run."""

register(AsyncGenerator, "async_generator")
