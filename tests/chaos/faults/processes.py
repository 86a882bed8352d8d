"""Signals to processes of pools: F1 kills them, F2 stops a whole pool for longer than its lease lives."""

from __future__ import annotations

from random import Random

from tests.chaos.arena import Arena, Pool, one_with_a_peer, wait_for
from tests.chaos.fault import Fault

TAKEOVER = 20.0
"""Far more than a lease lives, and less than what a lost run costs."""


class KilledProcesses(Fault):
    """kill -9 of a whole pool, a supervisor, a runloop, a worker or the bridge."""

    name = "F1"
    title = "kill -9 of pool, supervisor, runloop, worker, bridge"

    def __init__(self) -> None:
        self._next: list[str] = []

    def strike(self, arena: Arena, chance: Random) -> None:
        if not self._next:
            self._next = ["supervisor", "runloop", "worker", "bridge", "pool"]
            chance.shuffle(self._next)
        what = self._next.pop()
        if what == "bridge":
            arena.kill(arena.bridges())
            return
        pool = one_with_a_peer(arena, chance)
        if what == "pool":
            kill = arena.kill_pool(pool)
            if arena.setting.faults == (self.name,):
                # Alone it does not kill those who are about to take over: that would be another figure.
                arena.wait_for_takeover(kill, seconds=TAKEOVER)
        elif what == "supervisor":
            arena.end_pool(pool)
        elif what == "runloop":
            arena.kill(pool.runloops())
        else:
            arena.kill(pool.workers()[:1])


class StoppedPool(Fault):
    """SIGSTOP of all processes of a pool until others have taken its runs over; then it goes on."""

    name = "F2"
    title = "SIGSTOP of a pool past its lease, SIGCONT"

    def strike(self, arena: Arena, chance: Random) -> None:
        pool = one_with_a_peer(arena, chance)
        arena.freeze(pool)
        try:
            wait_for(lambda: self._fenced(arena, pool), seconds=60, what="its leases are fenced")
            arena.wait_for_work(chance.randrange(20, 200), seconds=3)
        finally:
            arena.thaw()

    def mend(self, arena: Arena) -> None:
        arena.thaw()

    def _fenced(self, arena: Arena, pool: Pool) -> bool:
        # The others must be there to do it.
        arena.keep()
        held = arena.query("select 1 from waymark.leases where pool = %s and not fenced", pool.id)
        return not held
