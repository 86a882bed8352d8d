"""Tasks that belong together come in; one error for all of them, or none, goes out when all have ended."""

from __future__ import annotations

from asyncio.exceptions import CancelledError
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.awaiting import until
from waymark_worker.vm.names import register
from waymark_worker.vm.records import asyncio_class, method
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import DONE, PENDING, RAISED, Callback, Future, Task
from waymark_worker.vm.tasks import named_task, uncancelled

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

_BASE = (SystemExit, KeyboardInterrupt)


class TaskGroup(Callback):
    """``asyncio.TaskGroup``. Its tasks are cancelled in the order in which they were made, not by address."""

    __slots__ = (
        "aborting", "base_error", "entered", "errors", "exiting", "parent", "parent_cancelled", "tasks", "waiter",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entered = False
        self.exiting = False
        self.aborting = False
        self.parent: Task | None = None
        self.parent_cancelled = False
        self.tasks: dict[Task, None] = {}
        self.errors: list[BaseException] = []
        self.base_error: BaseException | None = None
        self.waiter: Future | None = None

    def __repr__(self) -> str:
        told = [f"tasks={len(self.tasks)}"] if self.tasks else []
        if self.errors:
            told.append(f"errors={len(self.errors)}")
        if self.aborting:
            told.append("cancelling")
        elif self.entered:
            told.append("entered")
        return f"<TaskGroup{' '.join(['', *told])}>"

    def enter(self, machine: Machine) -> TaskGroup:
        """Begin it in the running task."""
        if self.entered:
            msg = f"TaskGroup {self!r} has already been entered"
            raise RuntimeError(msg)
        self.parent = machine.task
        self.entered = True
        return self

    def abort(self, machine: Machine) -> None:
        """Cancel what still runs."""
        self.aborting = True
        for each in list(self.tasks):
            if each.state == PENDING:
                each.cancel(machine)

    def child_done(self, machine: Machine, child: Future) -> None:
        del self.tasks[child]  # type: ignore[arg-type] # it tells a group of tasks only
        waiter = self.waiter
        if waiter is not None and not self.tasks and waiter.state == PENDING:
            waiter.settle(machine, DONE, None)
        if child.state != RAISED:
            return
        self.errors.append(child.value)
        if isinstance(child.value, _BASE) and self.base_error is None:
            self.base_error = child.value
        parent = self.parent
        assert parent is not None
        if parent.state != PENDING:
            return
        if not self.aborting and not self.parent_cancelled:
            self.abort(machine)
            self.parent_cancelled = True
            parent.cancel(machine)


class LeaveGroup(Routine):
    """``__aexit__`` of a group: waits for its tasks. ``error`` ended the body."""

    __slots__ = ("cancellation", "error", "group")

    def __init__(self, group: TaskGroup, error: BaseException | None) -> None:
        Routine.__init__(self)
        self.group = group
        self.error = error
        self.cancellation: BaseException | None = None
        """What has to be raised if no task failed."""

    def begin(self, machine: Machine) -> Any:
        group, error = self.group, self.error
        group.exiting = True
        if isinstance(error, _BASE) and group.base_error is None:
            group.base_error = error
        self.cancellation = error if error.__class__ is CancelledError else None
        if group.parent_cancelled:
            assert group.parent is not None
            if uncancelled(group.parent) == 0:
                self.cancellation = None
        if error is not None and not group.aborting:
            group.abort(machine)
        return self._wait(machine)

    def _wait(self, machine: Machine) -> Any:
        group = self.group
        if not group.tasks:
            return self._end()
        group.waiter = Future()
        return until(machine, self, group.waiter, 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        self.group.waiter = None
        return self._wait(machine)

    def caught(self, machine: Machine, error: BaseException) -> Any:
        if not isinstance(error, CancelledError):
            raise error
        if not self.group.aborting:
            self.cancellation = error
            self.group.abort(machine)
        return self.resumed(machine, None)

    def _end(self) -> None:
        group, error = self.group, self.error
        if group.base_error is not None:
            raise group.base_error
        if self.cancellation is not None and not group.errors:
            raise self.cancellation
        errors = group.errors
        if error is not None and error.__class__ is not CancelledError:
            errors.append(error)
        if errors:
            group.errors = []
            together = BaseExceptionGroup("unhandled errors in a TaskGroup", errors)
            together.__suppress_context__ = True
            raise together


register(TaskGroup, "TaskGroup")


@asyncio_class("TaskGroup")
def _make_group(machine: Machine) -> TaskGroup:
    return TaskGroup()


@method(TaskGroup)
def _create_task(
    machine: Machine, self: TaskGroup, coro: Any, *, name: Any = None, context: Any = None
) -> Task:
    problem = ""
    if not self.entered:
        problem = "has not been entered"
    elif self.exiting and not self.tasks:
        problem = "is finished"
    elif self.aborting:
        problem = "is shutting down"
    if problem:
        msg = f"TaskGroup {self!r} {problem}"
        raise RuntimeError(msg)
    task = named_task(machine, coro, name, context)
    self.tasks[task] = None
    task.add_callback(machine, self)
    return task
