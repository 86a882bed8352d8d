"""A generator function under ``@contextmanager`` comes in; managers whose halves are what stands around its ``yield`` go out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.async_generators import AsyncGenerator
from waymark_worker.vm.calls import CALLERS, call
from waymark_worker.vm.contexts import AsyncGeneratorManager, GeneratorManager, ManagerFunction
from waymark_worker.vm.generators import stopped, throw_into
from waymark_worker.vm.iterators import EXHAUSTED, Carried, Generator
from waymark_worker.vm.managers import ASYNC, SYNC, Protocol
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native
from waymark_worker.vm.unwinding import chain, give, handled

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

AnyGenerator = Generator | AsyncGenerator
ENTER, LEAVE, THROW, CLOSE = 0, 1, 2, 3
"""What a step waits for: the item, the end, the end after an exception, the end after ``close()``."""


class Managing(NativeFrame):
    """Makes a manager of the generator that a function returns."""

    __slots__ = ("maker",)

    def __init__(self, maker: ManagerFunction) -> None:
        self.maker = maker

    def resume(self, machine: Machine, value: Any) -> Any:
        return _managing(self.maker, value)


def _managing(maker: ManagerFunction, value: Any) -> GeneratorManager:
    expected: type = AsyncGenerator if maker.asynchronous else Generator
    if value.__class__ is not expected:
        name = "asynccontextmanager" if maker.asynchronous else "contextmanager"
        what = f"@{name} around a function that is no {'async ' * maker.asynchronous}generator"
        raise unsupported_operation(what, "let the function itself `yield` once")
    return AsyncGeneratorManager(value) if maker.asynchronous else GeneratorManager(value)


def _make(
    machine: Machine, maker: ManagerFunction, args: list[Any], keywords: dict[str, Any]
) -> Any:
    caller = machine.frame
    push_native(machine, Managing(maker))
    made = call(machine, maker.function, args, keywords)
    if made is PUSHED:
        return PUSHED
    machine.frame = caller
    return _managing(maker, made)


def _decorate(machine: Machine, manager: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    what = "a context manager as a decorator"
    raise unsupported_operation(what, "write `with` inside the function")


class ManagerStep(NativeFrame):
    """One half of the generator: up to its ``yield``, or from there to its end."""

    __slots__ = ("error", "generator", "phase", "raised")

    def __init__(self, generator: AnyGenerator, phase: int, error: BaseException | None) -> None:
        self.generator = generator
        self.phase = phase
        self.error = error
        """What ended the body of the ``with``."""
        self.raised: BaseException | None = None
        """What is raised once the generator is closed."""

    @property
    def _asynchronous(self) -> bool:
        return isinstance(self.generator, AsyncGenerator)

    def begin(self, machine: Machine) -> Any:
        """Run the generator: its answer, or ``PUSHED``."""
        caller = machine.frame
        push_native(machine, self)
        if self.error is not None:
            return throw_into(machine, self.generator, self.error)
        made = self.generator.produce(machine)
        if made is PUSHED:
            return PUSHED
        value = self.stop(machine) if made is EXHAUSTED else self.resume(machine, made)
        if value is not PUSHED:
            machine.frame = caller
        return value

    def resume(self, machine: Machine, value: Any) -> Any:
        """The generator yields: that is the ``as`` value, or once too often."""
        if self.phase == ENTER:
            return value
        if self.phase == CLOSE:
            kind = "async generator" if self._asynchronous else "generator"
            ignored = RuntimeError(f"{kind} ignored GeneratorExit")
            ignored.__context__ = self.raised
            raise Carried(ignored)
        how = "" if self.phase == LEAVE else f" after {'a' * self._asynchronous}throw()"
        self.raised = RuntimeError(f"generator didn't stop{how}")
        chain(self.raised, handled(self))
        self.phase = CLOSE
        closing = GeneratorExit()
        closing.__context__ = self.raised
        return throw_into(machine, self.generator, closing)

    def stop(self, machine: Machine) -> Any:
        """The generator has ended."""
        if self.phase == ENTER:
            missing = RuntimeError("generator didn't yield")
            missing.__cause__ = None
            end: BaseException = (
                StopAsyncIteration() if self._asynchronous else stopped(machine.returned)
            )
            chain(end, handled(self))
            missing.__context__ = end
            raise Carried(missing)
        if self.phase == CLOSE:
            assert self.raised is not None
            raise Carried(self.raised)
        return self.phase == THROW

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        """The generator raises: the exception of the body goes on, another one takes its place."""
        if self.phase == CLOSE and isinstance(error, GeneratorExit):
            return self.raised
        if self.phase == THROW and (error is self.error or self._wraps(error)):
            give(machine, self.caller, value=False)
            return None
        return error

    def _wraps(self, error: BaseException) -> bool:
        """Whether ``error`` only says that a generator must not raise what it was given."""
        kinds = (StopIteration, StopAsyncIteration)
        ends = kinds if self._asynchronous else kinds[:1]
        return (
            isinstance(error, RuntimeError)
            and isinstance(self.error, ends)
            and error.__cause__ is self.error
        )


def _enter(machine: Machine, manager: GeneratorManager) -> Any:
    if manager.entered:
        name = "_AsyncGeneratorContextManager" if isinstance(manager, AsyncGeneratorManager) else ""
        host: Any = getattr(contextlib, name or "_GeneratorContextManager")
        del object.__new__(host).args  # raises what a second `with` over one manager raises
    manager.entered = True
    return ManagerStep(manager.generator, ENTER, None).begin(machine)


def _leave(machine: Machine, manager: GeneratorManager, error: BaseException | None) -> Any:
    phase = LEAVE if error is None else THROW
    return ManagerStep(manager.generator, phase, error).begin(machine)


SYNC[GeneratorManager] = ASYNC[AsyncGeneratorManager] = Protocol(_enter, _leave)
CALLERS[ManagerFunction] = _make
CALLERS[GeneratorManager] = CALLERS[AsyncGeneratorManager] = _decorate
