"""A generator and what is sent or thrown into it come in; its frame is pushed, or its answer goes out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm.iterators import (
    CREATED,
    EXHAUSTED,
    FINALIZE,
    NATIVES,
    RUNNING,
    Generator,
    pull,
)
from waymark_worker.vm.limits import MAX_DEPTH
from waymark_worker.vm.linked import Step
from waymark_worker.vm.methods import METHODS
from waymark_worker.vm.names import type_name
from waymark_worker.vm.nesting import Failed, current, run
from waymark_worker.vm.raising import Throwing, throw_value
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native, too_deep
from waymark_worker.vm.steps import Place, makes
from waymark_worker.vm.unwinding import FATAL, give, unwind

if TYPE_CHECKING:
    from waymark_worker.vm.async_generators import AsyncGenerator
    from waymark_worker.vm.machine import Machine

Slots = list[Any]
CLOSE_RETURNS = sys.version_info >= (3, 13)
"""Whether ``close()`` gives what the generator returned."""


def resume(machine: Machine, generator: Generator, value: Any) -> Any:
    """Send ``value`` into a generator that waits in a ``yield``: ``PUSHED``, or ``EXHAUSTED`` at its end."""
    if value is not None and generator.state == CREATED:
        msg = "can't send non-None value to a just-started generator"
        raise TypeError(msg)
    made = generator.produce(machine)
    if made is PUSHED and value is not None:
        frame: Any = machine.frame
        frame.slots[frame.at.dst] = value
    return made


def throw_into(
    machine: Machine, generator: Generator | AsyncGenerator, error: BaseException
) -> Any:
    """Raise ``error`` where a generator is suspended: ``PUSHED``, or it is raised here."""
    if generator.state == RUNNING:
        msg = "generator already executing"
        raise ValueError(msg)
    if generator.state == CREATED:
        generator.finish()  # it never ran, so nothing in it can handle this
    frame, caller = generator.frame, machine.frame
    if frame is None:
        raise error
    assert caller is not None
    frame.depth = caller.depth + 1
    if frame.depth > MAX_DEPTH:
        raise too_deep()
    generator.state = RUNNING
    frame.owner = generator
    frame.caller = caller
    machine.frame = frame
    unwind(machine, error, thrown=True)
    return PUSHED


class Sending(NativeFrame):
    """``generator.send(value)`` and ``generator.throw(error)``: the next item, or ``StopIteration``."""

    __slots__ = ()

    def resume(self, machine: Machine, value: Any) -> Any:
        return value

    def stop(self, machine: Machine) -> Any:
        raise stopped(machine.returned)


def stopped(result: Any) -> StopIteration:
    """Make the ``StopIteration`` of a generator that returned ``result``."""
    return StopIteration() if result is None else StopIteration(result)


class Closing(NativeFrame):
    """``generator.close()``; ``then`` is what is raised when it is closed, for ``yield from``."""

    __slots__ = ("then",)

    def __init__(self, then: BaseException | None) -> None:
        self.then = then

    def resume(self, machine: Machine, value: Any) -> Any:
        msg = "generator ignored GeneratorExit"
        raise RuntimeError(msg)

    def stop(self, machine: Machine) -> Any:
        if self.then is not None:
            raise self.then
        return machine.returned if CLOSE_RETURNS else None

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        if not isinstance(error, GeneratorExit | StopIteration):
            return error
        if self.then is not None:
            return self.then
        give(machine, self.caller, None)
        return None


def close(machine: Machine, generator: Generator, then: BaseException | None = None) -> Any:
    """Close a generator: its answer, ``PUSHED``, or ``then`` is raised."""
    if generator.frame is None or generator.state == CREATED:
        if generator.frame is not None:
            generator.finish()
        generator.buffer.clear()
        if then is not None:
            raise then
        return None
    push_native(machine, Closing(then))
    return throw_into(machine, generator, GeneratorExit())


def call_method(
    machine: Machine, generator: Generator, name: str, args: list[Any], keywords: dict[str, Any]
) -> Any:
    """Call ``send``, ``throw`` or ``close``."""
    if keywords:
        msg = f"generator.{name}() takes no keyword arguments"
        raise TypeError(msg)
    return _CALLS[name](machine, generator, args)


def _send(machine: Machine, generator: Generator, args: list[Any]) -> Any:
    if len(args) != 1:
        msg = f"generator.send() takes exactly one argument ({len(args)} given)"
        raise TypeError(msg)
    caller = machine.frame
    push_native(machine, Sending())
    made = resume(machine, generator, args[0])
    if made is PUSHED:
        return PUSHED
    machine.frame = caller
    raise stopped(None)


def _throw(machine: Machine, generator: Generator, args: list[Any]) -> Any:
    if len(args) != 1:
        what = f"generator.throw() with {len(args)} arguments"
        raise unsupported_operation(what, "give it one exception: `generator.throw(error)`")
    return throw_value(machine, args[0], ThrowingInto(generator))


class ThrowingInto(Throwing):
    """``throw`` of a plain generator."""

    __slots__ = ()

    def throw(self, machine: Machine, generator: Generator, error: BaseException) -> Any:
        push_native(machine, Sending())
        return throw_into(machine, generator, error)


def _close(machine: Machine, generator: Generator, args: list[Any]) -> Any:
    if args:
        msg = f"generator.close() takes no arguments ({len(args)} given)"
        raise TypeError(msg)
    return close(machine, generator)


_CALLS: dict[str, Callable[[Any, Generator, list[Any]], Any]] = {
    "send": _send,
    "throw": _throw,
    "close": _close,
}


def _by_frames(name: str) -> Callable[..., Any]:
    def refuse(*_args: Any, **_keywords: Any) -> Any:
        what = f"generator.{name} as the function that a builtin calls"
        raise unsupported_operation(what, f"write a lambda: `lambda x: generator.{name}(x)`")

    return refuse


METHODS[Generator] = {name: _by_frames(name) for name in _CALLS}


@makes(ir.Send)
def _send_step(node: ir.Send, place: Place) -> Step:
    block = place.block
    block.dst, block.target, block.done = node.dst, place.target(node.body), place.target(node.done)
    block.returns = True
    iterator, src, dst, body, done = node.iterator, node.src, node.dst, block.target, block.done

    def send(s: Slots, m: Machine) -> Any:
        source, value = s[iterator], s[src]
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        if value is None:
            item = pull(m, source)
        elif source.__class__ is Generator:
            item = resume(m, source, value)
        else:
            msg = f"{type_name(source)!r} object has no attribute 'send'"
            raise AttributeError(msg)
        if item is PUSHED:
            return None
        if item is EXHAUSTED:
            s[dst] = None
            return done
        s[dst] = item
        return body

    return send


@makes(ir.Throw)
def _throw_step(node: ir.Throw, place: Place) -> Step:
    block = place.block
    block.dst, block.target, block.done = node.dst, place.target(node.body), place.target(node.done)
    block.returns = True
    iterator, exc = node.iterator, node.exc

    def throw(s: Slots, m: Machine) -> None:
        source, error = s[iterator], s[exc]
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        if source.__class__ is not Generator:
            raise error
        if isinstance(error, GeneratorExit):
            close(m, source, error)
        else:
            throw_into(m, source, error)

    block.reraises = throw
    return throw


NATIVES["generator"] = lambda machine, what: call_method(machine, *what)


class _Collecting:
    """Whether the host's garbage collector runs: when it finds a cycle is nothing that a replay repeats."""

    def __init__(self) -> None:
        self.now = False
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _details: dict[str, int]) -> None:
        self.now = phase == "start"


_COLLECTING = _Collecting()


def finalize(generator: Generator) -> None:
    """Close a generator that was dropped while it is suspended inside ``try`` or ``with``, as CPython does.

    What is dropped because its machine is given up, or as part of a cycle, is not closed.
    """
    machine = dropped_by(generator)
    if machine is None:
        return
    kept = machine.fault, machine.returned, machine.carried
    try:
        run(machine, lambda: close(machine, generator))
    except Failed:
        pass  # as CPython, which tells standard error of it and goes on
    except FATAL as error:
        machine.doomed = error
    finally:
        machine.fault, machine.returned, machine.carried = kept


def dropped_by(generator: Generator | AsyncGenerator) -> Machine | None:
    """Give the machine whose code dropped a generator, if that is why it is dropped."""
    machine = current()
    frame = generator.frame
    if machine is None or machine.finished or _COLLECTING.now or frame is None:
        return None
    functions = machine.linked.functions
    number = frame.function.number
    own = number < len(functions) and functions[number] is frame.function
    return machine if own else None


FINALIZE.append(finalize)
