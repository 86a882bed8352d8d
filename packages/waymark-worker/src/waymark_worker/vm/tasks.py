"""Coroutines and futures come in; tasks, what they are asked, and shields around them go out."""

from __future__ import annotations

from asyncio.exceptions import InvalidStateError
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.alarms import loop_time
from waymark_worker.vm.awaiting import create_task as run_task
from waymark_worker.vm.awaiting import ensure_future as as_future
from waymark_worker.vm.awaiting import is_coroutine
from waymark_worker.vm.formatting import represent, show
from waymark_worker.vm.iterators import Settled
from waymark_worker.vm.names import register
from waymark_worker.vm.records import asyncio_function, method
from waymark_worker.vm.refusals import no_identity, unsupported_operation
from waymark_worker.vm.scheduling import (
    CANCELLED,
    DONE,
    PENDING,
    RAISED,
    Callback,
    Future,
    Gather,
    Task,
)

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

FUTURES = (Future, Task, Gather)


class Loop:
    """``asyncio.get_running_loop()``: only its clock can be read."""

    __slots__ = ()


LOOP = Loop()
register(Loop, "_UnixSelectorEventLoop")


def named_task(machine: Machine, coro: Any, name: Any, context: Any) -> Task:
    """Make a task of a coroutine; raises CPython's TypeError for anything else."""
    if context is not None:
        what = "a task with a context of its own"
        raise unsupported_operation(what, "pass values as arguments")
    if not is_coroutine(coro):
        msg = f"a coroutine was expected, got {represent(coro)}"
        raise TypeError(msg)
    task = run_task(machine, coro)
    if name is not None:
        task.name = show(name)
    return task


@asyncio_function("create_task")
def _create_task(machine: Machine, coro: Any, *, name: Any = None, context: Any = None) -> Task:
    return named_task(machine, coro, name, context)


@asyncio_function("ensure_future")
def _ensure_future(machine: Machine, coro_or_future: Any, *, loop: Any = None) -> Future:
    if loop is not None and loop is not LOOP:
        what = "ensure_future() with a loop"
        raise unsupported_operation(what, "leave loop= out")
    return as_future(machine, coro_or_future)


@asyncio_function("current_task")
def _current_task(machine: Machine, loop: Any = None) -> Task | None:
    return machine.task


@asyncio_function("get_running_loop")
def _get_running_loop(machine: Machine) -> Loop:
    return LOOP


@method(*FUTURES)
def _done(machine: Machine, self: Future) -> bool:
    return self.state != PENDING


@method(*FUTURES)
def _cancelled(machine: Machine, self: Future) -> bool:
    return self.state == CANCELLED


@method(*FUTURES)
def _cancel(machine: Machine, self: Future, msg: Any = None) -> bool:
    return self.cancel(machine, msg)


@method(*FUTURES)
def _result(machine: Machine, self: Future) -> Any:
    if self.state in {DONE, PENDING}:
        return self.result()
    raise Settled(self.value if self.state == RAISED else self.take_cancelled_error())


@method(*FUTURES)
def _exception(machine: Machine, self: Future) -> BaseException | None:
    if self.state == PENDING:
        msg = "Exception is not set."
        raise InvalidStateError(msg)
    if self.state == CANCELLED:
        raise Settled(self.take_cancelled_error())
    return self.value if self.state == RAISED else None


def _no_callbacks(machine: Machine, self: Future, fn: Any, *, context: Any = None) -> None:
    what = "a function called when a task is done"
    rewrite = "await the task in a helper coroutine and do it there"
    raise unsupported_operation(what, rewrite)


method(*FUTURES, name="add_done_callback")(_no_callbacks)
method(*FUTURES, name="remove_done_callback")(_no_callbacks)


@method(Task)
def _cancelling(machine: Machine, self: Task) -> int:
    return self.cancels_requested


@method(Task)
def _uncancel(machine: Machine, self: Task) -> int:
    return uncancelled(self)


def uncancelled(task: Task) -> int:
    """Take one request to cancel back; how many are left."""
    if task.cancels_requested > 0:
        task.cancels_requested -= 1
    return task.cancels_requested


@method(Task)
def _get_name(machine: Machine, self: Task) -> str:
    if self.name is None:
        what = "the name of a task that was given none"
        raise no_identity(what)
    return self.name


@method(Task)
def _set_name(machine: Machine, self: Task, value: Any) -> None:
    self.name = show(value)


class Shield(Callback):
    """Between a task and whoever waits for it: cancelling ``outer`` leaves ``inner`` alone."""

    __slots__ = ("inner", "outer")

    def __init__(self, inner: Future, outer: Future) -> None:
        self.inner = inner
        self.outer = outer

    def child_done(self, machine: Machine, child: Future) -> None:
        inner, outer = self.inner, self.outer
        if child is outer:
            if inner.state == PENDING:
                inner.remove_callback(self)
        elif outer.state == CANCELLED:
            return
        elif inner.state == CANCELLED:
            outer.cancel(machine)
        else:
            outer.settle(machine, inner.state, inner.value)


@asyncio_function("shield")
def _shield(machine: Machine, arg: Any) -> Future:
    inner = as_future(machine, arg)
    if inner.state != PENDING:
        return inner
    outer = Future()
    callback = Shield(inner, outer)
    inner.add_callback(machine, callback)
    outer.add_callback(machine, callback)
    return outer


@method(Loop)
def _time(machine: Machine, self: Loop) -> float:
    return loop_time(machine)
