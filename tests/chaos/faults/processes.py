"""Signals to processes of pools: F1 kills them, F2 stops a whole pool for longer than its lease lives."""

from __future__ import annotations

from random import Random

from tests.chaos.arena import Arena
from tests.chaos.fault import Fault


class KilledProcesses(Fault):
    """kill -9 of a whole pool, a supervisor, a runloop, a worker or the bridge."""

    name = "F1"
    title = "kill -9 of pool, supervisor, runloop, worker, bridge"

    def strike(self, arena: Arena, chance: Random) -> None:
        pools = arena.live()
        if not pools:
            return
        pool = chance.choice(pools)
        match chance.choice(("pool", "supervisor", "runloop", "worker", "bridge")):
            case "pool":
                arena.kill_pool(pool)
            case "supervisor":
                arena.end_pool(pool)
            case "runloop":
                arena.kill(pool.runloops())
            case "worker":
                workers = pool.workers()
                arena.kill(chance.sample(workers, min(1, len(workers))))
            case _:
                arena.kill(arena.bridges())
