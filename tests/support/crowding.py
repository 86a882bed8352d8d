"""A connection string in; every connection that the server has left, taken, out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

_OURS = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where application_name like %s and pid <> pg_backend_pid()"
)
NAME = "crowd"


class Crowd:
    """Connections that take up all there are; they do nothing else."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._held: list[psycopg.Connection] = []

    def fill(self) -> int:
        """Take what is left; returns how many are held now."""
        while True:
            try:
                self._held.append(
                    psycopg.connect(self._url, autocommit=True, application_name=NAME)
                )
            except psycopg.OperationalError:
                return len(self._held)

    def drive_out(self, application: str) -> int:
        """End the sessions whose name begins so and take their places; how many were ended."""
        row = self._held[0].execute(_OURS, [f"{application}%"]).fetchone()
        self.fill()
        return row[0] if row else 0

    def leave(self) -> None:
        """Let everybody in again."""
        while self._held:
            self._held.pop().close()


@contextmanager
def crowd(url: str) -> Iterator[Crowd]:
    """Yield a crowd that has gone by the end of the block."""
    made = Crowd(url)
    try:
        yield made
    finally:
        made.leave()
