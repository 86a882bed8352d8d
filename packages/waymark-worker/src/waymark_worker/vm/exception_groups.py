"""An exception group and a condition come in; what matches and what does not go out, split as the host splits.

CPython tells an exception that a handler of ``except*`` raised again as it was from one that was raised
anew by its traceback. The machine keeps none: a group counts how often it was raised or left a function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from waymark_worker.vm.callables import FunctionValue
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import CALLABLES
from waymark_worker.vm.nesting import Failed, machine_for, run

RAISED = "__waymark_raised__"
"""Name in the ``__dict__`` of a group under which the count stands."""
CALL: list[Callable[[Any, Any, list[Any], dict[str, Any]], Any]] = []
"""The machine's call of any value; its module puts it here."""
_ANY_CALLABLE = sys.version_info >= (3, 13)
"""Whether a condition may be any callable, not only a function written in Python."""
Parts = tuple[BaseException | None, BaseException | None]


def note_raised(group: BaseException) -> None:
    """Count that a group was raised, or left a function."""
    group.__dict__[RAISED] = group.__dict__.get(RAISED, 0) + 1


def split(group: BaseExceptionGroup[BaseException], condition: Any, /) -> Parts:
    """``group.split(condition)``."""
    parts: Parts = group.split(_for_host(group, condition))
    for part in parts:
        _like(group, part)
    return parts


def subgroup(group: BaseExceptionGroup[BaseException], condition: Any, /) -> BaseException | None:
    """``group.subgroup(condition)``."""
    part: BaseException | None = group.subgroup(_for_host(group, condition))
    _like(group, part)
    return part


def derive(group: BaseExceptionGroup[BaseException], exceptions: Any, /) -> BaseException:
    """``group.derive(exceptions)``."""
    return group.derive(exceptions)


METHODS: dict[str, Callable[..., Any]] = {"split": split, "subgroup": subgroup, "derive": derive}


def _like(group: BaseException, part: BaseException | None) -> None:
    if part is not None and part is not group and RAISED in group.__dict__:
        part.__dict__[RAISED] = group.__dict__[RAISED]


def _for_host(group: BaseExceptionGroup[BaseException], condition: Any) -> Any:
    """Give the host a function of its own for one of the program's."""
    for _ in leaves(group):
        pass  # walking it is charged for
    kind = condition.__class__
    if kind is FunctionValue or (_ANY_CALLABLE and kind in CALLABLES):

        def ask(error: BaseException) -> Any:
            machine = machine_for("a condition of an exception group")
            try:
                return run(machine, lambda: CALL[0](machine, condition, [error], {}))
            except Failed as failed:
                raised = failed.error
            machine.carried = raised
            raise raised

        return ask
    return None if kind in CALLABLES else condition


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Exceptions in a group that are no groups themselves, at any depth, in order; each step is charged for."""
    waiting = [error]
    while waiting:
        METER.charge(1)
        at = waiting.pop()
        if isinstance(at, BaseExceptionGroup):
            waiting.extend(reversed(at.exceptions))
        else:
            yield at


def matched(error: BaseException | None, pattern: Any) -> Parts:
    """Give what ``except* pattern`` takes of ``error``, in a group, and what is left of it."""
    kinds = pattern if isinstance(pattern, tuple) else (pattern,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            msg = "catching classes that do not inherit from BaseException is not allowed"
            raise TypeError(msg)
    if any(issubclass(kind, BaseExceptionGroup) for kind in kinds):
        msg = "catching ExceptionGroup with except* is not allowed. Use except instead."
        raise TypeError(msg)
    if error is None:
        return None, None
    if isinstance(error, kinds):
        return (error if isinstance(error, BaseExceptionGroup) else _wrapped(error)), None
    return split(error, kinds) if isinstance(error, BaseExceptionGroup) else (None, error)


def _wrapped(error: BaseException) -> BaseException:
    # A tuple, as in CPython: the group's args and repr show it.
    return BaseExceptionGroup("", (error,))


def _together(errors: list[BaseException]) -> BaseException:
    return BaseExceptionGroup("", errors)


def merged(caught: BaseException, found: list[BaseException | None]) -> BaseException | None:
    """Give what leaves a ``try`` with ``except*``: of ``found``, what handlers raised and what none took.

    Parts of ``caught`` that were raised again as they were become one group of its shape.
    """
    errors = [error for error in found if error is not None]
    if not isinstance(caught, BaseExceptionGroup):
        return errors[0] if errors else None
    kept = {id(leaf) for error in errors if _unchanged(error, caught) for leaf in leaves(error)}
    raised = [error for error in errors if not _unchanged(error, caught)]
    if kept:
        rest: BaseException | None = caught.subgroup(lambda error: id(error) in kept)
        _like(caught, rest)
        if not raised:
            return rest
        if rest is not None:
            raised.append(rest)
    if not raised:
        return None
    return raised[0] if len(raised) == 1 else _together(raised)


def _unchanged(error: BaseException, caught: BaseException) -> bool:
    return isinstance(error, BaseExceptionGroup) and (
        error.__cause__ is caught.__cause__
        and error.__context__ is caught.__context__
        and error.__dict__.get(RAISED) == caught.__dict__.get(RAISED)
    )
