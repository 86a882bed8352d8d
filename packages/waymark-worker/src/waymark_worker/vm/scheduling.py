"""Futures, tasks and gathers as data: what completes them goes in, entries of the ready queue come out.

Hop for hop as CPython 3.12's asyncio. A callback is a record: a ``Task`` (wake it up), a ``Gather``
(count a child), ``STOP`` (the root task ended) or another ``Callback``. New ones may be added; these
keep their meaning.
"""

from __future__ import annotations

from asyncio.exceptions import CancelledError, InvalidStateError
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.effects import CancelCall, CancelTimer, StartCall, StartTimer
from waymark_worker.vm.limits import MAX_NESTED
from waymark_worker.vm.names import register

if TYPE_CHECKING:
    from decimal import Context

    from waymark_worker.vm.machine import Machine
    from waymark_worker.vm.state import AnyFrame

LONGEST_CHAIN = 1000
"""Tasks that wait for each other in a row; one more cannot be cancelled."""
STUCK = (
    "the workflow waits for a lock, an event, a queue or a task that nothing can wake any more: "
    "no action runs and no timer is set, so only a cancellation ends this wait"
)
PENDING, DONE, RAISED, CANCELLED = 0, 1, 2, 3


def too_many_cancelled() -> RecursionError:
    """Make the error of tasks that wait for each other in a circle, or in too long a row."""
    return RecursionError("maximum recursion depth exceeded")


class Stop:
    """Callback of the task that a run waits for: end the loop after this round."""

    __slots__ = ()


STOP = Stop()


class Callback:
    """A record that is told when a future is done."""

    __slots__ = ()

    def child_done(self, machine: Machine, child: Future) -> None:
        """React to ``child``, which is done."""
        raise NotImplementedError


class Future:
    """A result to come. ``effect`` is the call or timer that completes it, if one does."""

    __slots__ = ("callbacks", "cancel_message", "cancelled_error", "effect", "state", "value")

    def __init__(self, effect: StartCall | StartTimer | None = None) -> None:
        self.state = PENDING
        self.value: Any = None
        """The result, or the exception. A timer's result is here before it fires."""
        self.callbacks: list[Task | Gather | Stop | Callback] = []
        self.cancel_message: Any = None
        self.cancelled_error: BaseException | None = None
        self.effect = effect

    def settle(self, machine: Machine, state: int, value: Any) -> None:
        """Complete it and queue its callbacks."""
        if self.state != PENDING:
            msg = "invalid state"
            raise InvalidStateError(msg)
        self.state = state
        self.value = value
        if self.callbacks:
            ready = machine.ready
            for callback in self.callbacks:
                ready.append((callback, self))
            self.callbacks = []

    def cancel(self, machine: Machine, message: Any = None) -> bool:
        """Cancel it, and the call or timer behind it; False if it was done."""
        if self.state != PENDING:
            return False
        effect = self.effect
        if effect is not None:
            if effect.__class__ is StartCall:
                del machine.calls[effect.call]
                machine.effects.append(CancelCall(effect.call))
            else:
                del machine.timers[effect.timer]  # type: ignore[union-attr] # the only other kind
                machine.effects.append(CancelTimer(effect.timer))  # type: ignore[union-attr] # as above
        self.cancel_message = message
        self.settle(machine, CANCELLED, None)
        return True

    def take_cancelled_error(self) -> BaseException:
        """Make the error that whoever waits for a cancelled future is given."""
        error = self.cancelled_error
        if error is not None:
            self.cancelled_error = None
            return error
        return (
            CancelledError() if self.cancel_message is None else CancelledError(self.cancel_message)
        )

    def add_callback(self, machine: Machine, callback: Task | Gather | Stop | Callback) -> None:
        """Have ``callback`` queued when it is done, at once if it is."""
        if self.state != PENDING:
            machine.ready.append((callback, self))
        else:
            self.callbacks.append(callback)

    def remove_callback(self, callback: Callback) -> None:
        """Do not tell ``callback``, unless that is queued already."""
        self.callbacks = [each for each in self.callbacks if each is not callback]

    def result(self) -> Any:
        """What it was completed with; raises its error, CancelledError, or InvalidStateError."""
        if self.state == DONE:
            return self.value
        if self.state == PENDING:
            msg = "Result is not set."
            raise InvalidStateError(msg)
        raise self.value if self.state == RAISED else self.take_cancelled_error()


class Task(Future):
    """A coroutine that runs by itself. ``frame`` is the top of its stack while it is suspended.

    ``coroutine`` is what its first step awaits; None once that has begun.
    """

    __slots__ = (
        "cancels_requested",
        "coroutine",
        "decimal",
        "frame",
        "must_cancel",
        "name",
        "waiter",
    )

    def __init__(self, coroutine: Any) -> None:
        Future.__init__(self)
        self.coroutine = coroutine
        self.frame: AnyFrame | None = None
        self.waiter: Future | None = None
        self.decimal: Context | None = None
        """In which it calculates; None: in the one that nobody can change."""
        self.must_cancel = False
        self.cancels_requested = 0
        self.name: str | None = None
        """What the program called it; CPython's own names count the tasks of a process."""

    def cancel(self, machine: Machine, message: Any = None) -> bool:
        """Have ``CancelledError`` raised in it; False if it was done."""
        asked: list[Task] = []
        waiter: Future | None = self
        # Down the tasks that wait for tasks: not by recursion, a chain may be longer than the host's stack.
        while isinstance(waiter, Task) and waiter.state == PENDING:
            if len(asked) == LONGEST_CHAIN:
                raise too_many_cancelled()
            waiter.cancels_requested += 1
            asked.append(waiter)
            waiter = waiter.waiter
        ended = waiter is None or waiter.state != PENDING
        done = not ended and waiter.cancel(machine, message)  # type: ignore[union-attr] # not None then
        for task in reversed(asked):
            if done:
                break
            task.must_cancel = done = True
            task.cancel_message = message
        return done


class Gather(Future):
    """What ``asyncio.gather`` returns. ``children`` in the order of the arguments, duplicates repeated."""

    __slots__ = ("cancel_requested", "children", "expected", "finished", "return_exceptions")

    def __init__(self, children: list[Future], expected: int, *, return_exceptions: bool) -> None:
        Future.__init__(self)
        self.children = children
        self.expected = expected
        self.finished = 0
        self.return_exceptions = return_exceptions
        self.cancel_requested = False

    def cancel(self, machine: Machine, message: Any = None) -> bool:
        """Cancel the children; it ends itself when they have."""
        if self.state != PENDING:
            return False
        if machine.cancelling == MAX_NESTED:
            raise too_many_cancelled()
        machine.cancelling += 1
        try:
            asked = [child.cancel(machine, message) for child in self.children]
        finally:
            machine.cancelling -= 1
        if any(asked):
            self.cancel_requested = True
            return True
        return False

    def child_done(self, machine: Machine, child: Future) -> None:
        """Count a child that ended."""
        self.finished += 1
        if self.state != PENDING:
            return
        if not self.return_exceptions and child.state != DONE:
            error = child.value if child.state == RAISED else child.take_cancelled_error()
            self.settle(machine, RAISED, error)
        elif self.finished == self.expected:
            if self.cancel_requested:
                # That of the last argument, not of the child that ended last: CPython's own words.
                self.settle(machine, RAISED, self.children[-1].take_cancelled_error())
            else:
                self.settle(machine, DONE, [_outcome(each) for each in self.children])


def _outcome(child: Future) -> Any:
    if child.state == CANCELLED:
        return CancelledError("" if child.cancel_message is None else child.cancel_message)
    return child.value


def wait_for(machine: Machine, task: Task, future: Future) -> None:
    """Suspend ``task`` on a future that is not done."""
    future.callbacks.append(task)
    task.waiter = future
    if task.must_cancel and future.cancel(machine, task.cancel_message):
        task.must_cancel = False


def finish_task(machine: Machine, task: Task, value: Any) -> None:
    """End ``task`` with the value its coroutine returned."""
    task.frame = None
    del machine.tasks[task]
    if task.must_cancel:
        task.must_cancel = False
        task.settle(machine, CANCELLED, None)
    else:
        task.settle(machine, DONE, value)


def fail_task(machine: Machine, task: Task, error: BaseException) -> None:
    """End ``task`` with the exception that left its coroutine."""
    task.frame = None
    del machine.tasks[task]
    if isinstance(error, CancelledError):
        task.cancelled_error = error
        task.cancel_message = None
        task.settle(machine, CANCELLED, None)
    else:
        task.settle(machine, RAISED, error)


def tell(machine: Machine, callback: Any, future: Future | None) -> None:
    """Run a callback; as CPython's loop, go on if it fails: it can, when it cancels tasks in a circle."""
    try:
        callback.child_done(machine, future)
    except RecursionError as error:
        machine.log("error", f"Exception in callback: {error}")


def ask_to_end(machine: Machine, task: Task) -> None:
    """Cancel a task of which nobody waits for the answer."""
    try:
        task.cancel(machine)
    except RecursionError as error:
        machine.log("error", f"a task could not be cancelled: {error}")


register(Future, "_asyncio.Future")
register(Task, "_asyncio.Task")
register(Gather, "_GatheringFuture")
