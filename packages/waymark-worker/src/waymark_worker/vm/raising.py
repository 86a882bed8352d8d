"""What ``raise`` or ``throw`` was given comes in; the exception goes out, made first if that was a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.calls import call
from waymark_worker.vm.iterators import EXHAUSTED
from waymark_worker.vm.names import type_name
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native
from waymark_worker.vm.unwinding import FATAL, give

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

NOTHING = EXHAUSTED
"""The cause in a ``raise`` without ``from``."""


class Raising(NativeFrame):
    """``raise`` while the ``__init__`` of a class runs: of ``error``'s, or of its cause's once ``error`` is made."""

    __slots__ = ("cause", "cls", "error")

    def __init__(self, cls: type, error: BaseException | None, cause: Any) -> None:
        self.cls = cls
        self.error = error
        self.cause = cause

    def resume(self, machine: Machine, value: Any) -> Any:
        made = _checked(self.cls, value)
        if self.error is not None:
            raise _from(self.error, made)
        raise_value(machine, made, self.cause)
        return PUSHED


def raise_value(machine: Machine, value: Any, cause: Any) -> None:
    """Do ``raise value from cause``: it raises here, or frames were pushed that end with that."""
    if _is_class(value):
        made = made_by(machine, value, Raising(value, None, cause))
        if made is PUSHED:
            return
        value = _checked(value, made)
    elif not isinstance(value, BaseException):
        msg = "exceptions must derive from BaseException"
        raise TypeError(msg)
    if _is_class(cause):
        made = made_by(machine, cause, Raising(cause, value, None))
        if made is PUSHED:
            return
        cause = _checked(cause, made)
    raise value if cause is NOTHING else _from(value, cause)


def made_by(machine: Machine, cls: type, waiting: NativeFrame) -> Any:
    """Call ``cls``: what it made, or ``PUSHED`` if ``waiting`` is given that later."""
    caller = machine.frame
    push_native(machine, waiting)
    made = call(machine, cls, [], {})
    if made is not PUSHED:
        machine.frame = caller
    return made


def _is_class(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _checked(cls: type, made: Any) -> BaseException:
    if isinstance(made, BaseException):
        return made
    msg = (
        f"calling {cls!r} should have returned an instance of BaseException, not {type_name(made)}"
    )
    raise TypeError(msg)


def _from(error: BaseException, cause: Any) -> BaseException:
    if cause is not None and not isinstance(cause, BaseException):
        msg = "exception causes must derive from BaseException"
        raise TypeError(msg)
    error.__cause__ = cause
    return error


class Throwing(NativeFrame):
    """``generator.throw(cls)`` while the ``__init__`` of ``cls`` runs; then it gives what the generator gives."""

    __slots__ = ("generator",)

    def __init__(self, generator: Any) -> None:
        self.generator = generator

    def resume(self, machine: Machine, value: Any) -> Any:
        if self.generator is None:
            return value
        generator, self.generator = self.generator, None
        return self.throw(machine, generator, thrown(value))

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        if self.generator is None:
            return error
        # As CPython: what went wrong in making the exception is thrown in its place.
        machine.frame = self
        generator, self.generator = self.generator, None
        try:
            value = self.throw(machine, generator, error)
        except FATAL:
            raise
        except BaseException as raised:  # noqa: BLE001 - whatever the generator lets out
            return raised
        if value is not PUSHED:
            give(machine, self.caller, value)
        return None

    def throw(self, machine: Machine, generator: Any, error: BaseException) -> Any:
        """Raise ``error`` in the generator: what that gives, or ``PUSHED``."""
        raise NotImplementedError


def throw_value(machine: Machine, value: Any, waiting: Throwing) -> Any:
    """Throw ``value``, or what calling it makes, into the generator of ``waiting``."""
    if _is_class(value):
        caller = machine.frame
        try:
            value = made_by(machine, value, waiting)
        except FATAL:
            raise
        except BaseException as error:  # noqa: BLE001 - it is thrown in the place of what was to be made
            value = error.with_traceback(None)
            machine.frame = caller
        if value is PUSHED:
            return PUSHED
    return waiting.throw(machine, waiting.generator, thrown(value))


def thrown(value: Any) -> BaseException:
    """Give what is thrown, which has to be an exception."""
    if isinstance(value, BaseException):
        return value
    msg = f"exceptions must be classes or instances deriving from BaseException, not {type_name(value)}"
    raise TypeError(msg)
