"""Frames as explicit data: of compiled functions, and of builtins that run compiled code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.limits import MAX_DEPTH, MAX_NESTED

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedBlock, LinkedFunction
    from waymark_worker.vm.machine import Machine


class Pushed:
    """Answer of a call that gave the machine another frame: the value comes later."""

    __slots__ = ()


PUSHED = Pushed()


class Waiting(BaseException):
    """An instruction inside of a block waits for frames that it pushed: ``frame`` goes on behind it, its value in ``dst``."""

    def __init__(self, frame: Frame, dst: int) -> None:
        super().__init__()
        self.frame = frame
        self.dst = dst


class Frame:
    """One activation of a compiled function.

    ``at`` is the block where it is suspended: in its terminator, before it if that is the rest of a block, or,
    if ``index`` is not -1, before that instruction. ``next`` is where it goes on once the machine turns to it.
    """

    __slots__ = ("at", "caller", "depth", "function", "index", "next", "owner", "slots")

    def __init__(
        self, function: LinkedFunction, slots: list[Any], caller: AnyFrame | None, depth: int
    ) -> None:
        self.function = function
        self.slots = slots
        self.caller = caller
        self.depth = depth
        self.at: LinkedBlock = function.entry
        self.next: LinkedBlock = function.entry
        self.index = -1
        self.owner: Any = None
        """The coroutine or generator that the frame belongs to."""


class NativeFrame:
    """A builtin that waits for compiled code: data in slots, no host function.

    ``resume`` is given the value that the frame waits for, ``stop`` is told that the iterator it waits
    for is exhausted; both return the frame's own value, or ``PUSHED``.
    """

    __slots__ = ("caller", "depth", "nested")

    caller: AnyFrame | None
    depth: int
    nested: int
    """Builtins that called each other without a compiled frame between them: those do use the host's stack."""

    def resume(self, machine: Machine, value: Any) -> Any:
        """Go on with ``value``."""
        raise NotImplementedError

    def stop(self, machine: Machine) -> Any:
        """Go on without another item."""
        raise NotImplementedError

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        """Leave because of ``error``; what propagates further is returned, None if nothing does."""
        return error


AnyFrame = Frame | NativeFrame


def push_native(machine: Machine, frame: NativeFrame) -> None:
    """Put ``frame`` on top of the running task."""
    caller = machine.frame
    frame.caller = caller
    frame.depth = depth = caller.depth + 1 if caller is not None else 1
    frame.nested = nested = caller.nested + 1 if isinstance(caller, NativeFrame) else 0
    if depth > MAX_DEPTH or nested > MAX_NESTED:
        raise too_deep()
    machine.frame = frame


def too_deep() -> RecursionError:
    """Make the error of one frame too many."""
    return RecursionError("maximum recursion depth exceeded")
