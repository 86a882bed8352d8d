"""What a server is to refuse, and how often, in; triggers that make it do so out."""

from __future__ import annotations

import psycopg

SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
_LOCK_TIMEOUT = "60s"
"""Who waits for a trigger's lock makes every later statement on the table wait behind it: not without an end."""


def upset(
    url: str, table: str, *, state: str, chance: float, event: str = "insert or update or delete"
) -> None:
    """Let some statements that write a table fail with an SQLSTATE, as the server's own errors do."""
    name = f"upset_{table}_{state.lower()}"
    with _connected(url) as connection:
        connection.execute(
            f"create or replace function waymark.{name}() returns trigger language plpgsql as $$"
            f" begin if random() < {chance} then raise exception 'upset on purpose' using errcode = '{state}';"
            " end if; return null; end $$".encode()
        )
        connection.execute(
            f"create or replace trigger {name} after {event} on waymark.{table} for each statement"
            f" execute function waymark.{name}()".encode()
        )


def slow_down(url: str, table: str, *, seconds: float, chance: float = 1.0) -> None:
    """Let statements that insert into a table take so much longer at most."""
    with _connected(url) as connection:
        connection.execute(
            f"create or replace function waymark.slow_{table}() returns trigger language plpgsql as $$"
            f" begin if random() < {chance} then perform pg_sleep(random() * {seconds}); end if;"
            " return null; end $$".encode()
        )
        connection.execute(
            f"create or replace trigger slow_{table} after insert on waymark.{table} for each statement"
            f" execute function waymark.slow_{table}()".encode()
        )


def calm(url: str) -> None:
    """Drop every such trigger."""
    with _connected(url) as connection:
        found = connection.execute(
            "select tgname, tgrelid::regclass::text from pg_trigger"
            " where not tgisinternal and (tgname like 'upset%' or tgname like 'slow%')"
        ).fetchall()
        for name, table in found:
            connection.execute(f"drop trigger {name} on {table}".encode())


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, options=f"-c lock_timeout={_LOCK_TIMEOUT}")
