"""The environment in; the web application, serving until SIGTERM, or a clear first screen out."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from waymark_schema.database.pools import wait_for_database
from waymark_schema.database.sessions import open_session
from waymark_schema.database.settings import DatabaseSettings, from_environment
from waymark_schema.environment import load, refuse_login
from waymark_schema.errors import DatabaseError, WaymarkError
from waymark_schema.migrate import check_schema
from waymark_web.database import APPLICATION
from waymark_web.listener import listen
from waymark_web.logs import configuration
from waymark_web.settings import Address, WebSettings

if TYPE_CHECKING:
    import socket

CANNOT_START = 78
_SUCCESSOR_PATIENCE = timedelta(seconds=10)
_log = logging.getLogger("waymark.web")


@click.command("web")
@click.option(
    "--with-parent",
    type=int,
    metavar="PID",
    help="End when this process, which started us, ends; how a worker pool starts the server.",
)
def web(with_parent: int | None) -> None:
    """Serve the web application on WAYMARK_WEBAPP_ADDR (0.0.0.0:24119).

    There is no login: keep the port on a private network.
    """
    try:
        _serve(with_parent)
    except WaymarkError as error:
        print(f"waymark-web: {error}", file=sys.stderr, flush=True)
        sys.exit(CANNOT_START)
    except KeyboardInterrupt:
        sys.exit(130)


def _serve(parent: int | None) -> None:
    if sys.platform == "win32":
        msg = "the web application runs on Linux and macOS; on Windows use WSL or a container."
        raise WaymarkError(msg)
    from waymark_web.lifeline import end_with_parent  # noqa: PLC0415 - needs a Unix
    from waymark_web.server import Server  # noqa: PLC0415 - gunicorn needs a Unix

    settings = load(WebSettings)
    refuse_login()
    database = from_environment(os.environ)
    logging.config.dictConfig(configuration(level=settings.log_level, form=settings.log_format))
    if parent is not None:
        end_with_parent(parent)
    # A pool that was killed leaves a server that ends a moment later: its successor waits for the port.
    patience = timedelta(0) if parent is None else _SUCCESSOR_PATIENCE
    listener = listen(settings.address, patience=patience)
    asyncio.run(_check(database))
    address = _listening_on(settings, listener)
    Server(
        settings,
        listener,
        lambda: _log.info("ready: http://%s, database %s", address, database.target),
    ).run()


async def _check(database: DatabaseSettings) -> None:
    """Refuse to start where no page could ever be served; tables may still be created meanwhile."""
    await wait_for_database(database, application=APPLICATION)
    session = await open_session(database, application=APPLICATION)
    async with session.connection:
        try:
            await check_schema(session)
        except DatabaseError as error:
            _log.warning("%s Until then every page says so.", " ".join(str(error).split()))


def _listening_on(settings: WebSettings, listener: socket.socket) -> str:
    return Address(settings.address.host, listener.getsockname()[1]).shown
