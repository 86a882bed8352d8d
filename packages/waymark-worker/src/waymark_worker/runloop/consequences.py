"""One entry for a live instance in; its effects, what must be written beside it and how it ended the instance out."""

from __future__ import annotations

from collections.abc import Iterable

from waymark_schema.tables.settle import FinalRow, JournalRow
from waymark_schema.values.errors import MalformedValue
from waymark_worker.runloop import outcomes, rows
from waymark_worker.runloop.live import LiveInstance, LiveTimer
from waymark_worker.runloop.locals import EntryLocals
from waymark_worker.vm.effects import Effect, Log, StartCall, StartTimer
from waymark_worker.vm.entries import Entry
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine


def feed(
    machine: Machine,
    entry: Entry | None,
    row: JournalRow | None,
    fresh: FreshLocals,
    *,
    budget: int,
) -> tuple[list[Effect], JournalRow | None]:
    """Advance; an outcome that the program's types refuse is fed as the call's error instead."""
    try:
        return machine.advance(entry, fresh, budget=budget), row
    except MalformedValue as error:
        entry, row = outcomes.unusable(entry, row, error)
        return machine.advance(entry, fresh, budget=budget), row


def read(
    instance: LiveInstance,
    effects: Iterable[Effect],
    fresh: FreshLocals,
    *,
    output: bytes,
    now: float,
) -> tuple[EntryLocals | None, FinalRow | None]:
    """Note the timers that started; return what is written with the entry, and the last row if it ended.

    ``output`` is what the attempt printed, ``now`` the database's time.
    """
    timers: dict[int, float] = {}
    lines: list[tuple[str, str]] = []
    final: FinalRow | None = None
    for effect in effects:
        kind = type(effect)
        if kind is StartCall:
            continue
        if isinstance(effect, StartTimer):
            due_at = now + max(0.0, effect.seconds)  # NaN becomes 0, too
            timers[effect.timer] = due_at
            instance.timers[effect.timer] = LiveTimer(due_at)
        elif kind in rows.ENDINGS:
            final = rows.final_row(instance, effect)
        elif isinstance(effect, Log):
            lines.append((effect.level, effect.text))
    values = fresh.recorded()
    if timers or values or lines or output:
        return EntryLocals(values, timers, None, lines, output), final
    return None, final
