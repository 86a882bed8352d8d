"""A few runs of a round in; a runloop that dies before and after each of their journal entries, out (F7)."""

from __future__ import annotations

from random import Random

from tests.chaos import crashing
from tests.chaos.arena import Arena
from tests.chaos.fault import Fault, Setting


class CrashedBoundaries(Fault):
    """The runloop is killed right before each commit of an entry of a chosen run, and right after it.

    Each of these places once; a run with seven entries survives fourteen deaths.
    """

    name = "F7"
    title = "crash at every journal boundary"

    def __init__(self, *, runs: int = 1, entries: int = 6) -> None:
        # In a round like any other few: each death costs a start of a runloop and its workers.
        self._variables = {crashing.RUNS: str(runs), crashing.ENTRIES: str(entries)}

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.patches.append("tests.chaos.crashing:install")
        setting.variables.update(self._variables)

    def struck(self, arena: Arena) -> int:
        return crashing.deaths(arena.ledger)
