"""`/workers`: nothing in, every pool with its workers and what nobody can run out."""

from __future__ import annotations

from falcon.asgi import Request, Response

from waymark_schema.database import execute
from waymark_schema.reports import workers
from waymark_web.clock import Clock
from waymark_web.database import Database
from waymark_web.resources import answer
from waymark_web.views.worker_list import SAMPLED, UNSERVED_MOST, workers_page


class Workers:
    """The pools that live or reported lately."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Show every pool."""
        async with self._database.session() as session:
            pools = await execute.fetch_all(session, workers.pools())
            samples = await execute.fetch_all(session, workers.samples(within=SAMPLED))
            known = await execute.fetch_all(session, workers.known([pool.id for pool in pools]))
            unserved = await execute.fetch_all(session, workers.unserved(most=UNSERVED_MOST + 1))
        view = workers_page(pools, samples, known, unserved, now=self._clock.now())
        answer(req, resp, "workers.html", view)

    on_head = on_get
