"""What a workflow does with decimal contexts comes in; contexts that belong to its tasks, and to no thread, go out.

A task without a context of its own calculates in one that nobody can change. While a task that has one
takes a step, that one is the host's: every operation of ``Decimal`` obeys it.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Context
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.names import register
from waymark_worker.vm.refusals import LimitExceeded, unsupported_operation

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

PRISTINE = Context()
"""In it calculates whoever has none."""
MAX_DIGITS = 1_000
MAX_EXPONENT = 999_999
_STORED = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
_SIGNALS = {signal.__name__: signal for signal in PRISTINE.flags}
FIELDS = frozenset(_STORED)
"""What may be read and set; flags and traps are given when a context is made."""


class Unshared(Context):
    """A context that another task may or may not share in CPython: whether it does depends on what came first."""

    __slots__ = ()


Unshared.__name__ = Unshared.__qualname__ = "Context"
Unshared.__module__ = "decimal"


class LocalContext:
    """``decimal.localcontext(…)``: the context for the body, and the one for afterwards."""

    __slots__ = ("local", "saved")

    def __init__(self, local: Context, saved: Context) -> None:
        self.local = local
        self.saved = saved


def current(machine: Machine) -> Context:
    """Give the context of the running task; one that has none gets one."""
    task = machine.task
    assert task is not None
    found = task.decimal
    if found is None:
        alone = task is machine.root and len(machine.tasks) == 1
        found = Context() if alone else Unshared()
        use(machine, found)
    return found


def use(machine: Machine, context: Context) -> None:
    """Let the running task calculate in ``context``."""
    assert machine.task is not None
    machine.task.decimal = context
    machine.decimals = True
    decimal.setcontext(context)


def set_field(context: Context, name: str, value: Any) -> None:
    """Do ``context.name = value``."""
    if name not in FIELDS:
        what = f"assigning to {name!r} of a decimal context"
        raise unsupported_operation(
            what, "give it to decimal.localcontext(...) or decimal.Context(...)"
        )
    if context.__class__ is Unshared:
        what = "changing the decimal context that other tasks of the run may share"
        raise unsupported_operation(
            what, "write `with decimal.localcontext() as context:` around it"
        )
    changed = context.copy()
    setattr(changed, name, value)  # raises CPython's own error
    bounded(changed)
    setattr(context, name, value)


def bounded(context: Context) -> Context:
    """Refuse a context in which one operation would be too much work."""
    for what, value, limit in (
        ("prec", context.prec, MAX_DIGITS),
        ("Emax", context.Emax, MAX_EXPONENT),
        ("-Emin", -context.Emin, MAX_EXPONENT),
    ):
        if value > limit:
            msg = f"a decimal context with {what} {value}; at most {limit} is allowed in a workflow"
            raise LimitExceeded(msg)
    return context


def _running(machine: Machine | None, name: str) -> Machine:
    if machine is None or machine.task is None:
        raise unsupported_operation(f"{name}() as a key function", "call it in a statement")
    return machine


def _make(_machine: Machine | None, args: list[Any], keywords: dict[str, Any]) -> Context:
    return bounded(Context(*args, **keywords))


def _get(machine: Machine | None, args: list[Any], keywords: dict[str, Any]) -> Context:
    if args or keywords:
        decimal.getcontext(*args, **keywords)  # raises CPython's own TypeError
    return current(_running(machine, "decimal.getcontext"))


def _set(machine: Machine | None, args: list[Any], keywords: dict[str, Any]) -> None:
    running = _running(machine, "decimal.setcontext")
    before = decimal.getcontext()
    decimal.setcontext(*args, **keywords)
    chosen = decimal.getcontext()
    decimal.setcontext(before)
    use(running, chosen)


def _local(machine: Machine | None, args: list[Any], keywords: dict[str, Any]) -> LocalContext:
    saved = current(_running(machine, "decimal.localcontext"))
    with decimal.localcontext(*args, **keywords) as local:
        pass
    return LocalContext(bounded(local), saved)


FUNCTIONS: dict[str, Callable[[Any, list[Any], dict[str, Any]], Any]] = {
    "decimal.Context": _make,
    "decimal.getcontext": _get,
    "decimal.setcontext": _set,
    "decimal.localcontext": _local,
}
"""What carries out a call of each name."""


def enter(machine: Machine, manager: LocalContext) -> Context:
    """Calculate in the context of the body from now on."""
    use(machine, manager.local)
    return manager.local


def leave(machine: Machine, manager: LocalContext, _error: BaseException | None) -> None:
    """Calculate in the context from before again."""
    use(machine, manager.saved)


def parts(context: Context) -> list[Any]:
    """What a snapshot keeps of a context."""
    return [
        context.__class__ is Unshared,
        *(getattr(context, name) for name in _STORED),
        *(
            [signal.__name__ for signal, on in each.items() if on]
            for each in (context.flags, context.traps)
        ),
    ]


def of_parts(unshared: Any, *given: Any) -> Context:
    """The context that ``parts`` took apart."""
    *fields, flags, traps = given
    kind = Unshared if unshared else Context
    signals = [[_SIGNALS[name] for name in names] for names in (flags, traps)]
    return bounded(
        kind(**dict(zip(_STORED, fields, strict=True)), flags=signals[0], traps=signals[1])
    )


register(LocalContext, "decimal.ContextManager")
