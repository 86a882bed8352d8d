"""`/runs/{id}`: an id in, that run with every attempt out."""

from __future__ import annotations

from uuid import UUID

from falcon import HTTPNotFound
from falcon.asgi import Request, Response

from waymark_schema.database import execute
from waymark_schema.kinds import InstanceState
from waymark_schema.reports import run, workers
from waymark_web import paging
from waymark_web.clock import Clock
from waymark_web.database import Database
from waymark_web.paging import BadParameter
from waymark_web.resources import answer, parameters
from waymark_web.views.run_page import run_page
from waymark_web.views.values import MOST_BYTES

ROOM = 100


class Run:
    """One run."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def on_get(self, req: Request, resp: Response, identifier: str) -> None:
        """Show one run with the last of its entries, or those before the one named."""
        instance = _identifier(identifier)
        before = paging.position(parameters(req), "before")
        async with self._database.session() as session:
            detail = await execute.fetch_optional(session, run.detail(instance, most=MOST_BYTES))
            if detail is None:
                raise HTTPNotFound(
                    description=f"There is no run {instance}. Finished runs are deleted after"
                    " WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS."
                )
            latest = run.latest_entries(instance, before=before, room=ROOM, most=MOST_BYTES)
            entries = await execute.fetch_all(session, latest)
            flying = await execute.fetch_all(session, run.flying(instance, most=MOST_BYTES))
            unserved = (
                await execute.fetch_all(session, workers.unserved(most=1))
                if detail.state == InstanceState.QUEUED
                else []
            )
        view = run_page(
            detail,
            entries[::-1],
            flying,
            before=before,
            now=self._clock.now(),
            unserved=unserved,
        )
        answer(req, resp, "run.html", view)

    on_head = on_get


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = (
            f"the run is {text[:80]!r}; expected an id such as 0192d0f1-5f6e-7a3c-9d53-2b1f3a1f0c55"
        )
        raise BadParameter(msg) from None
