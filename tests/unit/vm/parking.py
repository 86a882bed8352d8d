"""A workflow class and a script of outcomes come in; what CPython and what the machine made of them goes out."""

from __future__ import annotations

import asyncio
import copy
import inspect
import random
import selectors
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.wellformed import load
from waymark_worker.vm.effects import (
    CancelCall,
    Cancelled,
    Complete,
    Effect,
    Fail,
    Log,
    StartCall,
    StartTimer,
)
from waymark_worker.vm.entries import CallRaised, CallReturned, CancelRequested, Entry, TimerFired
from waymark_worker.vm.link import link_program
from waymark_worker.vm.linked import LinkedProgram
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine

Outcome = Callable[..., Any]
"""Gets the arguments of the call by name; returns its value or raises its error."""


@dataclass(frozen=True)
class Ending:
    """How a run ended, in words that both sides can be compared by."""

    how: str
    value: Any
    """The result; of an exception its type, text, notes, and those of its cause and contexts."""
    trace: list[tuple[str, Any]]
    """Logical calls in the order in which they started: name and arguments."""


def described(error: BaseException | None) -> Any:
    if error is None:
        return None
    return (
        type(error).__name__,
        str(error),
        list(getattr(error, "__notes__", [])),
        described(error.__cause__),
        described(error.__context__),
        error.__suppress_context__,
    )


# --- CPython on a loop that parks ---------------------------------------------------------------


class _ParkingSelector(selectors.SelectSelector):
    """Settles one parked call whenever the loop has nothing to do; without one it moves the clock."""

    def __init__(self, parked: Parked) -> None:
        super().__init__()
        self.parked = parked

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout > 0:
            self.parked.idle(timeout)
        return []


class Parked:
    """Actions of a module, replaced by functions that park, and the clock of the loop they park on."""

    def __init__(self, outcomes: dict[str, Outcome], cancel_after: int, seed: int) -> None:
        self.chance = random.Random(seed) if seed >= 0 else None
        self.outcomes = outcomes
        self.cancel_after = cancel_after
        self.now = 0.0
        self.waiting: list[tuple[str, dict[str, Any], asyncio.Future[Any]]] = []
        self.trace: list[tuple[str, Any]] = []
        self.settled = 0
        self.root: asyncio.Task[Any] | None = None

    def action(
        self, name: str, function: Callable[..., Any]
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        signature = inspect.signature(function)

        async def park(given: dict[str, Any]) -> Any:
            arguments = copy.deepcopy(given)
            future = asyncio.get_running_loop().create_future()
            self.trace.append((name, arguments))
            entry = (name, arguments, future)
            self.waiting.append(entry)
            try:
                return await future
            finally:
                if entry in self.waiting:
                    self.waiting.remove(entry)

        def call(*args: Any, **keywords: Any) -> Coroutine[Any, Any, Any]:
            function(*args, **keywords).close()  # refuses what does not fit in its own words
            return park(dict(signature.bind(*args, **keywords).arguments))

        return call

    def idle(self, timeout: float | None) -> None:
        if self.settled == self.cancel_after and self.root is not None:
            self.cancel_after = -1
            self.root.cancel()
        elif self.waiting:
            place = self.chance.randrange(len(self.waiting)) if self.chance else 0
            name, arguments, future = self.waiting.pop(place)
            self.settled += 1
            try:
                future.set_result(self.outcomes[name](**arguments))
            except Exception as error:  # noqa: BLE001 - whatever the script raises
                error.__traceback__ = None
                future.set_exception(error)
        elif timeout is not None:
            self.settled += 1
            self.now += timeout
        else:
            raise AssertionError("the workflow waits for nothing")


def on_cpython(
    workflow: Any,
    inputs: dict[str, Any],
    outcomes: dict[str, Outcome],
    cancel_after: int = -1,
    *,
    seed: int = -1,
) -> Ending:
    """Run the class as plain Python; ``seed`` picks the call that settles, the oldest one without it."""
    parked = Parked(outcomes, cancel_after, seed)
    module = sys.modules[workflow.__module__]
    replaced = {name: getattr(module, name) for name in outcomes}
    loop = asyncio.SelectorEventLoop(_ParkingSelector(parked))
    loop.time = lambda: parked.now  # type: ignore[method-assign] # the clock is ours

    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        for name, function in replaced.items():
            setattr(module, name, parked.action(name, function))
        return _ending(loop, parked, inspect.unwrap(workflow.run)(workflow(), **inputs))
    finally:
        loop.close()
        for name, function in replaced.items():
            setattr(module, name, function)


def _ending(
    loop: asyncio.AbstractEventLoop, parked: Parked, main: Coroutine[Any, Any, Any]
) -> Ending:
    """Do as ``asyncio.run``, but what is left over is cancelled oldest first and not in the order of a set."""
    made: list[asyncio.Task[Any]] = []

    def factory(
        loop: asyncio.AbstractEventLoop, coroutine: Any, **keywords: Any
    ) -> asyncio.Task[Any]:
        made.append(asyncio.Task(coroutine, loop=loop, **keywords))
        return made[-1]

    loop.set_task_factory(factory)
    parked.root = loop.create_task(main)
    try:
        ending = Ending("completed", loop.run_until_complete(parked.root), parked.trace)
    except asyncio.CancelledError as error:
        ending = Ending("cancelled", described(error)[:2], parked.trace)
    except BaseException as error:  # noqa: BLE001 - whatever the workflow raises
        ending = Ending("failed", described(error), parked.trace)
    left = [task for task in made if not task.done()]
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    return ending


# --- the machine --------------------------------------------------------------------------------


class Driver:
    """Feeds a machine as the parking loop feeds CPython; with ``crash`` it is rebuilt after every advance."""

    def __init__(
        self, linked: LinkedProgram, inputs: dict[str, Any], *, crash: str = "", seed: int = -1
    ) -> None:
        self.linked = linked
        self.chance = random.Random(seed) if seed >= 0 else None
        self.crash = crash
        self.start = (linked.codec.encode(inputs), linked.codec.encode({}))
        self.machine = self._fresh()
        self.entries: list[Entry | None] = []
        self.effects: list[Effect] = []
        self.trace: list[tuple[str, Any]] = []
        self.calls: dict[int, StartCall] = {}
        self.timers: dict[int, float] = {}
        self.now = 0.0
        self.log: list[str] = []

    def _fresh(self) -> Machine:
        return Machine.start(self.linked, inputs=self.start[0], attributes=self.start[1])

    def feed(self, entry: Entry | None) -> list[Effect]:
        effects = self.machine.advance(entry, FreshLocals())
        self.entries.append(entry)
        self.effects += effects
        for effect in effects:
            self._note(effect)
        if not self.machine.finished:
            self._crash()
        return effects

    def _crash(self) -> None:
        if self.crash == "snapshot" and self.machine.idle:
            stored = self.machine.snapshot()
            self.machine = Machine.restore(self.linked, stored)
            assert self.machine.snapshot() == stored
        elif self.crash == "replay":
            self.machine = self._fresh()
            again = [
                effect
                for entry in self.entries
                for effect in self.machine.advance(entry, FreshLocals(), replay=True)
            ]
            assert again == self.effects
        if self.crash:
            assert self.machine.pending_calls == self.calls
            assert self.machine.pending_timers.keys() == self.timers.keys()

    def _note(self, effect: Effect) -> None:
        if isinstance(effect, StartCall):
            self.calls[effect.call] = effect
            self.trace.append(
                (effect.action.partition(":")[2], self.linked.codec.decode(effect.arguments))
            )
        elif isinstance(effect, CancelCall):
            del self.calls[effect.call]
        elif isinstance(effect, StartTimer):
            self.timers[effect.timer] = self.now + effect.seconds
        elif isinstance(effect, Log):
            self.log.append(effect.text)
        elif hasattr(effect, "timer"):
            del self.timers[effect.timer]

    def next_entry(self, outcomes: dict[str, Outcome]) -> Entry:
        """One open call settles; without one the earliest timer fires."""
        if self.calls:
            number = list(self.calls)[self.chance.randrange(len(self.calls)) if self.chance else 0]
            start = self.calls.pop(number)
            arguments = self.linked.codec.decode(start.arguments)
            try:
                value = outcomes[start.action.partition(":")[2]](**arguments)
            except Exception as error:  # noqa: BLE001 - whatever the script raises
                error.__traceback__ = None
                return CallRaised(number, self.linked.codec.encode_exception(error))
            return CallReturned(number, self.linked.codec.encode(value))
        if not self.timers:
            raise AssertionError("the workflow waits for nothing")
        timer = min(self.timers, key=self.timers.__getitem__)
        self.now = self.timers.pop(timer)
        return TimerFired(timer)

    def ending(self, effect: Effect) -> Ending:
        decode = self.linked.codec.decode
        if isinstance(effect, Complete):
            return Ending("completed", decode(effect.result), self.trace)
        if isinstance(effect, Fail):
            return Ending("failed", described(decode(effect.error)), self.trace)
        assert isinstance(effect, Cancelled)
        return Ending(
            "cancelled", described(decode(effect.error))[:2] if effect.error else None, self.trace
        )


def linked_form(workflow: Any) -> LinkedProgram:
    """Compile, check and link a workflow class."""
    compiled = compile_workflow(workflow)
    return link_program(load(compiled.program_bytes), compiled.digest)


def on_machine(
    workflow: Any,
    inputs: dict[str, Any],
    outcomes: dict[str, Outcome],
    cancel_after: int = -1,
    *,
    crash: str = "",
    seed: int = -1,
) -> Ending:
    """Run the class compiled."""
    driver = Driver(linked_form(workflow), inputs, crash=crash, seed=seed)
    effects = driver.feed(None)
    settled = 0
    while not driver.machine.finished:
        if settled == cancel_after:
            cancel_after = -1
            effects = driver.feed(CancelRequested())
            continue
        settled += 1
        effects = driver.feed(driver.next_entry(outcomes))
    return driver.ending(effects[-1])
