"""The few functions that run a query: a session and a `Query[Row]` go in, rows come out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

from waymark_schema.database.failpoints import Failpoints
from waymark_schema.database.hanging import Answered
from waymark_schema.database.parameters import TYPES, ParameterType
from waymark_schema.database.statement import Nothing, Query

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Session:
    """An asynchronous connection, the schema its statements name, and whether they may be prepared."""

    connection: psycopg.AsyncConnection[Any]
    schema: str
    prepare: bool | None = None
    patience: float | None = None
    """Seconds after which a statement without an answer counts as one whose connection broke."""
    failpoints: Failpoints | None = None


@dataclass(frozen=True, slots=True)
class SyncSession:
    """A blocking connection, the schema its statements name, and whether they may be prepared."""

    connection: psycopg.Connection[Any]
    schema: str
    prepare: bool | None = None


def unprepared(session: Session) -> Session:
    """The same session, planning every query anew for the values given; right for filters of people."""
    return replace(session, prepare=False)


def hurried(session: Session, seconds: float) -> Session:
    """The same session, giving a statement no more than this time to be answered."""
    return replace(session, patience=seconds)


def answered(session: Session) -> Answered:
    """A block of several statements on a session, a transaction say, that is answered in time as a whole."""
    return Answered(session.connection, session.patience)


class _Argument:
    """A value that already is in its binary wire form, or NULL."""

    __slots__ = ("wire",)

    def __init__(self, wire: bytes | None) -> None:
        self.wire = wire


class _ArgumentDumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: _Argument) -> bytes | None:
        return obj.wire


def _argument_class(kind: ParameterType) -> type[_Argument]:
    """Make the class through which psycopg learns the oid of one type.

    Registered at import: a connection copies the adapters that exist when it is opened.
    """
    argument = type(f"Argument{kind.oid}", (_Argument,), {"__slots__": ()})
    dumper = type(f"Dumper{kind.oid}", (_ArgumentDumper,), {"oid": kind.oid})
    psycopg.adapters.register_dumper(argument, dumper)
    return argument


_ARGUMENTS = {kind.oid: _argument_class(kind) for kind in TYPES.values()}


def arguments(query: Query[Any]) -> list[_Argument]:
    """Encode the values of a query in the order of its placeholders.

    Typed NULLs keep the server's prepared plan the same whether a value is present or not.
    """
    kinds = query.statement.parameters
    return [
        _ARGUMENTS[kind.oid](None if value is None else kind.encode(value))
        for (_, kind), value in zip(kinds, query.values, strict=True)
    ]


async def fetch_all(session: Session, query: Query[Row]) -> list[Row]:
    """Run a query on an asynchronous session and return its rows.

    Raises psycopg.Error as the driver does; `faults.classify` says what it means.
    """
    if session.failpoints is None:
        return await _fetch_all(session, query)
    return await session.failpoints.around(
        session.connection, query.statement.name, lambda: _fetch_all(session, query)
    )


async def _fetch_all(session: Session, query: Query[Row]) -> list[Row]:
    async with psycopg.AsyncRawCursor(session.connection) as cursor:
        await _run(session, cursor, query)
        return _rows(query, await cursor.fetchall()) if cursor.description else []


async def _run(session: Session, cursor: psycopg.AsyncRawCursor[Any], query: Query[Any]) -> None:
    with Answered(session.connection, session.patience):
        await cursor.execute(
            query.statement.sql(session.schema),
            arguments(query),
            prepare=session.prepare,
            binary=True,
        )


async def fetch_optional(session: Session, query: Query[Row]) -> Row | None:
    """Run a query that returns at most one row; None when there is none."""
    return _optional(query, await fetch_all(session, query))


async def fetch_one(session: Session, query: Query[Row]) -> Row:
    """Run a query that always returns exactly one row; ValueError says that it did not."""
    return _one(query, await fetch_all(session, query))


async def execute(session: Session, query: Query[Nothing]) -> int:
    """Run a query for its effect and return the number of rows that it touched."""
    if session.failpoints is None:
        return await _execute(session, query)
    return await session.failpoints.around(
        session.connection, query.statement.name, lambda: _execute(session, query)
    )


async def _execute(session: Session, query: Query[Nothing]) -> int:
    async with psycopg.AsyncRawCursor(session.connection) as cursor:
        await _run(session, cursor, query)
        return cursor.rowcount


def fetch_all_sync(session: SyncSession, query: Query[Row]) -> list[Row]:
    """Run a query on a blocking session and return its rows."""
    with psycopg.RawCursor(session.connection) as cursor:
        cursor.execute(
            query.statement.sql(session.schema),
            arguments(query),
            prepare=session.prepare,
            binary=True,
        )
        return _rows(query, cursor.fetchall()) if cursor.description else []


def fetch_optional_sync(session: SyncSession, query: Query[Row]) -> Row | None:
    """Run a query that returns at most one row on a blocking session."""
    return _optional(query, fetch_all_sync(session, query))


def fetch_one_sync(session: SyncSession, query: Query[Row]) -> Row:
    """Run a query that always returns exactly one row on a blocking session."""
    return _one(query, fetch_all_sync(session, query))


def execute_sync(session: SyncSession, query: Query[Nothing]) -> int:
    """Run a query for its effect on a blocking session; the number of rows that it touched."""
    with psycopg.RawCursor(session.connection) as cursor:
        cursor.execute(
            query.statement.sql(session.schema),
            arguments(query),
            prepare=session.prepare,
            binary=True,
        )
        return cursor.rowcount


def _rows(query: Query[Row], records: Sequence[tuple[Any, ...]]) -> list[Row]:
    row = query.statement.row
    return [row(*record) for record in records]


def _optional(query: Query[Row], rows: list[Row]) -> Row | None:
    return _one(query, rows) if rows else None


def _one(query: Query[Row], rows: list[Row]) -> Row:
    if len(rows) != 1:
        raise ValueError(
            f"statement {query.statement.name!r} returned {len(rows)} rows, expected exactly one"
        )
    return rows[0]
