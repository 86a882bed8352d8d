"""A server's connection string in; throw-away databases on it out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, by the connection string of any database whose role may create others."""

    url: str

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path="/" + quote(database, safe="")))

    def create(self, *, template: str | None = None, name: str | None = None) -> str:
        """Create a database, empty or as a copy of `template`; return its name."""
        name = name or f"test_{uuid4().hex}"
        statement = sql.SQL("create database {} template {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        self._run(statement)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, with whoever is still in it."""
        self._let_sessions_end(name)
        self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def exists(self, name: str) -> bool:
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [name])
            return found.fetchone() is not None

    def seal(self, name: str) -> None:
        """Keep everybody out of a template: a single session on it would stop it from being copied."""
        self._run(
            sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name))
        )

    def rename(self, old: str, new: str) -> None:
        self._run(
            sql.SQL("alter database {} rename to {}").format(
                sql.Identifier(old), sql.Identifier(new)
            )
        )

    @contextmanager
    def database(self, *, template: str | None = None) -> Iterator[str]:
        """Yield the connection string of a database that lives as long as the block."""
        name = self.create(template=template)
        try:
            yield self.url_of(name)
        finally:
            self.drop(name)

    def _let_sessions_end(self, name: str) -> None:
        # A session that was closed a moment ago makes `drop database` sleep for a tenth of a second.
        with psycopg.connect(self.url, autocommit=True) as connection:
            for _ in range(_LOOKS):
                found = connection.execute(
                    "select 1 from pg_stat_activity where datname = %s limit 1", [name]
                )
                if found.fetchone() is None:
                    return
                connection.execute("select pg_sleep(0.002)")

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def migrate(url: str) -> None:
    """Bring a database to the newest schema."""
    # Here, because a broken migration must not stop the tests that need no database.
    from waymark_schema.database.settings import from_environment  # noqa: PLC0415
    from waymark_schema.migrate import migrate_up  # noqa: PLC0415

    migrate_up(from_environment({"WAYMARK_DATABASE_URL": url}))
