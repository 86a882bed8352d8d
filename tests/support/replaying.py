"""A workflow and its arguments come in; what compiler and machine make of them, recovered at will, goes out."""

from __future__ import annotations

import random
from typing import Any

from tests.support.acting import act
from tests.support.observing import Observation, fault, normal
from tests.support.recording import Chance
from waymark.coercion import codec
from waymark.registry import registry
from waymark.starting import prepare
from waymark_worker.vm.effects import (
    CancelCall,
    Cancelled,
    CancelTimer,
    Complete,
    Effect,
    Fail,
    Log,
    StartCall,
    StartTimer,
)
from waymark_worker.vm.entries import CallRaised, CallReturned, CancelRequested, Entry, TimerFired
from waymark_worker.vm.link import LinkedProgram, link
from waymark_worker.vm.local import RecordedLocals
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.meter import DEFAULT_BUDGET

PLAIN, SNAPSHOTS, REPLAYS = "plain", "snapshots", "replays"
MODES = (PLAIN, SNAPSHOTS, REPLAYS)
"""Straight through; snapshot and restore after every committed step; a replay of all entries after each."""


class Runner:
    """The engine around one machine, without any of its parts: settles calls, moves the clock, recovers."""

    def __init__(
        self,
        workflow: Any,
        keywords: dict[str, Any],
        *,
        mode: str,
        seed: int | None = None,
        budget: int = DEFAULT_BUDGET,
    ) -> None:
        self.request = prepare(workflow, (), dict(keywords)).request
        report = self.request.program
        self.linked: LinkedProgram = link(report.program, report.digest)
        self.mode = mode
        self.budget = budget
        self.random = random.Random(seed) if seed is not None else None
        self.observation = Observation()
        self.clock = 0.0
        self.cancel_at: int | None = None
        """Before which outcome the run is cancelled, if it is: 0 is the first."""
        self.calls: dict[int, StartCall] = {}
        self.timers: dict[int, float] = {}
        self.chance = Chance()
        self.chance.virtual = lambda: self.clock
        self.entries: list[tuple[Entry | None, list[bytes]]] = []
        """What the machine was fed, each with the values that it recorded."""
        self.effects: list[Effect] = []

    def run(self) -> Observation:
        """Feed the machine until it has finished."""
        machine = self._fresh()
        entry: Entry | None = None
        while True:
            local = self.chance.locals()
            self._take(machine.advance(entry, local, budget=self.budget))
            self.entries.append((entry, local.recorded()))
            if machine.finished:
                # A limit is journaled as the end of the instance: nobody replays up to it.
                if self.observation.ending != "ended":
                    self._check_replay()
                return self.observation
            machine = self._recovered(machine)
            entry = self._next_entry()

    def _fresh(self) -> Machine:
        return Machine.start(
            self.linked, inputs=self.request.inputs, attributes=self.request.attributes
        )

    def _recovered(self, machine: Machine) -> Machine:
        if self.mode == SNAPSHOTS and machine.idle:
            return Machine.restore(self.linked, machine.snapshot())
        if self.mode == REPLAYS:
            machine = self._check_replay()
            assert machine.pending_calls == self.calls
            assert set(machine.pending_timers) == set(self.timers)
        return machine

    def _check_replay(self) -> Machine:
        """Replay all entries into a new machine: it must ask for exactly the same again."""
        machine = self._fresh()
        effects: list[Effect] = []
        for entry, recorded in self.entries:
            local = RecordedLocals(recorded)
            effects += machine.advance(entry, local, replay=True)
            assert local.mismatch() is None
        assert effects == self.effects
        return machine

    def _take(self, effects: list[Effect]) -> None:
        self.effects += effects
        for effect in effects:
            match effect:
                case StartCall():
                    self.calls[effect.call] = effect
                    if not effect.inline:
                        self._trace(effect)
                case CancelCall():
                    self.calls.pop(effect.call, None)
                case StartTimer():
                    self.timers[effect.timer] = self.clock + effect.seconds
                case CancelTimer():
                    self.timers.pop(effect.timer, None)
                case Log():
                    self.observation.printed += effect.text + "\n"
                case _:
                    self._end(effect)

    def _trace(self, effect: StartCall) -> None:
        definition = registry.get(effect.action)
        assert definition is not None, effect
        arguments = normal(codec().decode(effect.arguments))
        self.observation.trace.append((definition.name, arguments))

    def _end(self, effect: Complete | Fail | Cancelled) -> None:
        if isinstance(effect, Complete):
            self.observation.ending = "returned"
            self.observation.value = normal(codec().decode(effect.result))
        elif isinstance(effect, Cancelled):
            self.observation.ending = "cancelled"
        else:
            error = codec().decode(effect.error)
            self.observation.ending = "raised" if isinstance(error, Exception) else "ended"
            self.observation.value = fault(error)

    def _next_entry(self) -> Entry:
        inline = next((call for call in self.calls.values() if call.inline), None)
        if inline is not None:
            return self._settle(inline)
        if self.cancel_at is not None:
            self.cancel_at -= 1
            if self.cancel_at < 0:
                self.cancel_at = None
                return CancelRequested()
        if self.calls:
            waiting = list(self.calls.values())
            return self._settle(waiting[self.random.randrange(len(waiting)) if self.random else 0])
        assert self.timers, "the machine waits for something that can never happen"
        timer = min(self.timers, key=lambda number: (self.timers[number], number))
        self.clock = max(self.clock, self.timers.pop(timer))
        return TimerFired(timer)

    def _settle(self, call: StartCall) -> Entry:
        del self.calls[call.call]
        outcome = act(call.action, call.arguments, call.policy)
        if outcome.returned:
            return CallReturned(call.call, outcome.wire)
        return CallRaised(call.call, outcome.wire)


def run_in_machine(
    workflow: Any,
    keywords: dict[str, Any],
    *,
    mode: str = PLAIN,
    seed: int | None = None,
    cancel_at: int | None = None,
) -> Observation:
    """Compile a workflow, run it to its end in a machine, and say what it showed."""
    runner = Runner(workflow, keywords, mode=mode, seed=seed)
    runner.cancel_at = cancel_at
    return runner.run()
