"""Delays come in; timers that a record is told of go out, durable ones where there is something to wait for."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.awaiting import start_timer
from waymark_worker.vm.limits import LONGEST
from waymark_worker.vm.names import type_name
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.scheduling import PENDING, Callback, Future

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine


class Alarm(Callback):
    """A call of ``target.alarmed`` to come, once, unless it is cancelled."""

    __slots__ = ("cancelled", "target", "timer")

    def __init__(self, target: Any) -> None:
        self.target = target
        self.timer: Future | None = None
        """What makes it ring; none if it only waits for its turn in the loop."""
        self.cancelled = False

    def child_done(self, machine: Machine, child: Future) -> None:
        if not self.cancelled:
            self.cancelled = True
            self.timer = None
            self.target.alarmed(machine)

    def cancel(self, machine: Machine) -> None:
        """Never ring."""
        self.cancelled = True
        timer, self.timer = self.timer, None
        if timer is not None and timer.state == PENDING:
            timer.callbacks = []
            timer.cancel(machine)


def call_soon(machine: Machine, target: Any) -> Alarm:
    """Have ``target`` told in the next turn of the loop."""
    alarm = Alarm(target)
    machine.ready.append((alarm, None))
    return alarm


def call_later(machine: Machine, seconds: float, target: Any) -> Alarm:
    """Have ``target`` told after ``seconds``; none or less: behind what is queued for the next turn."""
    alarm = Alarm(target)
    if seconds <= 0:
        machine.due.append((seconds, alarm))
        return alarm
    alarm.timer = start_timer(machine, min(seconds, LONGEST), None)
    alarm.timer.callbacks.append(alarm)
    return alarm


def in_seconds(delay: Any) -> float:
    """``delay`` as a loop adds it to its time; raises CPython's TypeError for what is no number."""
    if not isinstance(delay, int | float | Fraction):
        msg = f"unsupported operand type(s) for +: 'float' and '{type_name(delay)}'"
        raise TypeError(msg)
    seconds = float(delay)
    if math.isnan(seconds):
        what = "a timeout of nan"
        raise unsupported_operation(what, "give a number of seconds, or None for no timeout")
    return seconds


def loop_time(machine: Machine) -> float:
    """Time of the loop: it stands still within an advance, where it is recorded when it is first asked for."""
    if machine.clock is None:
        machine.clock = float(machine.decode(machine.local.take("asyncio.time", [], {})))
    return machine.clock
