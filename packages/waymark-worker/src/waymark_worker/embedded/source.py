"""The environment in, a database to work with out: the user's own if there is one, else a private one."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waymark_worker.embedded.server import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """A connection string, and the private server behind it if it is one of ours."""

    url: str
    server: EmbeddedServer | None


@contextmanager
def database_for(
    directory: Path, environment: Mapping[str, str] | None = None, *, port: int | None = None
) -> Iterator[DatabaseSource]:
    """Yield `WAYMARK_DATABASE_URL` if it is set, else a private Postgres in `directory` until the end.

    Raises:
        EmbeddedPostgresError: the private Postgres cannot run.

    Example:
        >>> with database_for(Path(".waymark")) as database:  # doctest: +SKIP
        ...     psycopg.connect(database.url)

    """
    environment = os.environ if environment is None else environment
    url = environment.get("WAYMARK_DATABASE_URL")
    if url:
        yield DatabaseSource(url, None)
        return
    with EmbeddedServer(directory, port=port) as server:
        yield DatabaseSource(server.dsn, server)
