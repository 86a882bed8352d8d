"""`/healthz`: nothing in, whether the database and its schema can be used, as JSON, out."""

from __future__ import annotations

import psycopg
from falcon.asgi import Request, Response

from waymark_schema.database import execute
from waymark_schema.errors import DatabaseError
from waymark_schema.migrate import check_schema
from waymark_schema.reports import health
from waymark_web.database import Database

_UNAVAILABLE = 503


class Health:
    """For probes: 200 while pages can be served, 503 otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def on_get(self, _req: Request, resp: Response) -> None:
        """Ask the database."""
        resp.cache_control = ["no-store"]
        try:
            async with self._database.session() as session:
                await check_schema(session)
                pulse = await execute.fetch_one(session, health.pulse())
        except (DatabaseError, psycopg.Error, OSError) as error:
            resp.status = _UNAVAILABLE
            resp.media = {"status": "unavailable", "error": _words(error)}
            return
        resp.media = {
            "status": "ok",
            "database_time": pulse.now.isoformat(),
            "live_runloops": pulse.live_leases,
        }

    on_head = on_get


def _words(error: Exception) -> str:
    text = str(error) if isinstance(error, DatabaseError) else type(error).__name__
    return " ".join(text.split())
