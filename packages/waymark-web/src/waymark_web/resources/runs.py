"""`/`: a filter and a cursor in, a page of runs out."""

from __future__ import annotations

from falcon.asgi import Request, Response

from waymark_schema.database import execute
from waymark_schema.reports import runs
from waymark_web import paging
from waymark_web.clock import Clock
from waymark_web.database import Database
from waymark_web.resources import answer, parameters
from waymark_web.views.run_list import COUNTED, read_filter, run_list

ROOM = 50


class Runs:
    """The list of runs, newest first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Show one page of the runs that pass the filter."""
        asked = parameters(req)
        chosen = read_filter(asked)
        at = paging.cursor(asked)
        async with self._database.session() as session:
            workflows = await execute.fetch_all(session, runs.workflows())
            counts = await execute.fetch_all(session, runs.counts(most=COUNTED + 1))
            programs = None
            if chosen.workflow is not None:
                versions = await execute.fetch_all(session, runs.programs_of(chosen.workflow))
                programs = [version.id for version in versions]
            query = (
                runs.page_backwards(
                    after=at.after, states=chosen.states, programs=programs, room=ROOM + 1
                )
                if at.after is not None
                else runs.page(
                    before=at.before, states=chosen.states, programs=programs, room=ROOM + 1
                )
            )
            lines = await execute.fetch_all(execute.unprepared(session), query)
        shown, page = paging.cut(lines, at, room=ROOM)
        view = run_list(
            shown,
            page,
            chosen=chosen,
            at=at,
            counts=counts,
            workflows=workflows,
            now=self._clock.now(),
        )
        answer(req, resp, "runs.html", view)

    on_head = on_get
