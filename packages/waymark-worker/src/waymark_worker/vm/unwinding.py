"""A value or an exception for a suspended frame comes in; the frame that goes on with it, if any, goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.callables import FINISHED, UNBOUND
from waymark_worker.vm.exception_groups import note_raised
from waymark_worker.vm.iterators import EXHAUSTED
from waymark_worker.vm.limits import TURN
from waymark_worker.vm.refusals import LimitExceeded, UnsupportedOperation
from waymark_worker.vm.scheduling import fail_task, finish_task
from waymark_worker.vm.state import PUSHED, Frame

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedBlock
    from waymark_worker.vm.machine import Machine
    from waymark_worker.vm.state import AnyFrame

FATAL = (UnsupportedOperation, LimitExceeded)
"""What ends an instance without its code seeing it."""
_RAISE = 1


def give(machine: Machine, frame: AnyFrame | None, value: Any) -> None:
    """Hand a value (or ``EXHAUSTED``) to the frame that waits for it; without one the task ends with it."""
    while frame is not None:
        machine.frame = frame
        if frame.__class__ is Frame:
            at = frame.at
            if value is EXHAUSTED:
                frame.next = at.done
                if at.returns:
                    frame.slots[at.dst] = machine.returned
            else:
                frame.slots[at.dst] = value
                frame.next = at.target
            return
        value = frame.stop(machine) if value is EXHAUSTED else frame.resume(machine, value)  # type: ignore[union-attr] # the other kind
        if value is PUSHED:
            return
        if value is EXHAUSTED:
            machine.returned = (
                None  # what a generator returned is not what a builtin around it does
            )
        frame = frame.caller
    machine.frame = None
    assert machine.task is not None
    finish_task(machine, machine.task, value)


def handled(frame: AnyFrame | None) -> BaseException | None:
    """Give the exception that is being handled where ``frame`` stands: its own, or that of who called it."""
    while frame is not None:
        if frame.__class__ is Frame:
            found = _handled_in(frame, frame.at)
            if found is not None:
                return found
        frame = frame.caller
    return None


def _handled_in(frame: Frame, block: LinkedBlock) -> BaseException | None:
    if block.handling < 0:
        return None
    value = frame.slots[block.handling]
    if value is UNBOUND:
        return None
    if value.__class__ is tuple:  # a completion slot: the body of a finally
        return value[1] if value[0] == _RAISE else None
    return value if isinstance(value, BaseException) else None


def chain(error: BaseException, context: BaseException | None) -> None:
    """Set ``__context__`` as a ``raise`` does: cycles are cut where they would close."""
    if context is None or context is error:
        return
    seen = context
    slow = context
    moved = False
    while (following := seen.__context__) is not None:
        if following is error:
            seen.__context__ = None
            break
        seen = following
        if moved:
            slow = slow.__context__  # type: ignore[assignment] # it has been walked already
            if slow is seen:
                break
        moved = not moved
    error.__context__ = context


def adopt(error: BaseException, context: BaseException | None) -> None:
    """Set what was handled outside as the context of the oldest exception that ``error`` has as its own."""
    seen = {id(error)}
    while error.__context__ is not None and id(error.__context__) not in seen:
        error = error.__context__
        seen.add(id(error))
    if context is not None and id(context) not in seen:
        chain(error, context)


def throw(machine: Machine, error: BaseException, *, acted: bool) -> None:
    """Raise ``error`` in the suspended stack of the machine's frame.

    ``acted``: it is that of an action, which raises inside of the innermost coroutine, so that whatever
    catches it is no longer thrown into.
    """
    if not acted and machine.linked.program.semantics > 1:
        frame, machine.thrown = machine.frame, set()
        while frame is not None:
            machine.thrown.add(frame)
            frame = frame.caller
    unwind(machine, error, thrown=True)


def unwind(
    machine: Machine, error: BaseException, *, thrown: bool = False, noted: bool = True
) -> None:
    """Find who handles ``error``, from the machine's frame outwards; without anybody the task ends with it.

    ``thrown``: it came from outside into a suspended stack. CPython then sets the context anew in each
    coroutine that it passes, while that one handles something. ``noted``: the place in the innermost
    frame still has to be noted for the traceback.
    """
    frame = machine.frame
    while frame is not None:
        if frame.__class__ is Frame:
            if noted:
                machine.trails.passed(error, frame)
            noted = True
            if thrown:
                chain(error, _handled_in(frame, frame.at))
            handler = frame.at.handler
            if handler is not None:
                error.__traceback__ = None
                machine.fault = error
                machine.frame = frame
                frame.next = handler
                frame.index = -1
                return
            machine.fuel -= TURN
            error, caller = _left(frame, error)
        else:
            left = frame.fail(machine, error)  # type: ignore[union-attr] # the other kind
            if left is None:
                return
            error, caller = left, frame.caller
        # A frame that was suspended as the task was thrown into still runs inside of that throw.
        thrown = thrown or frame in machine.thrown
        frame = caller
    machine.frame = None
    error.__traceback__ = None
    assert machine.task is not None
    fail_task(machine, machine.task, error)


_ENDS: dict[str, tuple[type[BaseException], ...]] = {
    "async": (StopIteration,),
    "generator": (StopIteration,),
    "async_generator": (StopIteration, StopAsyncIteration),
}
"""What each kind of function must not raise: it would look like its end."""
_NAMES = {"async": "coroutine", "generator": "generator", "async_generator": "async generator"}


def _ending(error: BaseException) -> str:
    return "StopIteration" if isinstance(error, StopIteration) else "StopAsyncIteration"


def _left(frame: Frame, error: BaseException) -> tuple[BaseException, AnyFrame | None]:
    """Close a frame that ``error`` leaves."""
    if isinstance(error, BaseExceptionGroup):
        note_raised(error)
    caller = frame.caller
    kind = frame.function.kind
    if kind == "sync":
        return error, caller
    if kind in {"generator", "async_generator"}:
        caller = frame.owner.finish()
    else:
        frame.owner.state = FINISHED
        frame.owner.frame = None
    if isinstance(error, _ENDS[kind]):
        changed = RuntimeError(f"{_NAMES[kind]} raised {_ending(error)}")
        changed.__cause__ = changed.__context__ = error
        return changed, caller
    return error, caller
