"""Forward-only steps: a database and the `.sql` files beside this module go in, an up-to-date schema comes out."""

import hashlib
import re
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

import psycopg
from psycopg import sql

from waymark_schema.database import execute
from waymark_schema.database.sessions import explain_connect, open_session_sync
from waymark_schema.database.settings import DatabaseSettings
from waymark_schema.database.statement import Nothing, load, render
from waymark_schema.errors import (
    DatabaseUnreachable,
    MigrationBlocked,
    MigrationFailed,
    PermissionMissing,
    SchemaHistoryEdited,
    SchemaMissing,
    SchemaTooNew,
)

CODE: Final = 1
"""What this code understands; a schema whose `minimum_code` is greater is refused."""

_STEP_NAME = re.compile(r"(?P<name>[0-9]{4}_(?:expand|contract)_[a-z0-9_]+)\.sql")
_MINIMUM = re.compile(r"^-- minimum-code: (?P<code>[0-9]+)$", re.MULTILINE)
_LOCK_TRIES: Final = 6
_MIGRATOR_WAIT: Final = "120s"
_TABLE_WAIT: Final = "5s"
_APPLICATION: Final = "waymark-migrate"
_CONNECT_PAUSE_S: Final = 0.5

BOOTSTRAP: Final = """create table {schema}.migrations (
    name text not null,
    sha256 bytea not null,
    minimum_code integer not null,
    applied_at timestamptz not null default clock_timestamp(),
    constraint migrations_key primary key (name)
)"""


@dataclass(frozen=True, slots=True)
class Step:
    """One migration file; `expand` runs before a deploy, `contract` after it."""

    name: str
    minimum_code: int
    sha256: bytes
    text: str

    @property
    def expands(self) -> bool:
        """Whether code from before this step goes on working after it."""
        return "_expand_" in self.name


@dataclass(frozen=True, slots=True)
class AppliedStep:
    """A step that the database has recorded."""

    name: str
    sha256: bytes
    minimum_code: int
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class StepStatus:
    """One line of `waymark migrate status`."""

    name: str
    state: str
    """`applied`, `pending`, `after` (a contract step that waits for the end of the deploy), `edited` or
    `unknown` (applied by newer code)."""
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether schema and migrations table exist."""

    schema_exists: bool
    table_exists: bool


@dataclass(frozen=True, slots=True)
class Locked:
    """The migrators' lock is held."""

    locked: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The timeouts that now hold for the transaction."""

    lock_timeout: str
    statement_timeout: str


@dataclass(frozen=True, slots=True)
class Role:
    """Who is connected to what."""

    role: str
    database: str


_FILE = load("waymark_schema", "migrate.sql")
EXISTS = _FILE.statement("exists", Presence)
APPLIED = _FILE.statement("applied", AppliedStep)
RECORD = _FILE.statement("record", Nothing)
LOCK = _FILE.statement("lock", Locked)
LIMITS = _FILE.statement("limits", Limits)
ROLE = _FILE.statement("role", Role)


@cache
def steps() -> tuple[Step, ...]:
    """Every step of this code, in order.

    Raises ValueError for a file whose name or `-- minimum-code:` line is wrong.
    """
    found = []
    for file in (files("waymark_schema") / "migrations").iterdir():
        match = _STEP_NAME.fullmatch(file.name)
        if match is None:
            raise ValueError(
                f"migration {file.name!r} is named wrong; expected NNNN_expand_… or NNNN_contract_….sql"
            )
        text = file.read_text(encoding="utf-8")
        minimum = _MINIMUM.search(text)
        if minimum is None:
            raise ValueError(f"migration {file.name!r} lacks its line `-- minimum-code: N`")
        digest = hashlib.sha256(text.encode()).digest()
        found.append(Step(match["name"], int(minimum["code"]), digest, text))
    return tuple(sorted(found, key=lambda step: step.name))


def migrate_up(settings: DatabaseSettings) -> list[str]:
    """Apply every pending step that older code bears and return their names; any number may do so at once.

    Contract steps are left to `contract`, except on a database that has no step yet: nothing older runs
    there. Waits for an unreachable server as long as `WAYMARK_DATABASE_WAIT_S`. Raises PermissionMissing,
    SchemaTooNew, SchemaHistoryEdited, MigrationBlocked, MigrationFailed, or what opening a session raises.
    """
    session = _open_patiently(settings)
    try:
        with _explained(session, settings):
            applied = _applied(session)
            wanted = [step for step in steps() if step.expands or not applied]
            return _apply_all(session, settings, wanted, applied)
    finally:
        session.connection.close()


def contract(settings: DatabaseSettings) -> list[str]:
    """Apply every pending step, those too that older code does not bear; the same errors as `migrate_up`."""
    session = _open_patiently(settings)
    try:
        with _explained(session, settings):
            return _apply_all(session, settings, steps(), _applied(session))
    finally:
        session.connection.close()


def status(settings: DatabaseSettings) -> list[StepStatus]:
    """Compare the steps of this code with those of the database."""
    session = open_session_sync(settings, application=_APPLICATION)
    try:
        with _explained(session, settings):
            applied = _applied(session)
    finally:
        session.connection.close()
    return compare(steps(), applied)


def compare(known: Sequence[Step], applied: Sequence[AppliedStep]) -> list[StepStatus]:
    """Say of every step, known here or applied there, how it stands."""
    there = {step.name: step for step in applied}
    lines = [_line(step, there.pop(step.name, None)) for step in known]
    newer = [StepStatus(step.name, "unknown", step.applied_at) for step in there.values()]
    return sorted(lines + newer, key=lambda line: line.name)


def dump(schema: str) -> str:
    """Write the SQL that `migrate_up` runs on an empty database, for people who apply it by hand."""
    parts = [
        "-- Waymark's schema as `waymark migrate up` creates it. Run it with: psql -v ON_ERROR_STOP=1 -1 -f -",
        render("create schema {schema};", schema),
        render(BOOTSTRAP, schema) + ";",
    ]
    for step in steps():
        parts.append(f"-- {step.name}\n{render(step.text, schema).strip()}")
        parts.append(
            render(
                "insert into {schema}.migrations (name, sha256, minimum_code) values"
                f" ('{step.name}', '\\x{step.sha256.hex()}', {step.minimum_code});",
                schema,
            )
        )
    return "\n\n".join(parts) + "\n"


async def check_schema(session: execute.Session) -> None:
    """Make sure that this code can work with the schema as it is; a newer, expanded schema is fine.

    Raises SchemaMissing, SchemaTooNew or PermissionMissing.
    """
    try:
        presence = await execute.fetch_one(session, EXISTS.bind(schema=session.schema))
        applied = await execute.fetch_all(session, APPLIED.bind()) if presence.table_exists else []
    except psycopg.errors.InsufficientPrivilege as error:
        role = await execute.fetch_one(session, ROLE.bind())
        raise _permission_missing(role, session.schema, error) from error
    _require_usable(session.schema, applied)


def check_schema_sync(session: execute.SyncSession) -> None:
    """Check the schema on a blocking session; the same errors as `check_schema`."""
    try:
        applied = _applied(session)
    except psycopg.errors.InsufficientPrivilege as error:
        role = execute.fetch_one_sync(session, ROLE.bind())
        raise _permission_missing(role, session.schema, error) from error
    _require_usable(session.schema, applied)


def _line(step: Step, applied: AppliedStep | None) -> StepStatus:
    if applied is None:
        return StepStatus(step.name, "pending" if step.expands else "after", None)
    state = "applied" if applied.sha256 == step.sha256 else "edited"
    return StepStatus(step.name, state, applied.applied_at)


def _open_patiently(settings: DatabaseSettings) -> execute.SyncSession:
    deadline = time.monotonic() + settings.wait.total_seconds()
    while True:
        try:
            return open_session_sync(settings, application=_APPLICATION)
        except DatabaseUnreachable:
            if time.monotonic() + _CONNECT_PAUSE_S >= deadline:
                raise
            time.sleep(_CONNECT_PAUSE_S)


def _apply_all(
    session: execute.SyncSession,
    settings: DatabaseSettings,
    wanted: Sequence[Step],
    applied: Sequence[AppliedStep],
) -> list[str]:
    _require_history(session.schema, applied)
    _require_code(session.schema, applied)
    done = {step.name for step in applied}
    return [
        step.name for step in wanted if step.name not in done and _apply(session, settings, step)
    ]


def _apply(session: execute.SyncSession, settings: DatabaseSettings, step: Step) -> bool:
    """Apply one step unless another migrator did meanwhile; a busy table is waited for a few times."""
    for attempt in range(1, _LOCK_TRIES + 1):
        try:
            return _apply_locked(session, step)
        except psycopg.errors.LockNotAvailable as error:
            if attempt == _LOCK_TRIES:
                raise MigrationBlocked(
                    f"migration {step.name} waited too long for a lock in {settings.target}.\n"
                    "Another migrator, or a long transaction on these tables, holds it; nothing was"
                    " changed.\nFind it in pg_stat_activity, end it, and run: waymark migrate up",
                    target=settings.target,
                ) from error
    raise AssertionError("the last try either returns or raises")


def _apply_locked(session: execute.SyncSession, step: Step) -> bool:
    with session.connection.transaction():
        execute.fetch_one_sync(session, LIMITS.bind(lock_timeout=_MIGRATOR_WAIT))
        execute.fetch_one_sync(session, LOCK.bind(**{"class": _lock_class(session.schema)}))
        _bootstrap(session)
        applied = _applied(session)
        _require_history(session.schema, applied)
        if any(other.name == step.name for other in applied):
            return False
        execute.fetch_one_sync(session, LIMITS.bind(lock_timeout=_TABLE_WAIT))
        session.connection.execute(render(step.text, session.schema).encode())
        execute.execute_sync(
            session,
            RECORD.bind(name=step.name, sha256=step.sha256, minimum_code=step.minimum_code),
        )
        return True


def _bootstrap(session: execute.SyncSession) -> None:
    presence = execute.fetch_one_sync(session, EXISTS.bind(schema=session.schema))
    if not presence.schema_exists:
        session.connection.execute(
            sql.SQL("create schema {}").format(sql.Identifier(session.schema))
        )
    if not presence.table_exists:
        session.connection.execute(render(BOOTSTRAP, session.schema).encode())


def _applied(session: execute.SyncSession) -> list[AppliedStep]:
    presence = execute.fetch_one_sync(session, EXISTS.bind(schema=session.schema))
    return execute.fetch_all_sync(session, APPLIED.bind()) if presence.table_exists else []


@contextmanager
def _explained(session: execute.SyncSession, settings: DatabaseSettings) -> Iterator[None]:
    """Turn the server's refusals into errors of ours, with the next step."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        role = execute.fetch_one_sync(session, ROLE.bind())
        raise _permission_missing(role, session.schema, error) from error
    except psycopg.OperationalError as error:
        raise explain_connect(error, settings) from error
    except psycopg.Error as error:
        raise MigrationFailed(
            f"a migration of schema {session.schema!r} in {settings.target} failed;"
            f" nothing of its step was kept.\nThe server said: {str(error).splitlines()[0]}\n"
            "If somebody changed the tables by hand, undo that, then run: waymark migrate up",
            target=settings.target,
        ) from error


def _permission_missing(role: Role, schema: str, error: psycopg.Error) -> PermissionMissing:
    said = str(error).splitlines()[0]
    database = f'"{role.database}"'
    return PermissionMissing(
        f"role {role.role!r} may not use or create the schema {schema!r} in database"
        f" {role.database!r}.\nThe server said: {said}\n"
        f'Run as its owner: grant create on database {database} to "{role.role}";\n'
        f'If another role created the schema: grant usage, create on schema "{schema}" to "{role.role}";',
        target=role.database,
    )


def _require_usable(schema: str, applied: Sequence[AppliedStep]) -> None:
    _require_code(schema, applied)
    there = {step.name for step in applied}
    pending = [step.name for step in steps() if step.name not in there and step.expands]
    if pending:
        what = "lacks steps that this code needs" if applied else "does not exist yet"
        raise SchemaMissing(
            f"the schema {schema!r} {what}: {', '.join(pending)}.\n"
            "Run: waymark migrate up (or start a pool without WAYMARK_AUTO_MIGRATE=false).",
            pending=pending,
        )


def _require_code(schema: str, applied: Sequence[AppliedStep]) -> None:
    minimum = max((step.minimum_code for step in applied), default=0)
    if minimum > CODE:
        raise SchemaTooNew(
            f"the schema {schema!r} needs Waymark code {minimum} or newer; this is code {CODE}.\n"
            "A newer Waymark has migrated this database: upgrade this installation, all waymark-*"
            " packages alike.",
            minimum_code=minimum,
            code=CODE,
        )


def _require_history(schema: str, applied: Sequence[AppliedStep]) -> None:
    edited = [line.name for line in compare(steps(), applied) if line.state == "edited"]
    if edited:
        raise SchemaHistoryEdited(
            f"migration {edited[0]} of schema {schema!r} was applied with another text than this code"
            " has.\nApplied steps are never edited: install the released packages again, or use"
            " another WAYMARK_SCHEMA for a development build."
        )


def _lock_class(schema: str) -> int:
    return zlib.crc32(f"waymark migrate {schema}".encode()) & 0x7FFF_FFFF
