"""Delays and deadlines come in; what turns the cancellation that they cause into ``TimeoutError`` goes out."""

from __future__ import annotations

from asyncio.exceptions import CancelledError
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.alarms import Alarm, call_later, call_soon, in_seconds, loop_time
from waymark_worker.vm.awaiting import ensure_future, until
from waymark_worker.vm.names import register
from waymark_worker.vm.operations import compare
from waymark_worker.vm.records import asyncio_function, method
from waymark_worker.vm.routines import Routine, caused
from waymark_worker.vm.scheduling import CANCELLED, DONE, PENDING, RAISED, Callback, Future, Task
from waymark_worker.vm.tasks import uncancelled
from waymark_worker.vm.unwinding import chain, handled

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

CREATED, ENTERED, EXPIRING, EXPIRED, EXITED = range(5)
_STATES = ("created", "active", "expiring", "expired", "finished")
_at_most = compare("<=")


class Timeout:
    """``asyncio.timeout``. ``delay`` is what is left until its deadline ``when``, for the advance at ``made``."""

    __slots__ = ("alarm", "cancelling", "delay", "made", "state", "task", "when")

    def __init__(self, when: float | None, delay: float | None = None) -> None:
        self.when = when
        self.delay = delay
        self.made: float | None = None
        self.state = CREATED
        self.alarm: Alarm | None = None
        self.task: Task | None = None
        self.cancelling = 0

    def enter(self, machine: Machine) -> Timeout:
        """Start the timer."""
        if self.state != CREATED:
            msg = "Timeout has already been entered"
            raise RuntimeError(msg)
        task = machine.task
        assert task is not None
        self.state = ENTERED
        self.task = task
        self.cancelling = task.cancels_requested
        delay = self.delay
        if self.when is not None and (delay is None or loop_time(machine) != self.made):
            delay = self.when - loop_time(machine)
        self._start(machine, delay)
        return self

    def _start(self, machine: Machine, delay: float | None) -> None:
        if self.alarm is not None:
            self.alarm.cancel(machine)
        if delay is None:
            self.alarm = None
        elif delay <= 0:
            self.alarm = call_soon(machine, self)
        else:
            self.alarm = call_later(machine, delay, self)

    def reschedule(self, machine: Machine, when: Any) -> None:
        """Move the deadline."""
        if self.state == CREATED:
            msg = "Timeout has not been entered"
            raise RuntimeError(msg)
        if self.state != ENTERED:
            msg = f"Cannot change state of {_STATES[self.state]} Timeout"
            raise RuntimeError(msg)
        if when is not None:
            _at_most(when, 0.0)  # raises CPython's TypeError
        self.when = when
        self._start(machine, None if when is None else in_seconds(when) - loop_time(machine))

    def alarmed(self, machine: Machine) -> None:
        """Cancel the task: its time is over."""
        assert self.task is not None
        self.task.cancel(machine)
        self.state = EXPIRING
        self.alarm = None

    def leave(self, machine: Machine, error: BaseException | None) -> None:
        """Stop the timer; raises TimeoutError if that is what ``error`` means."""
        if self.alarm is not None:
            self.alarm.cancel(machine)
            self.alarm = None
        if self.state == EXPIRING:
            self.state = EXPIRED
            assert self.task is not None
            left = uncancelled(self.task)
            if left <= self.cancelling and error.__class__ is CancelledError:
                assert error is not None
                raise caused(TimeoutError(), error)
        elif self.state == ENTERED:
            self.state = EXITED


register(Timeout, "Timeout")


@asyncio_function("timeout")
def _timeout(machine: Machine, delay: Any) -> Timeout:
    if delay is None:
        return Timeout(None)
    seconds = in_seconds(delay)
    now = loop_time(machine)
    made = Timeout(now + seconds, seconds)
    made.made = now
    return made


@asyncio_function("timeout_at")
def _timeout_at(machine: Machine, when: Any) -> Timeout:
    if when is not None:
        _at_most(when, 0.0)  # CPython's TypeError comes when it is entered; the words are the same
        when = in_seconds(when)
    return Timeout(when)


@method(Timeout)
def _when(machine: Machine, self: Timeout) -> float | None:
    return self.when


@method(Timeout)
def _reschedule(machine: Machine, self: Timeout, when: Any) -> None:
    self.reschedule(machine, when)


@method(Timeout)
def _expired(machine: Machine, self: Timeout) -> bool:
    return self.state in {EXPIRING, EXPIRED}


class Release(Callback):
    """Wakes whoever waits for a future that it has cancelled."""

    __slots__ = ("waiter",)

    def __init__(self, waiter: Future) -> None:
        self.waiter = waiter

    def child_done(self, machine: Machine, child: Future) -> None:
        if self.waiter.state == PENDING:
            self.waiter.settle(machine, DONE, None)


class WaitFor(Routine):
    """``asyncio.wait_for(fut, timeout)``."""

    __slots__ = ("awaitable", "delay", "guard", "release")

    def __init__(self, awaitable: Any, delay: Any) -> None:
        Routine.__init__(self)
        self.awaitable = awaitable
        self.delay = delay
        self.guard: Timeout | None = None
        self.release: Release | None = None

    def begin(self, machine: Machine) -> Any:
        delay = self.delay
        if delay is not None and _at_most(delay, 0):
            return self._at_once(machine)
        self.guard = Timeout(None, None if delay is None else in_seconds(delay)).enter(machine)
        return until(machine, self, self.awaitable, 1)

    def _at_once(self, machine: Machine) -> Any:
        self.awaitable = future = ensure_future(machine, self.awaitable)
        if future.state != PENDING:
            return future.result()
        waiter = Future()
        self.release = Release(waiter)
        future.add_callback(machine, self.release)
        future.cancel(machine)
        return until(machine, self, waiter, 2)

    def resumed(self, machine: Machine, value: Any) -> Any:
        if self.guard is not None:
            self.guard.leave(machine, None)
            return value
        self._forget()
        future: Future = self.awaitable
        if future.state == DONE:
            return future.value
        error = future.value if future.state == RAISED else future.take_cancelled_error()
        # Raised anew here: whatever its context was, it is now what is handled around the call.
        chain(error, handled(self.caller))
        raise caused(TimeoutError(), error) if future.state == CANCELLED else error

    def caught(self, machine: Machine, error: BaseException) -> Any:
        if self.guard is not None:
            self.guard.leave(machine, error)
        else:
            self._forget()
        raise error

    def _forget(self) -> None:
        assert self.release is not None
        self.awaitable.remove_callback(self.release)


@asyncio_function("wait_for")
def _wait_for(machine: Machine, fut: Any, timeout: Any) -> WaitFor:
    return WaitFor(fut, timeout)
