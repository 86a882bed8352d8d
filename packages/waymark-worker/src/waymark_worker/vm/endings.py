"""How a machine's root task ended comes in; the terminal effect, and what is cancelled before it, go out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from waymark_schema.failures import SerializationError
from waymark_worker.vm.effects import (
    CancelCall,
    Cancelled,
    CancelTimer,
    Complete,
    Effect,
    Fail,
    StartCall,
    StartTimer,
)
from waymark_worker.vm.scheduling import DONE, RAISED
from waymark_worker.vm.unwinding import FATAL

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine


def ending_of(machine: Machine) -> Effect:
    """What ``run()`` came to: its result, its error, or that it was cancelled."""
    root = machine.root
    if root.state == DONE:
        try:
            return Complete(machine.encode(root.value))
        except SerializationError as error:
            error.__traceback__ = None
            return Fail(machine.linked.codec.encode_exception(error))
    if root.state == RAISED:
        return failed(machine, root.value)
    return Cancelled(machine.linked.codec.encode_exception(root.take_cancelled_error()))


def failed(machine: Machine, error: BaseException) -> Fail:
    """Make the ending of ``error``; a class whose text needs code that is missing says that instead."""
    try:
        machine.trails.tell(machine.linked, error)
        return Fail(machine.linked.codec.encode_exception(error))
    except FATAL as refusal:
        refusal.__traceback__ = None
        return Fail(machine.linked.codec.encode_exception(refusal))


def broken(error: Exception) -> RuntimeError:
    """Make what says that the machine itself failed, and where: no exception of the program's gets that far."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = where and f"{PurePath(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}"
    return RuntimeError(
        f"the machine broke with {error!r:.200} ({place}), which is a defect of Waymark: please report it"
    )


def last_effects(
    effects: Iterable[Effect],
    calls: Iterable[int],
    timers: Iterable[int],
    ending: Effect,
    *,
    drop_starts: bool,
) -> list[Effect]:
    """The effects of the last advance: calls and timers that nobody waits for any more are cancelled.

    ``drop_starts``: those that this advance was only about to start are not started at all.
    """
    kept: list[Effect] = []
    started: set[int] = set()
    timed: set[int] = set()
    for effect in effects:
        if drop_starts and isinstance(effect, StartCall):
            started.add(effect.call)
        elif drop_starts and isinstance(effect, StartTimer):
            timed.add(effect.timer)
        else:
            kept.append(effect)
    kept += [CancelCall(number) for number in calls if number not in started]
    kept += [CancelTimer(number) for number in timers if number not in timed]
    return [*kept, ending]
