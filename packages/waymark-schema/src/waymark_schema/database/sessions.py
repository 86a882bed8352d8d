"""One session, opened and checked: settings and a purpose go in, a session or a clear error comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final

import psycopg

from waymark_schema.database import execute
from waymark_schema.database.faults import Fault, classify, refused_for_good
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.database.statement import Query, load
from waymark_schema.errors import (
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseRefused,
    DatabaseUnreachable,
    ServerTooOld,
)

MINIMUM_SERVER: Final = 140000
CONNECT_TIMEOUT_S: Final = 10
_ANSWER_MARGIN: Final = timedelta(seconds=5)
"""The server ends a statement at its timeout; one that says nothing so long after that is not there."""
_KEEPALIVES: Final = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    # Keepalives see a peer that vanished while nothing was under way, this one while something was.
    "tcp_user_timeout": "20000",
}
_NAME_BYTES: Final = 63


class Purpose(Enum):
    """What a session is for; it decides which settings it needs."""

    OWNER = "owner"
    """Claims, settles, heartbeats, reaps: plans are fixed, so they do not depend on how full a table
    was when the plan was made."""
    CLIENT = "client"
    """Enqueues and reads for people: the planner is left alone."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The settings of server and session that promises depend on."""

    server_version: int
    isolation: str
    synchronous_commit: str
    fsync: str
    full_page_writes: str
    in_recovery: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """A setting after it was set for the session."""

    value: str


@dataclass(frozen=True, slots=True)
class Backend:
    """The server process behind a session."""

    pid: int


_FILE = load(__package__, "sessions.sql")
FACTS = _FILE.statement("facts", ServerFacts)
APPLY = _FILE.statement("apply", Applied)
BACKEND = _FILE.statement("backend", Backend)

_OWNER_PLANS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


async def open_session(
    settings: DatabaseSettings,
    *,
    application: str,
    purpose: Purpose = Purpose.CLIENT,
    session_features: bool = True,
) -> execute.Session:
    """Open an autocommit session and make sure that it keeps what Waymark promises.

    `session_features` false (behind a pooler in transaction mode) sets nothing for the session and
    prepares nothing. Raises DatabaseUnreachable, DatabaseRefused, ServerTooOld, DatabaseMisconfigured.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            **connect_parameters(settings, application), autocommit=True
        )
    except psycopg.Error as error:
        raise explain_connect(error, settings) from error
    try:
        return await prepare_session(
            connection, settings, purpose=purpose, session_features=session_features
        )
    except psycopg.Error as error:
        await connection.close()
        if classify(error) in {Fault.LOST, Fault.TRANSIENT}:
            # The server went away between the connection and its first answers.
            raise explain_connect(error, settings) from error
        raise
    except BaseException:
        await connection.close()
        raise


async def prepare_session(
    connection: psycopg.AsyncConnection[Any],
    settings: DatabaseSettings,
    *,
    purpose: Purpose,
    session_features: bool,
) -> execute.Session:
    """Apply a purpose's settings to an open connection and check them."""
    if not session_features:
        connection.prepare_threshold = None
    session = session_on(connection, settings, purpose=purpose, session_features=session_features)
    opening = execute.hurried(session, CONNECT_TIMEOUT_S)
    facts = await execute.fetch_one(opening, FACTS.bind())
    wanted = _wanted(facts, settings, purpose) if session_features else {}
    await execute.fetch_all(opening, _application(wanted))
    _check(facts, settings, wanted)
    return session


def session_on(
    connection: psycopg.AsyncConnection[Any],
    settings: DatabaseSettings,
    *,
    purpose: Purpose,
    session_features: bool,
) -> execute.Session:
    """Say how queries run on a connection that was prepared before."""
    return execute.Session(
        connection,
        settings.schema,
        _prepares(purpose, session_features),
        patience=(settings.statement_timeout + _ANSWER_MARGIN).total_seconds(),
        failpoints=settings.failpoints,
    )


def _prepares(purpose: Purpose, features: bool) -> bool | None:  # noqa: FBT001 - a fact about the session
    if not features:
        return False
    return True if purpose is Purpose.OWNER else None


def open_session_sync(
    settings: DatabaseSettings,
    *,
    application: str,
    purpose: Purpose = Purpose.CLIENT,
    session_features: bool = True,
) -> execute.SyncSession:
    """Open a blocking session; the same promises and errors as `open_session`."""
    try:
        connection = psycopg.connect(**connect_parameters(settings, application), autocommit=True)
    except psycopg.Error as error:
        raise explain_connect(error, settings) from error
    try:
        if not session_features:
            connection.prepare_threshold = None
        session = execute.SyncSession(
            connection, settings.schema, _prepares(purpose, session_features)
        )
        facts = execute.fetch_one_sync(session, FACTS.bind())
        wanted = _wanted(facts, settings, purpose) if session_features else {}
        execute.fetch_all_sync(session, _application(wanted))
        _check(facts, settings, wanted)
    except BaseException:
        connection.close()
        raise
    return session


def connect_parameters(settings: DatabaseSettings, application: str) -> dict[str, Any]:
    """The keyword arguments for psycopg: the user's own, then ours.

    Nothing here is a server setting, which a pooler in transaction mode would refuse.
    """
    return {
        "connect_timeout": str(CONNECT_TIMEOUT_S),
        **_KEEPALIVES,
        **settings.url.parameters,
        "application_name": application.encode()[:_NAME_BYTES].decode(errors="ignore"),
        "client_encoding": "UTF8",
        "target_session_attrs": "read-write",
    }


def explain_connect(error: psycopg.Error, settings: DatabaseSettings) -> DatabaseError:
    """Turn a failed connection into a message with the next step, and without the password."""
    said = _first_line(error, settings)
    target = settings.target
    if "read-only" in said or "read-write" in said:
        return DatabaseUnreachable(
            f"every server for {target} is a standby; expected one that takes writes.\n"
            f"The server said: {said}\nPoint WAYMARK_DATABASE_URL at the primary.",
            target=target,
        )
    if refused_for_good(error):
        return DatabaseRefused(
            f"the database {target} refused the connection.\n"
            f"The server said: {said}\n"
            "Check user, password, database name and sslmode in WAYMARK_DATABASE_URL.",
            target=target,
        )
    return DatabaseUnreachable(
        f"cannot reach the database {target}.\n"
        f"The client said: {said}\n"
        "Check host and port in WAYMARK_DATABASE_URL, and that the server runs.",
        target=target,
    )


def durability_warnings(facts: ServerFacts) -> list[str]:
    """Say which of the server's settings would lose committed work in a crash."""
    return [
        f"the server runs with {name} = off: a crash of its machine can lose or corrupt committed runs"
        for name, value in (("fsync", facts.fsync), ("full_page_writes", facts.full_page_writes))
        if value == "off"
    ]


async def server_facts(session: execute.Session) -> ServerFacts:
    """Read what the server's promises depend on, for warnings and `waymark doctor`."""
    return await execute.fetch_one(session, FACTS.bind())


def _wanted(facts: ServerFacts, settings: DatabaseSettings, purpose: Purpose) -> dict[str, str]:
    wanted = {
        "statement_timeout": str(settings.statement_timeout // timedelta(milliseconds=1)),
        "default_transaction_isolation": "read committed",
        # Compiling a plan takes longer than any statement of ours runs: 160 ms for a release that found nothing.
        "jit": "off",
    }
    if facts.synchronous_commit == "off":
        wanted["synchronous_commit"] = "on"
    return wanted | _OWNER_PLANS if purpose is Purpose.OWNER else wanted


def _application(wanted: Mapping[str, str]) -> Query[Applied]:
    return APPLY.bind(name=list(wanted.keys()), value=list(wanted.values()))


def _check(facts: ServerFacts, settings: DatabaseSettings, applied: Mapping[str, str]) -> None:
    if facts.server_version < MINIMUM_SERVER:
        major, minor = divmod(facts.server_version, 10_000)
        raise ServerTooOld(
            f"the server of {settings.target} is PostgreSQL {major}.{minor}; expected 14 or newer.\n"
            "Point WAYMARK_DATABASE_URL at a newer server or upgrade this one.",
            target=settings.target,
        )
    promises = (
        (
            "default_transaction_isolation",
            facts.isolation,
            facts.isolation == "read committed",
            "'read committed'",
        ),
        ("synchronous_commit", facts.synchronous_commit, facts.synchronous_commit != "off", "on"),
    )
    for name, found, fine, expected in promises:
        if not fine and name not in applied:
            raise DatabaseMisconfigured(
                f"sessions of {settings.target} have {name} = {found!r}; expected {expected}.\n"
                f"Behind a pooler Waymark cannot set it for itself; run: alter role … set {name} = {expected}",
                target=settings.target,
            )


def _first_line(error: psycopg.Error, settings: DatabaseSettings) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    password = settings.url.parameters.get("password")
    return said.replace(password, "***") if password else said
