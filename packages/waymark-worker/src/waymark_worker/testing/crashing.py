"""Each committed step of a run in; that the run goes on the same after a crash at this point, or the difference, out."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import msgspec

from waymark.coercion import codec
from waymark_schema.kinds import JournalKind, OutcomeKind
from waymark_schema.tables.journal import JournalEntry
from waymark_worker.runloop.replica import Recovered, Step, receive_answer, send
from waymark_worker.testing.instances import Instance
from waymark_worker.vm.effects import Complete, Effect, Fail, StartCall

COMMAND = (sys.executable, "-P", "-s", "-m", "waymark_worker.runloop.replica")
SEEDS = (1, 77, 4242)
"""Of the processes that take turns; none has the seed of the one before."""


class CrashDifference(AssertionError):
    """A run that was recovered did not go on as the one that never crashed."""


class Replica:
    """A child process under a hash seed of its own, which recovers runs from what is stored of them."""

    def __init__(self, seed: int, command: Sequence[str] = COMMAND) -> None:
        self.seed = seed
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def recover(self, step: Step) -> Recovered:
        """Ask for one step; raises RuntimeError when the process has died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            send(self._process.stdin, step)  # type: ignore[arg-type] # a binary stream, by the arguments of Popen
            return receive_answer(self._process.stdout)  # type: ignore[arg-type] # the same
        except (EOFError, OSError):
            code = self._process.wait()
            msg = f"the process that recovers runs (hash seed {self.seed}) ended with status {code}"
            raise RuntimeError(msg) from None

    def end(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()


class Replicas:
    """Child processes that take turns; started with the first step, ended with this process."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._pid = 0
        self._members: list[Replica] = []
        self._turns = iter(cycle(self._members))

    def recover(self, step: Step) -> tuple[int, Recovered]:
        """Have the next one recover; its hash seed and what it found."""
        with self._lock:
            if self._pid != os.getpid():  # after a fork they are the parent's
                self._pid = os.getpid()
                self._members = [Replica(seed, self._command) for seed in SEEDS]
                self._turns = iter(cycle(self._members))
                atexit.register(self.end)
            replica = next(self._turns)
            return replica.seed, replica.recover(step)

    def end(self) -> None:
        """End them all."""
        if self._pid == os.getpid():
            for member in self._members:
                member.end()
            self._members = []
            self._pid = 0
            atexit.unregister(self.end)


SHARED = Replicas()


class CrashEverywhere:
    """Recovers every run after each committed step, by its journal and by the snapshot of the step before."""

    def __init__(self, replicas: Replicas = SHARED) -> None:
        self.steps = 0
        """How many crashes there have been."""
        self._replicas = replicas
        self._snapshots: dict[Instance, bytes | None] = {}

    def committed(
        self, instance: Instance, entry: JournalEntry | None, effects: list[Effect]
    ) -> None:
        """Crash after this step; a difference becomes the instance's trouble."""
        if any(_ended_by_a_limit(effect) for effect in effects):
            return  # a limit is journaled as the run's end; nobody replays up to it
        report = instance.request.program
        step = Step(
            instance.id,
            report.digest,
            report.program,
            list(instance.program.action_index),
            instance.inputs,
            instance.journal,
            self._snapshots.get(instance),
            report.spans,
        )
        seed, found = self._replicas.recover(step)
        self.steps += 1
        self._snapshots[instance] = found.snapshot
        where = f"{_shown_step(instance, entry)}, under PYTHONHASHSEED={seed}"
        if found.trouble:
            instance.trouble = _difference(
                instance, where, f"it cannot be recovered: {found.trouble}"
            )
            return
        ways = {"replayed from its journal": found.by_journal}
        if found.by_snapshot is not None:
            ways["restored from its snapshot"] = found.by_snapshot
        for way, others in ways.items():
            if _bytes(others) != _bytes(effects):
                text = f"{way} it asks for\n{_listed(others)}\ninstead of\n{_listed(effects)}"
                instance.trouble = _difference(instance, where, text)
                return


def _bytes(effects: list[Effect]) -> bytes:
    return msgspec.msgpack.encode(effects)


def _ended_by_a_limit(effect: Effect) -> bool:
    return isinstance(effect, Fail) and not isinstance(codec().decode(effect.error), Exception)


def _difference(instance: Instance, where: str, text: str) -> CrashDifference:
    record = instance.record
    return CrashDifference(
        f"run {record.id} of {record.workflow!r} does not go on the same after a crash at {where}: {text}"
    )


def _shown_step(instance: Instance, entry: JournalEntry | None) -> str:
    if entry is None or entry.kind == JournalKind.START:
        return "its start"
    kind = JournalKind(entry.kind)
    if kind is JournalKind.TIMER:
        return f"step {entry.position} (timer {entry.call} came due)"
    names = {index: key for key, index in instance.program.action_index.items()}
    action = names.get(-1 if entry.action is None else entry.action, "waymark:construct")
    ended = "returned" if entry.outcome_kind == OutcomeKind.VALUE else "failed"
    return f"step {entry.position} (call {entry.call}, {action}, {ended})"


def _listed(effects: list[Effect]) -> str:
    return "\n".join(f"  {_shown(effect)}" for effect in effects) or "  nothing"


def _shown(effect: Effect) -> str:
    if isinstance(effect, StartCall):
        return f"call {effect.call}: {effect.action}({_decoded(effect.arguments)!r:.300})"
    if isinstance(effect, Complete):
        return f"end with {_decoded(effect.result)!r:.300}"
    if isinstance(effect, Fail):
        return f"fail with {_decoded(effect.error)!r:.300}"
    return repr(effect)


def _decoded(wire: bytes) -> Any:
    return codec().decode(wire)
