"""Locks, events, conditions and semaphores: who wants them comes in; who goes on, and in which order, goes out."""

from __future__ import annotations

from asyncio.exceptions import CancelledError
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.awaiting import until
from waymark_worker.vm.calls import call
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import register
from waymark_worker.vm.operations import binary, compare, truth
from waymark_worker.vm.records import asyncio_class, method
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.routines import Routine, chained
from waymark_worker.vm.scheduling import CANCELLED, DONE, PENDING, Future
from waymark_worker.vm.state import PUSHED

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

_less = compare("<")
_add = binary("+")


class Lock:
    """``asyncio.Lock``."""

    __slots__ = ("locked", "waiters")

    def __init__(self) -> None:
        self.locked = False
        self.waiters: list[Future] = []

    def release(self, machine: Machine) -> None:
        """Unlock it and wake who has waited longest."""
        if not self.locked:
            msg = "Lock is not acquired."
            raise RuntimeError(msg)
        self.locked = False
        self.wake(machine)

    def wake(self, machine: Machine) -> None:
        """Wake who has waited longest, unless it is awake already."""
        if self.waiters and self.waiters[0].state == PENDING:
            self.waiters[0].settle(machine, DONE, None)


class Acquire(Routine):
    """``lock.acquire()``; with ``entering``, of ``async with lock``, whose value is None."""

    __slots__ = ("entering", "future", "lock")

    def __init__(self, lock: Lock, *, entering: bool = False) -> None:
        Routine.__init__(self)
        self.lock = lock
        self.entering = entering
        self.future: Future | None = None

    def begin(self, machine: Machine) -> Any:
        lock = self.lock
        METER.charge(len(lock.waiters) >> 4)
        if not lock.locked and all(each.state == CANCELLED for each in lock.waiters):
            return self._taken()
        future = self.future = Future()
        lock.waiters.append(future)
        return until(machine, self, future, 1)

    def _taken(self) -> bool | None:
        self.lock.locked = True
        return None if self.entering else True

    def resumed(self, machine: Machine, value: Any) -> Any:
        assert self.future is not None
        self.lock.waiters.remove(self.future)
        return self._taken()

    def caught(self, machine: Machine, error: BaseException) -> Any:
        assert self.future is not None
        self.lock.waiters.remove(self.future)
        if isinstance(error, CancelledError) and not self.lock.locked:
            self.lock.wake(machine)
        raise error


class Event:
    """``asyncio.Event``."""

    __slots__ = ("waiters", "was_set")

    def __init__(self) -> None:
        self.was_set = False
        self.waiters: list[Future] = []

    def set(self, machine: Machine) -> None:
        """Let everybody go on."""
        if not self.was_set:
            self.was_set = True
            METER.charge(len(self.waiters))
            for each in self.waiters:
                if each.state == PENDING:
                    each.settle(machine, DONE, None)


class EventWait(Routine):
    """``event.wait()``."""

    __slots__ = ("event", "future")

    def __init__(self, event: Event) -> None:
        Routine.__init__(self)
        self.event = event
        self.future: Future | None = None

    def begin(self, machine: Machine) -> Any:
        if self.event.was_set:
            return True
        future = self.future = Future()
        self.event.waiters.append(future)
        return until(machine, self, future, 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        self._leave()
        return True

    def caught(self, machine: Machine, error: BaseException) -> Any:
        self._leave()
        raise error

    def _leave(self) -> None:
        assert self.future is not None
        self.event.waiters.remove(self.future)


class Condition:
    """``asyncio.Condition``."""

    __slots__ = ("lock", "waiters")

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.waiters: list[Future] = []


class ConditionWait(Routine):
    """``condition.wait()``: 1 until notified, then 2 until the lock is there again."""

    __slots__ = ("cancelled", "condition", "error", "future")

    def __init__(self, condition: Condition) -> None:
        Routine.__init__(self)
        self.condition = condition
        self.future: Future | None = None
        self.error: BaseException | None = None
        self.cancelled = False

    def begin(self, machine: Machine) -> Any:
        condition = self.condition
        if not condition.lock.locked:
            msg = "cannot wait on un-acquired lock"
            raise RuntimeError(msg)
        condition.lock.release(machine)
        future = self.future = Future()
        condition.waiters.append(future)
        return until(machine, self, future, 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        if self.step == 1:
            return self._notified(machine, None)
        if self.cancelled:
            error = CancelledError()
            raise error if self.error is None else chained(error, self.error)
        if self.error is not None:
            raise self.error
        return True

    def caught(self, machine: Machine, error: BaseException) -> Any:
        if self.step == 1:
            return self._notified(machine, error)
        if not isinstance(error, CancelledError):
            raise error
        self.cancelled = True
        return until(machine, self, Acquire(self.condition.lock), 2)

    def _notified(self, machine: Machine, error: BaseException | None) -> Any:
        assert self.future is not None
        self.condition.waiters.remove(self.future)
        self.error = error
        return until(machine, self, Acquire(self.condition.lock), 2)


class ConditionWaitFor(Routine):
    """``condition.wait_for(predicate)``: 1 until the predicate has its answer, 2 until notified."""

    __slots__ = ("condition", "predicate")

    def __init__(self, condition: Condition, predicate: Any) -> None:
        Routine.__init__(self)
        self.condition = condition
        self.predicate = predicate

    def begin(self, machine: Machine) -> Any:
        return self.resumed(machine, None)

    def resumed(self, machine: Machine, value: Any) -> Any:
        if self.step == 1:
            if truth(value):
                return value
            return until(machine, self, ConditionWait(self.condition), 2)
        self.step = 1
        value = call(machine, self.predicate, [], {})
        return value if value is PUSHED else self.resumed(machine, value)


class Semaphore:
    """``asyncio.Semaphore``; ``bound`` of a BoundedSemaphore is where it began."""

    __slots__ = ("bound", "value", "waiters")

    def __init__(self, value: Any, bound: Any = None) -> None:
        self.value = value
        self.bound = bound
        self.waiters: list[Future] = []

    @property
    def locked(self) -> bool:
        """Whether one would have to wait for it."""
        return bool(self.value == 0) or any(each.state != CANCELLED for each in self.waiters)

    def release(self, machine: Machine) -> None:
        """Let one more in."""
        if self.bound is not None and self.value >= self.bound:
            msg = "BoundedSemaphore released too many times"
            raise ValueError(msg)
        self.value = _add(self.value, 1)
        self.wake(machine)

    def wake(self, machine: Machine) -> None:
        """Hand a place to who has waited longest."""
        for each in self.waiters:
            if each.state == PENDING:
                self.value = _add(self.value, -1)
                each.settle(machine, DONE, None)
                return


class Enter(Routine):
    """``semaphore.acquire()``; with ``entering``, of ``async with semaphore``, whose value is None."""

    __slots__ = ("entering", "future", "semaphore")

    def __init__(self, semaphore: Semaphore, *, entering: bool = False) -> None:
        Routine.__init__(self)
        self.semaphore = semaphore
        self.entering = entering
        self.future: Future | None = None

    def begin(self, machine: Machine) -> Any:
        semaphore = self.semaphore
        METER.charge(len(semaphore.waiters) >> 4)
        if not semaphore.locked:
            semaphore.value = _add(semaphore.value, -1)
            return self._entered()
        future = self.future = Future()
        semaphore.waiters.append(future)
        return until(machine, self, future, 1)

    def _entered(self) -> bool | None:
        return None if self.entering else True

    def resumed(self, machine: Machine, value: Any) -> Any:
        assert self.future is not None
        self.semaphore.waiters.remove(self.future)
        if self.semaphore.value > 0:
            self.semaphore.wake(machine)
        return self._entered()

    def caught(self, machine: Machine, error: BaseException) -> Any:
        future, semaphore = self.future, self.semaphore
        assert future is not None
        semaphore.waiters.remove(future)
        if isinstance(error, CancelledError) and future.state != CANCELLED:
            semaphore.value = _add(semaphore.value, 1)
            semaphore.wake(machine)
        raise error


for _kind, _name in (
    (Lock, "Lock"),
    (Event, "Event"),
    (Condition, "Condition"),
    (Semaphore, "Semaphore"),
):
    register(_kind, _name)


@asyncio_class("Lock")
def _make_lock(machine: Machine) -> Lock:
    return Lock()


@asyncio_class("Event")
def _make_event(machine: Machine) -> Event:
    return Event()


@asyncio_class("Condition")
def _make_condition(machine: Machine, lock: Any = None) -> Condition:
    if lock is not None and not isinstance(lock, Lock):
        what = "a Condition over something that is no asyncio.Lock"
        raise unsupported_operation(what, "give it an asyncio.Lock(), or nothing")
    return Condition(Lock() if lock is None else lock)


@asyncio_class("Semaphore")
def _make_semaphore(machine: Machine, value: Any = 1) -> Semaphore:
    if _less(value, 0):
        msg = "Semaphore initial value must be >= 0"
        raise ValueError(msg)
    return Semaphore(value)


@asyncio_class("BoundedSemaphore")
def _make_bounded_semaphore(machine: Machine, value: Any = 1) -> Semaphore:
    made = _make_semaphore(machine, value)
    made.bound = value
    return made


@method(Lock, Semaphore)
def _locked(machine: Machine, self: Lock | Semaphore) -> bool:
    return self.locked


@method(Lock, Semaphore)
def _release(machine: Machine, self: Lock | Semaphore) -> None:
    self.release(machine)


@method(Lock)
def _acquire(machine: Machine, self: Lock) -> Acquire:
    return Acquire(self)


@method(Semaphore, name="acquire")
def _acquire_semaphore(machine: Machine, self: Semaphore) -> Enter:
    return Enter(self)


@method(Event)
def _is_set(machine: Machine, self: Event) -> bool:
    return self.was_set


@method(Event, name="set")
def _set_event(machine: Machine, self: Event) -> None:
    self.set(machine)


@method(Event, name="clear")
def _clear_event(machine: Machine, self: Event) -> None:
    self.was_set = False


@method(Event, name="wait")
def _wait_for_event(machine: Machine, self: Event) -> EventWait:
    return EventWait(self)


@method(Condition, name="locked")
def _condition_locked(machine: Machine, self: Condition) -> bool:
    return self.lock.locked


@method(Condition, name="release")
def _condition_release(machine: Machine, self: Condition) -> None:
    self.lock.release(machine)


@method(Condition, name="acquire")
def _condition_acquire(machine: Machine, self: Condition) -> Acquire:
    return Acquire(self.lock)


@method(Condition, name="wait")
def _condition_wait(machine: Machine, self: Condition) -> ConditionWait:
    return ConditionWait(self)


@method(Condition)
def _wait_for(machine: Machine, self: Condition, predicate: Any) -> ConditionWaitFor:
    return ConditionWaitFor(self, predicate)


@method(Condition)
def _notify(machine: Machine, self: Condition, n: Any = 1) -> None:
    if not self.lock.locked:
        msg = "cannot notify on un-acquired lock"
        raise RuntimeError(msg)
    METER.charge(len(self.waiters) >> 2)
    woken = 0
    for each in self.waiters:
        if woken >= n:
            break
        if each.state == PENDING:
            woken += 1
            each.settle(machine, DONE, None)


@method(Condition)
def _notify_all(machine: Machine, self: Condition) -> None:
    _notify(machine, self, len(self.waiters))
