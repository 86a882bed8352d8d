"""A context manager comes in; what entering or leaving it gives goes out, or a frame that will bring it is pushed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm import decimals
from waymark_worker.vm.awaiting import await_value
from waymark_worker.vm.callables import CallValue, Coroutine, FunctionValue, SleepValue
from waymark_worker.vm.calls import call_function
from waymark_worker.vm.contexts import TRACEBACK, NullContext, Suppress
from waymark_worker.vm.linked import Step
from waymark_worker.vm.members import refuse_uncompiled
from waymark_worker.vm.names import type_name
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import Future
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native
from waymark_worker.vm.steps import Place, makes

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]


@dataclass(frozen=True, slots=True)
class Protocol:
    """What ``with`` does with one kind of record.

    ``enter`` gives the ``as`` value, ``leave`` is told of the exception that ended the body (None: none)
    and gives something true to swallow it. Either may return ``PUSHED``: a frame, or for ``async with``
    a suspension of the task, will bring the value. What they raise keeps the context that it has.
    """

    enter: Callable[[Machine, Any], Any]
    leave: Callable[[Machine, Any, BaseException | None], Any]


SYNC: dict[type, Protocol] = {
    Suppress: Protocol(
        lambda _machine, _manager: None,
        lambda _machine, manager, error: error is not None and manager.swallows(error),
    ),
    decimals.LocalContext: Protocol(decimals.enter, decimals.leave),
    NullContext: Protocol(
        lambda _machine, manager: manager.result, lambda _machine, _manager, _error: None
    ),
}
"""Records that ``with`` takes."""
ASYNC: dict[type, Protocol] = {NullContext: SYNC[NullContext]}
"""Records that ``async with`` takes."""

_AWAITABLE = (CallValue, SleepValue, Coroutine, Future, Routine)


class AwaitWhat(NativeFrame):
    """Awaits what a compiled ``__aenter__`` or ``__aexit__`` returns."""

    __slots__ = ("awaited", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.awaited = False

    def resume(self, machine: Machine, value: Any) -> Any:
        if self.awaited:
            return value
        self.awaited = True
        return _await(machine, value, self.name)


def _await(machine: Machine, value: Any, name: str) -> Any:
    if not isinstance(value, _AWAITABLE):
        msg = (
            f"'async with' received an object from {name} that does not implement"
            f" __await__: {type_name(value)}"
        )
        raise TypeError(msg)
    return await_value(machine, value)


def enter(machine: Machine, manager: Any, *, asynchronous: bool) -> Any:
    """Enter ``manager``: the ``as`` value, or ``PUSHED``."""
    known = (ASYNC if asynchronous else SYNC).get(manager.__class__)
    if known is not None:
        return known.enter(machine, manager)
    return _compiled(machine, manager, 0, [manager], asynchronous=asynchronous)


def leave(
    machine: Machine, manager: Any, error: BaseException | None, *, asynchronous: bool
) -> Any:
    """Leave ``manager``: something true to swallow ``error``, or ``PUSHED``."""
    known = (ASYNC if asynchronous else SYNC).get(manager.__class__)
    if known is not None:
        return known.leave(machine, manager, error)
    told = [None, None, None] if error is None else [type(error), error, TRACEBACK]
    return _compiled(machine, manager, 1, [manager, *told], asynchronous=asynchronous)


_METHODS = {False: ("__enter__", "__exit__"), True: ("__aenter__", "__aexit__")}


def _compiled(
    machine: Machine, manager: Any, which: int, args: list[Any], *, asynchronous: bool
) -> Any:
    """Call the method of a class of the program."""
    found = _methods(machine, manager, asynchronous=asynchronous)[which]
    if not asynchronous:
        return call_function(machine, found, args, {})
    name, caller = _METHODS[True][which], machine.frame
    push_native(machine, AwaitWhat(name))
    made = call_function(machine, found, args, {})
    if made is PUSHED:
        return PUSHED
    machine.frame = caller
    return _await(machine, made, name)


def _methods(machine: Machine, manager: Any, *, asynchronous: bool) -> list[FunctionValue]:
    linked = machine.linked
    found: list[FunctionValue] = []
    for name in _METHODS[asynchronous]:
        refuse_uncompiled(linked, manager, name)
        how, function = linked.members.get((manager.__class__, name), ("", None))
        if function is None or how != "method":
            which = "asynchronous context manager" if asynchronous else "context manager"
            missed = f" (missed {name} method)" if found else ""
            msg = f"{type_name(manager)!r} object does not support the {which} protocol{missed}"
            raise TypeError(msg)
        found.append(function)
    return found


@makes(ir.Enter)
def _enter(node: ir.Enter, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    manager, dst, target, asynchronous = node.manager, node.dst, block.target, node.asynchronous

    def enter_(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        value = enter(m, s[manager], asynchronous=asynchronous)
        if value is PUSHED:
            return None
        s[dst] = value
        return target

    block.raises = enter_
    return enter_


@makes(ir.Leave)
def _leave(node: ir.Leave, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    manager, error, dst, asynchronous = node.manager, node.error, node.dst, node.asynchronous
    target = block.target

    def leave_(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        told = None if error < 0 else s[error]
        value = leave(m, s[manager], told, asynchronous=asynchronous)
        if value is PUSHED:
            return None
        s[dst] = value
        return target

    block.raises = leave_
    return leave_
