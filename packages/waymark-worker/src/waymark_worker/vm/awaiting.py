"""An awaitable comes in; its value goes out, or the running task is suspended until there is one."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from waymark_schema.ir.policies import NO_POLICY
from waymark_worker.vm.callables import (
    CREATED,
    FINISHED,
    SUSPENDED,
    CallValue,
    Coroutine,
    SleepValue,
)
from waymark_worker.vm.effects import StartCall, StartTimer
from waymark_worker.vm.grafting import METHODS as GRAFTING
from waymark_worker.vm.grafting import shared
from waymark_worker.vm.limits import LONGEST, MAX_ALIVE, MAX_DEPTH
from waymark_worker.vm.names import type_name
from waymark_worker.vm.operations import compare
from waymark_worker.vm.refusals import LimitExceeded, unsupported_operation
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import (
    DONE,
    PENDING,
    RAISED,
    Future,
    Gather,
    Task,
    wait_for,
)
from waymark_worker.vm.state import PUSHED, push_native, too_deep
from waymark_worker.vm.unwinding import FATAL, chain, handled

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

CONSTRUCT = "waymark:construct"
_at_most = compare("<=")


def await_value(machine: Machine, value: Any) -> Any:
    """Await ``value`` in the running task: what it gives at once, or ``PUSHED``."""
    kind = value.__class__
    if kind is CallValue:
        return suspend(machine, start_call(machine, value))
    if kind is Coroutine:
        return push_coroutine(machine, value)
    if kind is SleepValue:
        return _start_sleep(machine, value)
    if isinstance(value, Future):
        return await_future(machine, value)
    if isinstance(value, Routine):
        return push_routine(machine, value)
    msg = f"object {type_name(value)} can't be used in 'await' expression"
    raise TypeError(msg)


def suspend(machine: Machine, future: Future) -> Any:
    """Leave the running task until ``future`` is done."""
    task = machine.task
    assert task is not None
    task.frame = machine.frame
    machine.frame = None
    future.callbacks.append(task)
    task.waiter = future
    if task.must_cancel and future.cancel(machine, task.cancel_message):
        task.must_cancel = False
    return PUSHED


def await_future(machine: Machine, future: Future) -> Any:
    """Await a future, task or gather."""
    if future.state == DONE:
        return future.value
    if future.state == PENDING:
        if future is machine.task:
            msg = "Task cannot await on itself"
            raise RuntimeError(msg)
        return suspend(machine, future)
    raise future.value if future.state == RAISED else future.take_cancelled_error()


def push_coroutine(machine: Machine, coroutine: Coroutine) -> Any:
    """Turn to the frame of a coroutine."""
    frame = coroutine.frame
    if coroutine.state != CREATED or frame is None:
        raise _used(finished=coroutine.state == FINISHED)
    caller = machine.frame
    if caller is not None:
        frame.depth = caller.depth + 1
        if frame.depth > MAX_DEPTH:
            raise too_deep()
    else:
        frame.depth = 1
    coroutine.state = SUSPENDED
    frame.caller = caller
    machine.frame = frame
    return PUSHED


def push_routine(machine: Machine, routine: Routine) -> Any:
    """Take the first step of a coroutine of the language's own."""
    if routine.state != CREATED:
        raise _used(finished=routine.state == FINISHED)
    caller = machine.frame
    push_native(machine, routine)
    routine.state = SUSPENDED
    try:
        value = routine.begin(machine)
    except FATAL:
        raise
    except BaseException:
        routine.state = FINISHED
        machine.frame = caller
        raise
    if value is not PUSHED:
        routine.state = FINISHED
        machine.frame = caller
    return value


def until(machine: Machine, routine: Routine, awaitable: Any, step: int) -> Any:
    """Have ``routine``, which runs, await something; it goes on at ``step``, at once if that is done."""
    routine.step = step
    failed: BaseException | None = None
    value: Any = None
    try:
        value = await_value(machine, awaitable)
    except FATAL:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the routine decides
        failed = error
    if failed is not None:
        failed.__traceback__ = None
        chain(failed, handled(routine.caller))
        return routine.caught(machine, failed)
    return value if value is PUSHED else routine.resumed(machine, value)


def _used(*, finished: bool) -> RuntimeError:
    return RuntimeError(
        "cannot reuse already awaited coroutine"
        if finished
        else "coroutine is being awaited already"
    )


def start_call(machine: Machine, call: CallValue) -> Future:
    """Start an action: encode its arguments and ask for it."""
    for each in (call, call.inner):
        if each is not None and each.future is not None:
            raise _used(finished=each.future.state != PENDING)
    # Used up even if the arguments cannot be encoded: the coroutine of a function would be, too.
    call.future = future = Future()
    future.state = RAISED
    if call.inner is not None:
        call.inner.future = future
    arguments = machine.encode(call.arguments)
    future.state = PENDING
    return _begin(machine, future, call.action.key, arguments, call.policy)


def _begin(
    machine: Machine,
    future: Future,
    key: str,
    arguments: bytes,
    policy: Any,
    *,
    inline: bool = False,
) -> Future:
    number = machine.next_call
    if len(machine.calls) >= MAX_ALIVE:
        msg = f"the workflow has {MAX_ALIVE} open calls; await some before starting more"
        raise LimitExceeded(msg)
    machine.next_call = number + 1
    future.effect = effect = StartCall(number, key, arguments, policy, inline)
    machine.effects.append(effect)
    machine.calls[number] = future
    return future


def start_inline(
    machine: Machine, cls: type, args: list[Any], keywords: dict[str, Any], *, method: str = ""
) -> Any:
    """Have a worker run an opaque type's own code while the whole workflow stands still.

    What it makes then holds the very arguments; under semantics 1, copies.
    """
    if machine.runs:
        doing = method or "making one"
        what = (
            f"{cls.__name__}: {doing} inside a special method, or a generator that a builtin runs"
        )
        raise unsupported_operation(what, "do it before, and pass on what it gives")
    given: dict[str, Any] = {
        "type": machine.linked.qualname_of(cls), "args": args, "kwargs": keywords,
    }  # fmt: skip
    if method:
        given["method"] = method
    if method in GRAFTING and machine.linked.program.semantics > 1:
        given["graft"] = True
        same = shared([args, keywords])
        if same:
            given["same"] = same
    arguments = machine.encode(given)
    future = _begin(machine, Future(), CONSTRUCT, arguments, NO_POLICY, inline=True)
    machine.inline = (future, machine.task, machine.frame, [args, keywords])
    machine.frame = None
    return PUSHED


def _start_sleep(machine: Machine, sleep: SleepValue) -> Any:
    if sleep.state != CREATED:
        raise _used(finished=sleep.state == FINISHED)
    sleep.state = FINISHED
    delay = sleep.delay
    if _at_most(delay, 0):
        task = machine.task
        assert task is not None
        task.frame = machine.frame
        machine.frame = None
        hop = Future()
        hop.state = DONE
        hop.value = sleep.result
        machine.ready.append((task, hop))
        return PUSHED
    if not isinstance(delay, int | float | Fraction):
        msg = f"unsupported operand type(s) for +: 'float' and '{type_name(delay)}'"
        raise TypeError(msg)
    seconds = float(delay)
    if math.isnan(seconds):
        msg = "Invalid delay: NaN (not a number)"
        raise ValueError(msg)
    return suspend(machine, start_timer(machine, min(seconds, LONGEST), sleep.result))


def start_timer(machine: Machine, seconds: float, result: Any) -> Future:
    """Ask for a timer; the future gives ``result`` when it fires."""
    number = machine.next_timer
    if len(machine.timers) >= MAX_ALIVE:
        msg = f"the workflow has {MAX_ALIVE} open timers; await some before starting more"
        raise LimitExceeded(msg)
    machine.next_timer = number + 1
    effect = StartTimer(number, seconds)
    machine.effects.append(effect)
    future = Future(effect)
    future.value = result
    machine.timers[number] = future
    return future


def close(coroutine: Any, error: BaseException) -> BaseException:
    """Use up a coroutine that is ended by ``error`` before its first step; returns what its task ends with."""
    used = _use_of(coroutine)
    if used != CREATED:
        return _used(finished=used == FINISHED)
    if coroutine.__class__ is CallValue:
        coroutine.future = Future()
        coroutine.future.state = DONE
    else:
        coroutine.state = FINISHED
        if coroutine.__class__ is Coroutine:
            coroutine.frame = None
    return error


def _use_of(coroutine: Any) -> int:
    if coroutine.__class__ is not CallValue:
        state: int = coroutine.state
        return state
    future = coroutine.future
    if future is None:
        return CREATED
    return SUSPENDED if future.state == PENDING else FINISHED


def create_task(machine: Machine, coroutine: Any) -> Task:
    """Make a task whose first step is queued."""
    if len(machine.tasks) >= MAX_ALIVE:
        msg = f"the workflow has {MAX_ALIVE} tasks; await some before starting more"
        raise LimitExceeded(msg)
    task = Task(coroutine)
    if machine.task is not None:
        task.decimal = machine.task.decimal
    machine.tasks[task] = None
    machine.ready.append((task, None))
    return task


def gather(machine: Machine, awaitables: list[Any], *, return_exceptions: bool) -> Future:
    """Run awaitables together; equal ones (the same object twice) share one task."""
    if not awaitables:
        outer = Future()
        outer.state = DONE
        outer.value = []
        return outer
    known: dict[Any, Future] = {}
    children: list[Future] = []
    finished = []
    for each in awaitables:
        child = known.get(each)
        if child is None:
            child = known[each] = ensure_future(machine, each)
            if child.state != PENDING:
                finished.append(child)
        children.append(child)
    outer = Gather(children, len(known), return_exceptions=return_exceptions)
    for child in known.values():
        if child.state == PENDING:
            child.callbacks.append(outer)
    for child in finished:
        outer.child_done(machine, child)
    return outer


def is_coroutine(value: Any) -> bool:
    """Whether a task can be made of ``value``."""
    return value.__class__ in (CallValue, Coroutine, SleepValue) or isinstance(value, Routine)


def ensure_future(machine: Machine, value: Any) -> Future:
    """Give a future as it is, and a coroutine a task of its own."""
    if is_coroutine(value):
        return create_task(machine, value)
    if isinstance(value, Future):
        return value
    msg = "An asyncio.Future, a coroutine or an awaitable is required"
    raise TypeError(msg)


__all__ = [
    "CONSTRUCT",
    "await_future",
    "await_value",
    "close",
    "create_task",
    "ensure_future",
    "gather",
    "is_coroutine",
    "push_coroutine",
    "push_routine",
    "start_call",
    "start_inline",
    "start_timer",
    "suspend",
    "until",
    "wait_for",
]
