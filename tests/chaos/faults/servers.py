"""The server and its sessions: F3 ends the server without a checkpoint, F4 ends every session of ours."""

from __future__ import annotations

import time
from random import Random

from tests.chaos.arena import Arena, wait_for
from tests.chaos.fault import Fault

_SETTLED_SINCE = (
    "select l.pool, min(extract(epoch from pg_xact_commit_timestamp(c.xmin)))::float8"
    " from waymark.commits as c join waymark.leases as l on l.id = c.lease"
    " where extract(epoch from pg_xact_commit_timestamp(c.xmin))::float8 > %s group by l.pool"
)
_LEASES = "select pool, id from waymark.leases where not fenced"
_FIGURE = "Postgres restart: server accepts connections → every pool has settled again"
_PATIENCE = 8.0


class RestartedServer(Fault):
    """`pg_ctl restart -m immediate`: no checkpoint, no word to anybody."""

    name = "F3"
    title = "Postgres restart -m immediate"

    def strike(self, arena: Arena, chance: Random) -> None:
        pools = {pool.id for pool in arena.ready()}
        held = set(arena.query(_LEASES))
        arena.setting.server.stop_immediately()
        arena.setting.server.start()
        accepts = time.time()
        settled: dict[int, float] = {}

        def all_settled() -> bool:
            settled.update(arena.query(_SETTLED_SINCE, accepts))
            return pools <= settled.keys()

        try:
            wait_for(all_settled, seconds=_PATIENCE)
        except TimeoutError:
            # It may have had nothing to do; that it works cannot be said.
            arena.notes.append(f"F3: of pools {pools} only {set(settled)} had something to settle")
            arena.measured(_FIGURE, time.time() - accepts)
        else:
            if times := [settled[pool] for pool in pools if pool is not None]:
                arena.measured(_FIGURE, max(times) - accepts)
        self._tell_of_fenced(arena, held)

    def _tell_of_fenced(self, arena: Arena, held: set[tuple[int, int]]) -> None:
        """A pool that was there all the time keeps its leases; with other faults it may lose them to those."""
        alive = {pool.id for pool in arena.ready()}
        for pool, lease in sorted(held - set(arena.query(_LEASES))):
            if pool in alive:
                told = arena.broken if arena.setting.faults == (self.name,) else arena.notes
                told.append(f"F3: pool {pool} lost its lease {lease} when the server restarted")


class TerminatedSessions(Fault):
    """`pg_terminate_backend` of every session of ours, those of the bridge too."""

    name = "F4"
    title = "pg_terminate_backend of all sessions"

    def strike(self, arena: Arena, chance: Random) -> None:
        arena.query(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name like 'waymark%%' and datname = current_database()"
        )
