"""A database and a clock in, the ASGI application out: its routes, one per line."""

from __future__ import annotations

from typing import Any

from falcon.asgi import App, Request, Response

from waymark_web import failures
from waymark_web.clock import Clock
from waymark_web.database import Database
from waymark_web.resources.files import Files
from waymark_web.resources.health import Health
from waymark_web.resources.run import Run
from waymark_web.resources.runs import Runs
from waymark_web.resources.workers import Workers

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def create_app(database: Database, clock: Clock) -> App[Request, Response]:
    """Put the application together.

    There is no login yet: whoever reaches the port sees every run. It changes nothing.
    """
    app: App[Request, Response] = App(middleware=[_Around(database)])
    app.req_options.strip_url_path_trailing_slash = True
    app.add_route("/", Runs(database, clock))
    app.add_route("/runs/{identifier}", Run(database, clock))
    app.add_route("/workers", Workers(database, clock))
    app.add_route("/healthz", Health(database))
    app.add_route("/static/{version}/{name}", Files())
    failures.install(app)
    return app


class _Around:
    """What every response carries, and what ends with the server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def process_response(
        self,
        _req: Request,
        resp: Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 - falcon's signature
    ) -> None:
        """Add the headers that confine the page; what shows runs is never cached."""
        resp.set_headers(HEADERS)
        if "cache-control" not in resp.headers:
            resp.cache_control = ["no-store"]

    async def process_shutdown(self, _scope: dict[str, Any], _event: dict[str, Any]) -> None:
        """Close the sessions."""
        await self._database.close()
