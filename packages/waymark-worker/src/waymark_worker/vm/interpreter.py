"""The frames of the running task come in; they run until it is suspended or has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.exception_groups import note_raised
from waymark_worker.vm.iterators import Carried, NeedsItems, Settled
from waymark_worker.vm.limits import CHUNK
from waymark_worker.vm.meter import METER
from waymark_worker.vm.natives import Fill
from waymark_worker.vm.nesting import EXECUTE
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.state import Frame, Waiting
from waymark_worker.vm.unwinding import FATAL, adopt, chain, give, handled, unwind

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedBlock, Step
    from waymark_worker.vm.machine import Machine


HOSTS = (KeyboardInterrupt, SystemExit)


def execute(machine: Machine) -> None:  # noqa: C901, PLR0912, PLR0915 - the inner loop: a function call per block would double its cost
    """Run ``machine.frame`` and what it calls until the task has no frame to run."""
    frame: Any = machine.frame
    block: LinkedBlock = frame.next
    slots = frame.slots
    step: Any = None
    error: BaseException
    while True:
        try:
            while True:
                fuel = machine.fuel - block.cost
                if fuel < 0:
                    METER.charge(CHUNK - fuel)
                    fuel = CHUNK
                machine.fuel = fuel
                following = None
                if frame.index >= 0:
                    index, frame.index = frame.index, -1
                    for step in block.code[index:]:
                        following = step(slots, machine)
                else:
                    for step in block.code:
                        following = step(slots, machine)
                if following is not None:
                    block = following
                    continue
                frame = machine.frame
                if frame is None:
                    return
                block = frame.next
                slots = frame.slots
        except FATAL as fatal:
            machine.trails.raised(fatal, block, block.code.index(step) if step in block.code else 0)
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the program's handlers decide
            error = raised
        if isinstance(error, HOSTS) and step is not block.raises and step is not block.reraises:
            raise error  # a signal of this process, not an exception of the program
        recover(machine, block, step, error)
        del error  # what it refers to may be nobody else's, and want to be closed
        frame = machine.frame
        if frame is None:
            return
        block = frame.next
        slots = frame.slots


def recover(machine: Machine, block: LinkedBlock, step: Step | None, error: BaseException) -> None:
    """Go on after ``step`` of ``block`` raised: into a handler, out of frames, or to make items ahead."""
    if error.__class__ is Waiting:
        assert step is not None
        error.frame.at = block.rest(step, error.dst)
        return
    frame = machine.frame
    here = frame.__class__ is Frame
    if here:
        frame.at = block  # type: ignore[union-attr] # by its class
    try:
        if error.__class__ is NeedsItems:
            assert step is not None
            _fill(machine, block, step, error)
            return
    except FATAL:
        raise
    except BaseException as raised:  # noqa: BLE001 - the source failed at once
        error = raised
        step = None
    as_it_is = here and step is block.reraises and step is not None
    error = _in_context(machine, error, as_it_is=as_it_is, own=step is block.raises)
    if not as_it_is and isinstance(error, BaseExceptionGroup):
        note_raised(error)
    error.__traceback__ = None
    if step is not None:
        machine.trails.raised(error, block, block.code.index(step))
    unwind(machine, error, noted=not here)


def _in_context(
    machine: Machine, error: BaseException, *, as_it_is: bool, own: bool
) -> BaseException:
    """Give the program's own exception behind ``error``, its context as CPython would have set it."""
    if isinstance(error, Carried):
        settled = error.__class__ is Settled
        error = error.error
        if settled:
            chain(error, handled(machine.frame))
    elif error is machine.carried:
        machine.carried = None  # raised by compiled code that an instruction ran
        adopt(error, handled(machine.frame))
    elif not as_it_is:
        if not own:
            # The host chains what happened inside an implementation: that is nothing of the program's.
            error.__context__ = None
        chain(error, handled(machine.frame))
    return error


def resume(machine: Machine, value: Any) -> None:
    """Hand ``value`` to the top of the stack that was suspended, which may be a builtin's frame that then raises."""
    try:
        give(machine, machine.frame, value)
    except FATAL:
        raise
    except BaseException as raised:  # noqa: BLE001 - whatever it is, the program's handlers decide
        error = raised
    else:
        return
    if isinstance(error, NeedsItems):
        raise _not_consumed()
    if isinstance(error, Carried):
        error = error.error
    else:
        chain(error, handled(machine.frame))
    error.__traceback__ = None
    unwind(machine, error)


def _not_consumed() -> BaseException:
    what = "a generator or map() consumed by the function that another builtin was given"
    return unsupported_operation(what, "write a lambda or a comprehension around it")


def _fill(machine: Machine, block: LinkedBlock, step: Step, request: NeedsItems) -> None:
    frame = machine.frame
    if frame.__class__ is not Frame:
        raise _not_consumed()
    frame.index = block.code.index(step)
    Fill(request.source, count=request.count).begin(machine)


EXECUTE.append(execute)
