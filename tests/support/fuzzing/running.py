"""Texts of random workflows come in; how they differ between CPython and the machine, if they do, goes out."""

from __future__ import annotations

import ast
import gc
import re
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tests.support.compiling import imported
from tests.support.observing import Observation
from tests.support.oracle import run_in_cpython
from tests.support.replaying import PLAIN, run_in_machine
from waymark import workflow_registry
from waymark.compiler import subset

NAME = "Fuzzed"
MODULE = "fuzzed_workflow"
Shown = TypeVar("Shown")
LONGEST = 20.0
"""Seconds of this process's time that a program may take on each side; hardly one takes a tenth of a second."""
_LOST = re.compile(r"cannot access free variable '(\w+)'")
_AGAIN = 0.02


class TookTooLong(KeyboardInterrupt):
    """A program did not end. Event loop and machine let interrupts of their host through."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise ``TookTooLong`` inside once it has computed for so long, and again should a program swallow that.

    The time is the process's own: neither a busy machine nor the alarm of pytest's time limit matters.
    """

    def stop(_signal: int, _frame: object) -> None:
        msg = f"no end after {seconds:g} seconds of computing"
        raise TookTooLong(msg)

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@dataclass(frozen=True, slots=True)
class Difference:
    """What CPython showed, and what the machine showed instead."""

    text: str
    mode: str
    expected: Observation | BaseException
    shown: Observation | BaseException | None
    """None where CPython gave nothing to compare with."""

    def __str__(self) -> str:
        return (
            f"mode {self.mode}\nCPython: {self.expected!r}\nmachine: {self.shown!r}\n\n{self.text}"
        )


@dataclass(slots=True)
class Histogram:
    """How often each kind of node stood in the programs that were run."""

    nodes: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    programs: int = 0

    def add(self, text: str, ending: str) -> None:
        """Count one program."""
        self.programs += 1
        self.endings[ending] += 1
        (written,) = (
            node
            for node in ast.parse(text).body
            if isinstance(node, ast.ClassDef) and node.name == NAME
        )
        self.nodes.update(type(node).__name__ for node in ast.walk(written))

    def missing(self) -> set[str]:
        """Node types that the compiler accepts and no program had."""
        operators = [
            kind
            for family in (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
            for kind in family.__subclasses__()
        ]
        return {kind.__name__ for kind in (*subset.ACCEPTED, *operators)} - set(self.nodes)

    def __str__(self) -> str:
        rows = [f"{count:10,}  {name}" for name, count in self.nodes.most_common()]
        endings = ", ".join(f"{name} {count:,}" for name, count in self.endings.most_common())
        return "\n".join([f"{self.programs:,} programs: {endings}", *rows])


def difference(
    folder: Path,
    text: str,
    *,
    modes: tuple[str, ...] = (PLAIN,),
    seed: int | None = None,
    histogram: Histogram | None = None,
    seconds: float = LONGEST,
) -> Difference | None:
    """Run a program both ways; ``seed`` permutes the order of outcomes on both sides.

    One that does not end on either side within ``seconds`` of computing differs, too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = imported(folder, text, name=MODULE)
        try:
            workflow = vars(module)[NAME]
            expected = _bounded(partial(run_in_cpython, workflow, {}, seed=seed), seconds)
            if histogram is not None:
                ending = expected.ending if isinstance(expected, Observation) else "too long"
                histogram.add(text, ending)
            if not isinstance(expected, Observation):
                return Difference(text, modes[0], expected, None)
            for mode in modes:
                shown = _bounded(partial(_shown, workflow, mode, seed), seconds)
                if shown != expected and not _lost_by_cpython(text, expected, shown):
                    return Difference(text, mode, expected, shown)
            return None
        finally:
            _forget(module)


_COLLECT_AFTER = 25


@contextmanager
def collecting_rarely() -> Iterator[Callable[[], None]]:
    """Look for circular garbage now and then: a program leaves a tree's worth, and each look costs more than it.

    Yields what to call after each program.
    """
    programs = 0

    def ended() -> None:
        nonlocal programs
        programs += 1
        if programs % _COLLECT_AFTER == 0:
            gc.collect()

    gc.disable()
    try:
        yield ended
    finally:
        gc.enable()


def _bounded(run: Callable[[], Shown], seconds: float) -> Shown | TookTooLong:
    try:
        with bounded(seconds):
            return run()
    except TookTooLong as error:
        return error


def _shown(workflow: Any, mode: str, seed: int | None) -> Observation | BaseException:
    try:
        return run_in_machine(workflow, {}, mode=mode, seed=seed)
    except Exception as error:  # noqa: BLE001 - a program that does not compile or breaks the machine is a finding
        return error


def _lost_by_cpython(text: str, expected: Observation, shown: object) -> bool:
    """Whether CPython 3.12 or later lost a variable that a comprehension between two functions hides.

    https://github.com/python/cpython/issues/121377; the machine has it, as CPython 3.11.
    """
    lost = set(_LOST.findall(repr(expected))) - set(_LOST.findall(repr(shown)))
    return isinstance(shown, Observation) and any(
        re.search(rf"[\[{{(].*\bfor [^\n]*\b{name}\b[^\n]* in ", text) for name in lost
    )


def _forget(module: Any) -> None:
    del sys.modules[MODULE]
    for value in list(vars(module).values()):
        name = getattr(value, "name", None)
        if isinstance(value, type) and isinstance(name, str):
            workflow_registry.discard(name)
    # Caches of signatures and descriptors keep a function or a class for good; through its globals it
    # would keep the whole module and its program, too, and thousands of them fill the memory.
    vars(module).clear()
