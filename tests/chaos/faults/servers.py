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
_FIGURE = "Postgres restart: server accepts connections → every pool has settled again"


class RestartedServer(Fault):
    """`pg_ctl restart -m immediate`: no checkpoint, no word to anybody."""

    name = "F3"
    title = "Postgres restart -m immediate"

    def strike(self, arena: Arena, chance: Random) -> None:
        pools = {pool.id for pool in arena.ready()}
        arena.setting.server.stop_immediately()
        arena.setting.server.start()
        accepts = time.time()
        settled: dict[int, float] = {}

        def all_settled() -> bool:
            settled.update(arena.query(_SETTLED_SINCE, accepts))
            return pools <= settled.keys()

        try:
            wait_for(all_settled, seconds=8)
        except TimeoutError:
            # One that has nothing to do at the moment settles nothing.
            arena.notes.append(f"F3: of pools {pools} only {set(settled)} had something to settle")
        else:
            arena.measured(
                _FIGURE, max((settled[pool] for pool in pools if pool), default=accepts) - accepts
            )


class TerminatedSessions(Fault):
    """`pg_terminate_backend` of every session of ours, those of the bridge too."""

    name = "F4"
    title = "pg_terminate_backend of all sessions"

    def strike(self, arena: Arena, chance: Random) -> None:
        arena.query(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name like 'waymark%%' and datname = current_database()"
        )
