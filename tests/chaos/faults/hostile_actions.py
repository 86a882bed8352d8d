"""Further workflows for the load: actions that block their worker (F15), end it (F16) or kill the pool (F18)."""

from __future__ import annotations

from random import Random

from tests.chaos.arena import Arena
from tests.chaos.fault import Fault, Setting


class BlockedLoop(Fault):
    """An async action that computes: nothing else runs in its worker meanwhile."""

    name = "F15"
    title = "async actions that compute"

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.extra.append("ChaosComputes")

    def struck(self, arena: Arena) -> int:
        return arena.begun("compute")


class PoisonActions(Fault):
    """An action that ends its worker process, the first time or every time."""

    name = "F16"
    title = "actions that os._exit"

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.extra.append("ChaosLeaves")

    def struck(self, arena: Arena) -> int:
        return arena.begun("leave")


class TreacherousActions(Fault):
    """An action that kills its whole pool, the supervisor too."""

    name = "F18"
    title = "actions that kill -9 their pool"

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.extra.append("ChaosBetrays")
        for plan in setting.pools:
            plan.may_end = True

    def struck(self, arena: Arena) -> int:
        return arena.begun("betray")
