"""A workflow and its arguments come in; what plain CPython makes of them, every action parked, goes out."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import functools
import inspect
import io
import operator
import random
import sys
import warnings
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, is_dataclass
from types import FunctionType, ModuleType
from typing import Any

from pydantic import BaseModel

from tests.support.acting import act
from tests.support.logged import logging_to
from tests.support.observing import Observation, fault, normal
from tests.support.recording import Chance, PlainChance
from waymark.actions import DEFINITION
from waymark.coercion import codec
from waymark.registry import ActionDefinition
from waymark.workflows import Workflow
from waymark_schema.ir.policies import StoredPolicy, stored_policy
from waymark_worker.vm.ordered import OrderedSet

_LANGUAGE = "tests.language."
"""Modules of cases and of what they import; actions in their globals are replaced for a run."""


@dataclass(eq=False, slots=True)
class Parked:
    """A call that has started and whose outcome nobody has delivered yet."""

    key: str
    arguments: bytes
    policy: StoredPolicy | None
    outcome: asyncio.Future[tuple[bool, Any]]


class ParkingLoop:
    """CPython's event loop without a selector and with a clock of its own.

    Callbacks run in rounds as in ``BaseEventLoop._run_once``. When none is ready, one parked call is
    settled; with no call left the clock moves to the next timer. What asyncio asks of a loop beyond
    these few methods (sockets, signals, processes) a workflow cannot reach.
    """

    def __init__(self, *, seed: int | None, cancel_at: int | None = None) -> None:
        self.cancel_at = cancel_at
        """Before which outcome the run is cancelled, if it is: 0 is the first."""
        self.as_loop: Any = self
        self.clock = 0.0
        self.root: asyncio.Task[Any]
        self.parked: list[Parked] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._due: list[tuple[float, int, asyncio.TimerHandle]] = []
        """Timers without a delay: they run in the next round, behind what is ready by then."""
        self._timers_made = 0
        self._stopping = False
        self._random = random.Random(seed) if seed is not None else None
        self.settling: Callable[[], None] = lambda: None
        """Told before each outcome that is delivered."""

    # --- what asyncio asks of a loop ------------------------------------------------------------

    def time(self) -> float:
        return self.clock

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self.as_loop, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.clock + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self.as_loop, context)
        self._timers_made += 1
        timers = self._timers if when > self.clock else self._due
        timers.append((when, self._timers_made, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._timers = [timer for timer in self._timers if timer[2] is not handle]

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self.as_loop)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        options.pop("context", None)
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self.as_loop, **options)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep quiet about tasks whose exception nobody asked for: a program may leave some."""

    # --- running --------------------------------------------------------------------------------

    def run(self, main: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``main`` as ``asyncio.run`` does: to its end, then cancel and await what it left."""
        asyncio._set_running_loop(self.as_loop)
        try:
            root = self.root = self.create_task(main)
            self._run_until(root)
            left = [task for task in self.tasks if not task.done()]
            if left:
                for task in left:
                    task.cancel()
                self._run_until(asyncio.gather(*left, return_exceptions=True))
            return root
        finally:
            asyncio._set_running_loop(None)

    def _run_until(self, future: asyncio.Future[Any]) -> None:
        self._stopping = False
        future.add_done_callback(self._stop)
        while not self._stopping:
            self._ready.extend(timer[2] for timer in sorted(self._due, key=lambda each: each[:2]))
            self._due.clear()
            if not self._ready:
                self._settle_one()
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()

    def _stop(self, _future: asyncio.Future[Any]) -> None:
        self._stopping = True

    def _settle_one(self) -> None:
        self.settling()
        if self.cancel_at is not None:
            self.cancel_at -= 1
            if self.cancel_at < 0:
                self.cancel_at = None
                self.root.cancel()
                return
        self.parked = [call for call in self.parked if not call.outcome.done()]
        if self.parked:
            place = self._random.randrange(len(self.parked)) if self._random else 0
            call = self.parked.pop(place)
            outcome = act(call.key, call.arguments, call.policy)
            call.outcome.set_result((outcome.returned, codec().decode(outcome.wire)))
        elif self._timers:
            timer = min(self._timers, key=lambda each: each[:2])
            self._timers.remove(timer)
            self.clock = max(self.clock, timer[0])
            self._ready.append(timer[2])
        else:
            msg = "the workflow waits for something that can never happen"
            raise AssertionError(msg)


def _by_name(bound: inspect.BoundArguments) -> dict[str, Any]:
    """Arguments as a program passes them: defaults left out, variable ones always there."""
    variable: dict[Any, Any] = {
        inspect.Parameter.VAR_POSITIONAL: (),
        inspect.Parameter.VAR_KEYWORD: {},
    }
    return {
        name: bound.arguments.get(name, variable.get(parameter.kind))
        for name, parameter in bound.signature.parameters.items()
        if name in bound.arguments or parameter.kind in variable
    }


class _Calls:
    """The actions of one run, as CPython sees them: coroutine functions that park."""

    def __init__(self, loop: ParkingLoop, observation: Observation) -> None:
        self.loop = loop
        self.observation = observation
        self.policies: dict[int, StoredPolicy] = {}

    def parking(self, definition: ActionDefinition) -> Callable[..., Any]:
        """Stand in for an action: binds the arguments at the call, starts at the await."""

        @functools.wraps(definition.function)
        def call(*args: Any, **keywords: Any) -> Any:
            if definition.is_async:
                definition.function(*args, **keywords).close()  # raises CPython's own TypeError
            bound = definition.signature.bind(*args, **keywords)
            made: Any = self._park(definition, _by_name(bound), lambda: id(made))
            return made

        return call

    async def _park(
        self, definition: ActionDefinition, arguments: dict[str, Any], own: Callable[[], int]
    ) -> Any:
        wire = codec().encode(arguments)
        self.observation.trace.append((definition.name, normal(codec().decode(wire))))
        policy = self.policies.pop(own(), definition.policy)
        outcome = self.loop.create_future()
        self.loop.parked.append(Parked(definition.key, wire, policy, outcome))
        returned, value = await outcome
        if not returned:
            raise value
        return value

    def run_action(self) -> Callable[..., Any]:
        """Stand in for ``Workflow.run_action``: the policy belongs to the call that it is given."""
        policies = self.policies

        async def run_action(_self: Any, call: Any, **policy: Any) -> Any:
            if any(each is not None for each in policy.values()):
                policies[id(call)] = stored_policy(**policy)
            return await call

        return run_action


@contextlib.contextmanager
def _stand_ins(
    modules: list[ModuleType], workflow: type, calls: _Calls, chance: PlainChance
) -> Iterator[None]:
    copies: dict[int, Any] = {}
    """What a run has in the place of objects, by their ids: one copy, wherever an object stands."""
    with contextlib.ExitStack() as undone:

        def put(owner: Any, name: str, value: object) -> None:
            undone.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)

        everything = [(module, *item) for module in modules for item in vars(module).items()]
        for module, name, value in everything:
            definition = getattr(value, DEFINITION, None)
            if isinstance(definition, ActionDefinition):
                copies[id(value)] = calls.parking(definition)
            elif chance.for_value(value) is not value:
                copies[id(value)] = chance.for_value(value)
            if id(value) in copies:
                put(module, name, copies[id(value)])
        # A run captures its own copy; what one run changes must not reach the next.
        for owner, name, value in [
            *everything,
            *((workflow, *of) for of in vars(workflow).items()),
        ]:
            if _can_change(value) and not name.startswith("__"):
                put(owner, name, copy.deepcopy(value, copies))
            elif inspect.isfunction(value) and _has_defaults(value) and owner is not workflow:
                put(value, "__defaults__", copy.deepcopy(value.__defaults__, copies))
                put(value, "__kwdefaults__", copy.deepcopy(value.__kwdefaults__, copies))
        put(Workflow, "run_action", calls.run_action())
        yield


def _has_defaults(function: FunctionType) -> bool:
    return bool(function.__defaults__ or function.__kwdefaults__)


def _can_change(value: object) -> bool:
    """Whether something in a value of a module or class may change: no class, function or module."""
    containers = (list, dict, set, tuple, deque, functools.partial, operator.itemgetter)
    return isinstance(value, containers) or (
        not isinstance(value, type) and (is_dataclass(value) or isinstance(value, BaseModel))
    )


@contextlib.contextmanager
def _ordered_sets() -> Iterator[None]:
    """Give asyncio sets that keep their order, as the workflow's own do: its own go by addresses of tasks."""
    modules: list[Any] = [asyncio.tasks, asyncio.taskgroups]
    for module in modules:
        module.set = OrderedSet
    try:
        yield
    finally:
        for module in modules:
            del module.set


def _named_by(module: str) -> frozenset[str]:
    """Those of our modules whose functions, classes or selves a module names."""
    values = list(vars(sys.modules[module]).values())
    names = {
        value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        for value in values
    }
    return frozenset(
        name
        for name in names
        if isinstance(name, str) and name.startswith(_LANGUAGE) and name in sys.modules
    )


_named_by_ours = functools.cache(_named_by)


def _reached(module: str) -> list[str]:
    """A module and all of ours that code of it can come to."""
    found = {module, *_named_by(module)}
    new = list(found - {module})
    while new:
        further = _named_by_ours(new.pop()) - found
        found |= further
        new += further
    return sorted(found)


def run_in_cpython(
    workflow: Any,
    keywords: dict[str, Any],
    *,
    seed: int | None = None,
    cancel_at: int | None = None,
) -> Observation:
    """Run a workflow as plain Python and say what it showed.

    ``seed`` permutes the order of outcomes; before outcome number ``cancel_at`` the run is cancelled.
    """
    observation = Observation()
    loop = ParkingLoop(seed=seed, cancel_at=cancel_at)
    calls = _Calls(loop, observation)
    source = Chance()
    source.virtual = loop.time
    chance = PlainChance(source)
    loop.settling = chance.advanced
    modules = [sys.modules[name] for name in _reached(workflow.__module__)]
    given = codec().decode(codec().encode(keywords))
    written = inspect.unwrap(workflow.run)
    defaults = written.__defaults__
    written.__defaults__ = copy.deepcopy(defaults)
    output = io.StringIO()
    with (
        _ordered_sets(),
        _stand_ins(modules, workflow, calls, chance),
        contextlib.redirect_stdout(output),
        logging_to(output),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        root = contextvars.Context().run(loop.run, written(workflow(), **given))
    written.__defaults__ = defaults
    observation.printed = output.getvalue()
    if root.cancelled():
        observation.ending = "cancelled"
    elif (error := root.exception()) is not None:
        observation.ending = "raised"
        observation.value = fault(codec().decode(codec().encode_exception(error)))
    else:
        observation.ending = "returned"
        observation.value = normal(codec().decode(codec().encode(root.result())))
    return observation
