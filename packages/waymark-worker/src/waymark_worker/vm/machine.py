"""A linked program and journal entries come in; effects, in order, go out."""

from __future__ import annotations

from asyncio.exceptions import CancelledError
from collections import deque
from decimal import setcontext
from operator import itemgetter
from typing import Any

from waymark_schema.failures import SerializationError
from waymark_schema.values.errors import MalformedValue
from waymark_worker.vm.awaiting import await_value, close, create_task, gather
from waymark_worker.vm.callables import (
    Coroutine,
    WorkflowObject,
)
from waymark_worker.vm.decimals import PRISTINE
from waymark_worker.vm.effects import (
    Cancelled,
    Effect,
    Log,
    StartCall,
    StartTimer,
)
from waymark_worker.vm.endings import broken, ending_of, failed, last_effects
from waymark_worker.vm.entries import CallRaised, CallReturned, CancelRequested, Entry, TimerFired
from waymark_worker.vm.faults import Trails
from waymark_worker.vm.grafting import graft
from waymark_worker.vm.growth import measured
from waymark_worker.vm.interpreter import execute, resume
from waymark_worker.vm.limits import CHUNK, DEFAULT_BUDGET, HOP
from waymark_worker.vm.linked import LinkedProgram
from waymark_worker.vm.local import FreshLocals, LocalSource, Recording
from waymark_worker.vm.meter import METER
from waymark_worker.vm.nesting import advanced, advancing
from waymark_worker.vm.scheduling import (
    DONE,
    RAISED,
    STOP,
    STUCK,
    Callback,
    Future,
    Task,
    ask_to_end,
    fail_task,
    finish_task,
    tell,
)
from waymark_worker.vm.snapshot import read_snapshot, write_snapshot
from waymark_worker.vm.starting import first_frame
from waymark_worker.vm.state import PUSHED, AnyFrame
from waymark_worker.vm.unwinding import FATAL, adopt, chain, handled, throw, unwind
from waymark_worker.vm.weights import charge_encoding

RUNNING, ENDING, FINISHED_RUN = 0, 1, 2
_seconds = itemgetter(0)
_NOBODY = Recording(FreshLocals())


class Machine:
    """One instance: ``start`` it, ``advance`` it with one entry after the other until ``finished``."""

    __slots__ = (
        "calls", "cancel_asked", "cancelling", "carried", "clock", "decimals", "doomed", "due", "effects", "fault", "frame", "fuel", "globals", "grown", "inline", "linked", "local",
        "next_call", "next_timer", "phase", "ready", "returned", "root", "round", "runs", "stopping", "task", "tasks", "thrown", "timers", "trails",
    )  # fmt: skip

    def __init__(self, linked: LinkedProgram) -> None:  # noqa: PLR0915 - its fields, one by one
        self.linked = linked
        self.frame: AnyFrame | None = None
        """Top of the running task's stack; None between tasks."""
        self.task: Task | None = None
        self.root: Task
        self.ready: deque[tuple[Any, Future | None]] = deque()
        """Callbacks with the futures that they are told of; a task without one takes its first step."""
        self.due: list[tuple[float, Callback]] = []
        """Alarms without a delay: they ring behind what is queued for the next turn of the loop."""
        self.clock: float | None = None
        """Time of the loop in this advance, if it was asked for: then it is recorded."""
        self.round = 0
        """Entries of the ready queue that belong to the current turn of the loop."""
        self.stopping = False
        self.phase = RUNNING
        self.tasks: dict[Task, None] = {}
        """Tasks that have not ended, oldest first."""
        self.calls: dict[int, Future] = {}
        self.timers: dict[int, Future] = {}
        self.next_call = self.next_timer = 0
        self.inline: tuple[Future, Task | None, AnyFrame | None, list[Any]] | None = None
        """The inline step for which everything stands still, the stack that waits for it, and its arguments."""
        self.fault: BaseException | None = None
        """The exception on its way into a handler block."""
        self.trails = Trails()
        self.returned: Any = None
        """What the generator returned that has just ended."""
        self.runs = 0
        """Runs of compiled code from inside host code, one inside the other."""
        self.thrown: set[AnyFrame] = set()
        """Frames that were suspended as the running step threw an exception into its task."""
        self.doomed: BaseException | None = None
        """What ended the instance while a generator was closed because nothing referred to it."""
        self.carried: BaseException | None = None
        """What compiled code raised that host code ran: it has its context already."""
        self.globals: dict[int, Any] = {}
        self.cancel_asked = False
        self.cancelling = 0
        """Gathers inside one another that are being cancelled."""
        self.effects: list[Effect] = []
        self.decimals = False
        """Whether a task calculates in a decimal context of its own."""
        self.fuel = CHUNK
        self.local = _NOBODY
        self.grown = 0
        """Units of work since the state was last measured: so much it may have grown."""

    @classmethod
    def start(cls, linked: LinkedProgram, *, inputs: bytes, attributes: bytes) -> Machine:
        """Make the machine of a new instance; nothing runs before the first ``advance``.

        ``inputs`` is the durable dict of the bound arguments of ``run()`` by name, ``attributes`` that of
        ``vars(self)``. Raises ``MalformedValue`` if they do not fit the program.
        """
        machine = cls(linked)
        shared = {name: linked.value(wire) for name, wire in linked.program.attributes.items()}
        with advanced(machine):
            owned = machine.decode(attributes)
            given = machine.decode(inputs)
        if not isinstance(owned, dict) or not isinstance(given, dict):
            msg = "inputs and attributes of an instance are two dicts; something else is stored"
            raise MalformedValue(msg)
        name = linked.program.class_name or linked.program.workflow
        workflow = WorkflowObject(name, owned, shared)
        machine.root = create_task(machine, Coroutine(first_frame(linked, workflow, given)))
        machine.root.callbacks.append(STOP)
        return machine

    @classmethod
    def restore(cls, linked: LinkedProgram, snapshot: bytes) -> Machine:
        """Make the machine that ``snapshot`` was taken of. Raises ``SnapshotUnreadable``."""
        machine = cls(linked)
        with advanced(machine):
            read_snapshot(machine, snapshot)
        return machine

    def snapshot(self) -> bytes:
        """Everything that ``restore`` needs. Raises RuntimeError while the machine is not ``idle``."""
        return write_snapshot(self)

    @property
    def finished(self) -> bool:
        """Whether a terminal effect was returned: nothing will happen any more."""
        return self.phase == FINISHED_RUN

    @property
    def idle(self) -> bool:
        """Whether it only waits for entries."""
        return not self.ready and self.frame is None and self.inline is None

    @property
    def pending_calls(self) -> dict[int, StartCall]:
        """Calls without an outcome, as they were asked for, by number."""
        return {
            number: future.effect
            for number, future in self.calls.items()
            if isinstance(future.effect, StartCall)
        }

    @property
    def pending_timers(self) -> dict[int, StartTimer]:
        """Timers that have not fired, as they were asked for, by number."""
        return {
            number: future.effect
            for number, future in self.timers.items()
            if isinstance(future.effect, StartTimer)
        }

    def advance(
        self,
        entry: Entry | None,
        local: LocalSource,
        *,
        replay: bool = False,
        budget: int = DEFAULT_BUDGET,
    ) -> list[Effect]:
        """Apply one entry (None: the first advance), run until nothing is ready, return what is asked for.

        ``replay``: budgets are not enforced; the work was within them when it was done first.
        Raises ``MalformedValue`` for an outcome whose bytes are no value; the machine is unchanged then. Raises
        ``RuntimeError`` for a defect of the machine itself, which must not be advanced any further.
        """
        if self.phase == FINISHED_RUN:
            return []
        self.effects = effects = list[Effect]()
        self.local = Recording(local)
        self.clock = None
        before = advancing(self)
        METER.start(None if replay else budget, text=self.linked.codec.max_bytes)
        self.fuel = CHUNK
        self.trails.forget()
        try:
            if entry is not None:
                self._apply(entry)
            self._drain()
            self.grown = measured(self, self.grown)
        except FATAL as error:
            error.__traceback__ = None
            self._end(failed(self, error), drop_starts=True)
        except MalformedValue:
            raise
        except Exception as error:
            raise broken(error) from error
        finally:
            self.local = _NOBODY
            advancing(before)
            if self.decimals:
                setcontext(PRISTINE)
        return self.effects if self.phase == FINISHED_RUN else effects

    # --- what builtins and instructions ask of their machine -----------------------------------

    def log(self, level: str, text: str) -> None:
        """Put a line into the run's log."""
        self.effects.append(Log(level, text))

    def encode(self, value: Any) -> bytes:
        """Durable wire form of ``value``; raises ``SerializationError`` (the workflow can catch it)."""
        charge_encoding(value)
        try:
            return self.linked.codec.encode(value)
        except SerializationError as error:
            refused = error
        # Without what the host chained to it: that is nothing of the program's.
        raise SerializationError(str(refused), path=refused.path, type_name=refused.type_name)

    def decode(self, wire: bytes) -> Any:
        """Value of a wire form; raises ``MalformedValue``."""
        return self.linked.codec.decode(wire)

    def global_value(self, index: int) -> Any:
        """Captured value number ``index``: this instance's own copy, made once."""
        if index not in self.globals:
            self.globals[index] = self.decode(self.linked.program.globals[index])
        return self.globals[index]

    # --- entries -------------------------------------------------------------------------------

    def _apply(self, entry: Entry) -> None:
        kind = entry.__class__
        if kind is CallReturned or kind is CallRaised:
            self._settle(entry)
        elif kind is TimerFired:
            future = self.timers.pop(entry.timer, None)  # type: ignore[union-attr] # by its class
            if future is not None:
                future.effect = None
                future.settle(self, DONE, future.value)
        elif kind is CancelRequested:
            self._cancel(force=entry.force)  # type: ignore[union-attr] # by its class
        else:
            msg = f"a machine cannot be fed {entry!r}; expected one of the entries of vm.entries"
            raise TypeError(msg)

    def _settle(self, entry: Any) -> None:
        future = self.calls.get(entry.call)
        if future is None:
            return  # cancelled meanwhile: nobody waits for it
        returned = entry.__class__ is CallReturned
        METER.charge(len(entry.value if returned else entry.error) >> 3)
        value = self.decode(entry.value if returned else entry.error)
        if not returned and not isinstance(value, BaseException):
            msg = f"the error of call {entry.call} is {value!r:.100}; expected an exception"
            raise MalformedValue(msg)
        del self.calls[entry.call]
        future.effect = None
        if self.inline is not None and self.inline[0] is future:
            self._resume_inline(value, returned=returned)
        else:
            if not returned:
                self._place(value, future)
            future.settle(self, DONE if returned else RAISED, value)

    def _place(self, error: BaseException, future: Future) -> None:
        """An action raises inside of whoever awaits it: what that handles, at any depth, is the context.

        Under semantics 1 only the innermost coroutine was asked.
        """
        if self.linked.program.semantics > 1:
            for waiter in future.callbacks:
                if waiter.__class__ is Task:
                    chain(error, handled(waiter.frame))

    def _resume_inline(self, value: Any, *, returned: bool) -> None:
        assert self.inline is not None
        _, self.task, self.frame, given = self.inline
        self.inline = None
        if self.decimals and self.task is not None:
            setcontext(self.task.decimal or PRISTINE)
        if returned:
            resume(self, graft(given, value))
        else:
            adopt(value, handled(self.frame))
            unwind(self, value)
        if self.frame is not None:
            execute(self)
        if self.doomed is not None:
            raise self.doomed

    def _cancel(self, *, force: bool) -> None:
        if force:
            self._end(Cancelled(None), drop_starts=True)
        elif not self.cancel_asked:
            self.cancel_asked = True
            ask_to_end(self, self.root)

    # --- the loop ------------------------------------------------------------------------------

    def _drain(self) -> None:
        ready = self.ready
        while self.inline is None and self.phase != FINISHED_RUN:
            if self.round == 0:
                if self.stopping:
                    self._stopped()
                    continue
                if self.due:
                    ready.extend((each[1], None) for each in sorted(self.due, key=_seconds))
                    self.due = []
                if not ready:
                    if not self.calls and not self.timers:
                        self.log("warning", STUCK)
                    return
                self.round = len(ready)
            self.round -= 1
            self.fuel -= HOP
            callback, future = ready.popleft()
            if callback.__class__ is Task:
                self._step(callback, future)
            elif callback is STOP:
                self.stopping = True
            else:
                tell(self, callback, future)

    def _step(self, task: Task, future: Future | None) -> None:
        error: BaseException | None = None
        if future is not None and future.state != DONE:
            error = future.value if future.state == RAISED else future.take_cancelled_error()
        if task.must_cancel:
            if not isinstance(error, CancelledError):
                error = task.take_cancelled_error()
            task.must_cancel = False
        task.waiter = None
        self.thrown = set()
        self.task = task
        if self.decimals:
            setcontext(task.decimal or PRISTINE)
        coroutine = task.coroutine
        if coroutine is not None:
            task.coroutine = None
            self._begin(task, coroutine, error)
            coroutine = None
        elif error is not None:
            # From here on only the machine refers to the stack: what ends in it is let go of there and then.
            self.frame, task.frame = task.frame, None
            throw(self, error, acted=future.__class__ is Future and error is future.value)
        else:
            self.frame, task.frame = task.frame, None
            resume(self, None if future is None else future.value)
        if self.frame is not None:
            execute(self)
        self.task = None
        if self.doomed is not None:
            raise self.doomed

    def _begin(self, task: Task, coroutine: Any, error: BaseException | None) -> None:
        """Take the first step of a task: its coroutine may be a call or a sleep, which have no frame."""
        self.frame = None
        if error is not None:
            fail_task(self, task, close(coroutine, error))
            return
        try:
            value = await_value(self, coroutine)
        except FATAL:
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it ends the task
            raised.__traceback__ = None
            fail_task(self, task, raised)
        else:
            if value is not PUSHED:
                finish_task(self, task, value)

    def _stopped(self) -> None:
        """The task that the loop ran for has ended: cancel what is left, then finish."""
        self.stopping = False
        left = list(self.tasks)
        if self.phase == RUNNING and left:
            self.phase = ENDING
            for task in left:
                ask_to_end(self, task)
            gather(self, left, return_exceptions=True).callbacks.append(STOP)
            return
        self._end(ending_of(self))

    def _end(self, ending: Effect, *, drop_starts: bool = False) -> None:
        """Finish with a terminal effect; calls and timers that nobody waits for any more are cancelled."""
        self.effects = last_effects(
            self.effects, self.calls, self.timers, ending, drop_starts=drop_starts
        )
        self.phase = FINISHED_RUN
        self.frame = self.task = None
        self.ready.clear()
        self.round = 0
        self.calls.clear()
        self.timers.clear()
        self.tasks.clear()
        self.inline = None
