"""``async for``, ``anext`` and the methods of async generators: an iterator comes in, its next item goes out, sooner or later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm.async_generators import DROPPED, AsyncGenerator
from waymark_worker.vm.awaiting import await_value
from waymark_worker.vm.callables import FINISHED as DONE
from waymark_worker.vm.callables import FunctionValue
from waymark_worker.vm.calls import SPECIAL, call_function
from waymark_worker.vm.generators import dropped_by, throw_into
from waymark_worker.vm.iterators import CREATED, EXHAUSTED
from waymark_worker.vm.linked import Step
from waymark_worker.vm.managers import AwaitWhat
from waymark_worker.vm.names import type_name
from waymark_worker.vm.raising import Throwing, throw_value
from waymark_worker.vm.records import method
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native
from waymark_worker.vm.steps import Place, makes
from waymark_worker.vm.unwinding import give
from waymark_worker.vm.waiting import AsCompleted, NextCompleted

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]
_MISSING = EXHAUSTED


class AsyncItem(NativeFrame):
    """The next item for an ``async for``."""

    __slots__ = ()

    def resume(self, machine: Machine, value: Any) -> Any:
        return value

    def stop(self, machine: Machine) -> Any:
        return EXHAUSTED

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        if not isinstance(error, StopAsyncIteration):
            return error
        give(machine, self.caller, EXHAUSTED)
        return None


class AsyncStep(Routine):
    """``anext()``, ``asend()``, ``athrow()`` or ``aclose()`` of an async generator."""

    __slots__ = ("default", "generator", "how", "value")

    def __init__(
        self, generator: AsyncGenerator, how: str, value: Any = None, default: Any = _MISSING
    ) -> None:
        Routine.__init__(self)
        self.generator = generator
        self.how = how
        self.value = value
        self.default = default

    def begin(self, machine: Machine) -> Any:
        generator = self.generator
        if self.how == "aclose" and (generator.frame is None or generator.state == CREATED):
            if generator.frame is not None:
                generator.finish()
            return None
        if self.how in {"athrow", "aclose"}:
            return throw_into(machine, generator, self.value)
        if self.value is not None and generator.state == CREATED:
            msg = "can't send non-None value to a just-started async generator"
            raise TypeError(msg)
        made = generator.produce(machine)
        if made is not PUSHED:
            return self._ended()
        if self.value is not None:
            frame: Any = machine.frame
            frame.slots[frame.at.dst] = self.value
        return PUSHED

    def resumed(self, machine: Machine, value: Any) -> Any:
        if self.how == "aclose":
            msg = "async generator ignored GeneratorExit"
            raise RuntimeError(msg)
        return value

    def stop(self, machine: Machine) -> Any:
        self.state = DONE
        return self._ended()

    def caught(self, machine: Machine, error: BaseException) -> Any:
        if self.how == "aclose" and isinstance(error, GeneratorExit | StopAsyncIteration):
            return None
        raise error

    def _ended(self) -> Any:
        if self.how == "aclose":
            return None
        if self.default is not _MISSING:
            return self.default
        raise StopAsyncIteration


@method(AsyncGenerator)
def asend(machine: Machine, generator: AsyncGenerator, value: Any) -> AsyncStep:
    """Send a value into the ``yield`` where it waits."""
    return AsyncStep(generator, "asend", value)


@method(AsyncGenerator)
def athrow(machine: Machine, generator: AsyncGenerator, value: Any) -> Any:
    """Raise an exception where it waits."""
    return throw_value(machine, value, ThrowingLater(generator))


class ThrowingLater(Throwing):
    """``athrow`` of an async generator: the step that throws is awaited."""

    __slots__ = ()

    def throw(self, machine: Machine, generator: AsyncGenerator, error: BaseException) -> AsyncStep:
        return AsyncStep(generator, "athrow", error)


@method(AsyncGenerator)
def aclose(machine: Machine, generator: AsyncGenerator) -> AsyncStep:
    """End it where it waits."""
    return AsyncStep(generator, "aclose", GeneratorExit())


@method(AsyncGenerator, name="__anext__")
def following(machine: Machine, generator: AsyncGenerator) -> AsyncStep:
    """Give its next item."""
    return AsyncStep(generator, "anext")


def _anext(machine: Machine, callee: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    if keywords or not 1 <= len(args) <= 2:  # noqa: PLR2004 - the iterator and a default
        return anext(*args, **keywords)
    iterator = args[0]
    if isinstance(iterator, AsyncGenerator):
        return AsyncStep(iterator, "anext", None, *args[1:])
    if isinstance(iterator, AsCompleted) and len(args) == 1:
        return NextCompleted(iterator)
    found = _special(machine, iterator, "__anext__")
    if found is None:
        msg = f"{type_name(iterator)!r} object is not an async iterator"
        raise TypeError(msg)
    if len(args) == 1:
        return call_function(machine, found, [iterator], {})
    what = "anext() with a default for a class of your own"
    raise unsupported_operation(what, "catch StopAsyncIteration")


def _aiter(machine: Machine, callee: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    if keywords or len(args) != 1:
        return aiter(*args, **keywords)
    if isinstance(args[0], AsyncGenerator | AsCompleted):
        return args[0]
    found = _special(machine, args[0], "__aiter__")
    if found is None:
        msg = f"{type_name(args[0])!r} object is not an async iterable"
        raise TypeError(msg)
    return call_function(machine, found, [args[0]], {})


SPECIAL["anext"] = _anext
SPECIAL["aiter"] = _aiter


def _special(machine: Machine, value: Any, name: str) -> FunctionValue | None:
    how, function = machine.linked.members.get((value.__class__, name), ("", None))
    return function if how == "method" else None


def _iterate(machine: Machine, value: Any) -> Any:
    if value.__class__ in (AsyncGenerator, AsCompleted):
        return value
    found = _special(machine, value, "__aiter__")
    if found is None:
        msg = f"'async for' requires an object with __aiter__ method, got {type_name(value)}"
        raise TypeError(msg)
    return call_function(machine, found, [value], {})


def _next(machine: Machine, iterator: Any) -> Any:
    caller = machine.frame
    if iterator.__class__ is AsyncGenerator:
        push_native(machine, AsyncItem())
        made = iterator.produce(machine)
    elif iterator.__class__ is AsCompleted:
        push_native(machine, AsyncItem())
        made = await_value(machine, NextCompleted(iterator))
    else:
        found = _special(machine, iterator, "__anext__")
        if found is None:
            msg = f"'async for' received an object from __aiter__ that does not implement __anext__: {type_name(iterator)}"
            raise TypeError(msg)
        push_native(machine, AsyncItem())
        push_native(machine, AwaitWhat("__anext__"))
        awaitable = call_function(machine, found, [iterator], {})
        if awaitable is PUSHED:
            return PUSHED
        item: Any = machine.frame
        machine.frame = item.caller
        made = await_value(machine, awaitable)
    if made is not PUSHED:
        machine.frame = caller
    return made


def _refuse(generator: AsyncGenerator) -> None:
    """CPython's loop would close it in a task of its own; that is not done here, and must not go unnoticed."""
    machine = dropped_by(generator)
    if machine is not None:
        what = "leaving an async generator before its end while it waits inside `try` or `with`"
        machine.doomed = unsupported_operation(
            what, "keep it in a variable and `await generator.aclose()` in a `finally`"
        )


DROPPED.append(_refuse)


@makes(ir.AsyncIterate)
def _async_iterate(node: ir.AsyncIterate, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    src, dst, target = node.src, node.dst, block.target

    def async_iterate(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        value = _iterate(m, s[src])
        if value is PUSHED:
            return None
        s[dst] = value
        return target

    return async_iterate


@makes(ir.AsyncNext)
def _async_next(node: ir.AsyncNext, place: Place) -> Step:
    block = place.block
    block.dst, block.target, block.done = node.dst, place.target(node.body), place.target(node.done)
    src, dst, body, done = node.src, node.dst, block.target, block.done

    def async_next(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        item = _next(m, s[src])
        if item is PUSHED:
            return None
        if item is EXHAUSTED:
            return done
        s[dst] = item
        return body

    block.raises = async_next
    return async_next
