"""A coroutine of the language's own asyncio, as data: what it waits for comes in, its result or error goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.callables import CREATED, FINISHED
from waymark_worker.vm.names import register
from waymark_worker.vm.state import PUSHED, NativeFrame
from waymark_worker.vm.unwinding import FATAL, chain, give, handled, unwind

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine


class Routine(NativeFrame):
    """Coroutine and frame in one: ``begin`` is its first step, ``step`` the number of the place where it waits.

    Steps return the coroutine's value or ``PUSHED``, and raise what leaves it.
    """

    __slots__ = ("state", "step")

    def __init_subclass__(cls) -> None:
        register(cls, "coroutine")

    def __init__(self) -> None:
        self.state = CREATED
        self.step = 0
        self.caller = None
        self.depth = self.nested = 0

    def begin(self, machine: Machine) -> Any:
        """Take the first step."""
        raise NotImplementedError

    def resumed(self, machine: Machine, value: Any) -> Any:
        """Go on with what was awaited."""
        return value

    def caught(self, machine: Machine, error: BaseException) -> Any:
        """Go on after what was awaited raised ``error``."""
        raise error

    def resume(self, machine: Machine, value: Any) -> Any:
        try:
            made = self.resumed(machine, value)
        except FATAL:
            raise
        except BaseException as raised:  # noqa: BLE001 - it leaves the coroutine, whatever it is
            error = self._left_by(raised, None)
        else:
            return self._returned(made)
        machine.frame = self.caller
        unwind(machine, error)
        return PUSHED

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        machine.frame = self
        try:
            made = self.caught(machine, error)
        except FATAL:
            raise
        except BaseException as raised:  # noqa: BLE001 - it leaves the coroutine, whatever it is
            return self._left_by(raised, error)
        if self._returned(made) is not PUSHED:
            give(machine, self.caller, made)
        return None

    def _returned(self, value: Any) -> Any:
        if value is not PUSHED:
            self.state = FINISHED
        return value

    def _left_by(self, raised: BaseException, thrown: BaseException | None) -> BaseException:
        self.state = FINISHED
        raised.__traceback__ = None
        if raised is not thrown and raised.__context__ is None:
            chain(raised, handled(self.caller))
        return raised


def chained(error: BaseException, context: BaseException) -> BaseException:
    """Make ``error`` one that is raised while ``context`` is handled."""
    chain(error, context)
    return error


def caused(error: BaseException, cause: BaseException) -> BaseException:
    """Make ``error`` one that is raised ``from cause`` while that is handled."""
    error.__cause__ = cause
    return chained(error, cause)
