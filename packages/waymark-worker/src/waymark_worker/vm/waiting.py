"""Many tasks come in; those that are done, or each as it is done, go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.alarms import Alarm, call_later, in_seconds
from waymark_worker.vm.awaiting import ensure_future, is_coroutine, until
from waymark_worker.vm.formatting import show
from waymark_worker.vm.iterators import EXHAUSTED, Framed, iterate
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import public_name, register, type_name
from waymark_worker.vm.operations import truth
from waymark_worker.vm.ordered import OrderedSet
from waymark_worker.vm.queues import Get, Queue
from waymark_worker.vm.records import asyncio_function
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import DONE, PENDING, RAISED, Callback, Future
from waymark_worker.vm.unwinding import chain, handled

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

_WAYS = ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")


class Wait(Routine, Callback):
    """``asyncio.wait(fs, timeout=, return_when=)``. In the order in which they were given, not by address."""

    __slots__ = ("alarm", "delay", "futures", "left", "return_when", "waiter")

    def __init__(self, futures: Any, delay: Any, return_when: Any) -> None:
        Routine.__init__(self)
        self.futures = futures
        self.delay = delay
        self.return_when = return_when
        self.left = 0
        self.alarm: Alarm | None = None
        self.waiter: Future | None = None

    def begin(self, machine: Machine) -> Any:
        self.futures = futures = self._checked()
        waiter = self.waiter = Future()
        if self.delay is not None:
            self.alarm = call_later(machine, in_seconds(self.delay), self)
        self.left = len(futures)
        METER.charge(8 * self.left)
        for each in futures:
            each.add_callback(machine, self)
        return until(machine, self, waiter, 1)

    def _checked(self) -> list[Future]:
        given = self.futures
        if isinstance(given, Future) or is_coroutine(given):
            msg = f"expect a list of futures, not {public_name(type(given))}"
            raise TypeError(msg)
        if not truth(given):
            msg = "Set of Tasks/Futures is empty."
            raise ValueError(msg)
        if self.return_when not in _WAYS:
            msg = f"Invalid return_when value: {show(self.return_when)}"
            raise ValueError(msg)
        distinct = list(dict.fromkeys(iterate(given)))
        if any(map(is_coroutine, distinct)):
            msg = "Passing coroutines is forbidden, use tasks explicitly."
            raise TypeError(msg)
        for each in distinct:
            if not isinstance(each, Future):
                msg = f"{type_name(each)!r} object has no attribute 'add_done_callback'"
                raise AttributeError(msg, name="add_done_callback")  # noqa: TRY004 - as CPython has it
        return distinct

    def child_done(self, machine: Machine, child: Future) -> None:
        self.left -= 1
        failed = self.return_when == "FIRST_EXCEPTION" and child.state == RAISED
        if self.left <= 0 or self.return_when == "FIRST_COMPLETED" or failed:
            if self.alarm is not None:
                self.alarm.cancel(machine)
            self.alarmed(machine)

    def alarmed(self, machine: Machine) -> None:
        """Go on with what there is."""
        assert self.waiter is not None
        if self.waiter.state == PENDING:
            self.waiter.settle(machine, DONE, None)

    def resumed(self, machine: Machine, value: Any) -> Any:
        self._clean(machine)
        done = [each for each in self.futures if each.state != PENDING]
        pending = [each for each in self.futures if each.state == PENDING]
        return OrderedSet(done), OrderedSet(pending)

    def caught(self, machine: Machine, error: BaseException) -> Any:
        self._clean(machine)
        raise error

    def _clean(self, machine: Machine) -> None:
        if self.alarm is not None:
            self.alarm.cancel(machine)
        for each in self.futures:
            each.remove_callback(self)


@asyncio_function("wait")
def _wait(
    machine: Machine, fs: Any, *, timeout: Any = None, return_when: Any = "ALL_COMPLETED"
) -> Wait:
    return Wait(_listed(fs), timeout, return_when)


def _listed(given: Any) -> Any:
    """Take the items of what needs frames for them here, where it can have them."""
    return list(iterate(given)) if isinstance(given, Framed) else given


class AsCompleted(Framed, Callback):
    """``asyncio.as_completed(fs, timeout=)``: begins when its first item is asked for."""

    __slots__ = ("alarm", "begun", "delay", "finished", "given", "left", "todo")

    def __init__(self, given: Any, delay: Any) -> None:
        Framed.__init__(self)
        self.given = given
        self.delay = delay
        self.begun = False
        self.finished = Queue(0)
        self.todo: dict[Future, None] = {}
        self.left = 0
        self.alarm: Alarm | None = None

    def produce(self, machine: Machine) -> Any:
        if self.more(machine):
            return WaitForOne(self)
        self.ended = True
        return EXHAUSTED

    def more(self, machine: Machine) -> bool:
        """Whether there is one more to wait for; then it is being waited for."""
        if not self.begun:
            self._begin(machine)
        if not self.left:
            return False
        self.left -= 1
        return True

    def _begin(self, machine: Machine) -> None:
        self.begun = self.ended = True
        given, self.given = self.given, None
        if isinstance(given, Future) or is_coroutine(given):
            msg = f"expect an iterable of futures, not {public_name(type(given))}"
            raise TypeError(msg)
        distinct = dict.fromkeys(iterate(given))
        self.todo = todo = dict.fromkeys(ensure_future(machine, each) for each in distinct)
        for each in todo:
            each.add_callback(machine, self)
        if todo and self.delay is not None:
            self.alarm = call_later(machine, in_seconds(self.delay), self)
        self.left = len(todo)
        self.ended = False

    def child_done(self, machine: Machine, child: Future) -> None:
        if not self.todo:
            return
        del self.todo[child]
        self.finished.put_nowait(machine, child)
        if not self.todo and self.alarm is not None:
            self.alarm.cancel(machine)

    def alarmed(self, machine: Machine) -> None:
        """Give up on what is not done."""
        for each in self.todo:
            each.remove_callback(self)
            self.finished.put_nowait(machine, None)
        self.todo = {}


class WaitForOne(Routine):
    """The next result of an ``as_completed``."""

    __slots__ = ("source",)

    def __init__(self, source: AsCompleted) -> None:
        Routine.__init__(self)
        self.source = source

    def begin(self, machine: Machine) -> Any:
        return until(machine, self, Get(self.source.finished), 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        if value is None:
            raise TimeoutError
        future: Future = value
        try:
            return future.result()
        except BaseException as error:
            # It is raised here anew: what its own task handled is no longer its context.
            chain(error, handled(self.caller))
            raise


class NextCompleted(Routine):
    """The next task of an ``as_completed`` that is done, for ``async for``: CPython has that since 3.13."""

    __slots__ = ("source",)

    def __init__(self, source: AsCompleted) -> None:
        Routine.__init__(self)
        self.source = source

    def begin(self, machine: Machine) -> Any:
        if not self.source.more(machine):
            raise StopAsyncIteration
        return until(machine, self, Get(self.source.finished), 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        if value is None:
            raise TimeoutError
        return value


@asyncio_function("as_completed")
def _as_completed(machine: Machine, fs: Any, *, timeout: Any = None) -> AsCompleted:
    return AsCompleted(_listed(fs), timeout)


register(AsCompleted, "generator", items=iter)
