"""Which database, and how it is spoken to: environment variables go in, checked settings come out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from waymark_schema.database.statement import checked_schema
from waymark_schema.database.url import DatabaseUrl, parse_url
from waymark_schema.errors import DatabaseUrlError, SettingError

if TYPE_CHECKING:
    from waymark_schema.database.failpoints import Failpoints

DEFAULT_SCHEMA: Final = "waymark"
EXAMPLE_URL: Final = "postgresql://app:secret@localhost:5432/app"

VARIABLES: Final = {
    "WAYMARK_DATABASE_URL": f"the address of a PostgreSQL 14+ database, such as {EXAMPLE_URL}",
    "WAYMARK_SCHEMA": f"the name of a Postgres schema [{DEFAULT_SCHEMA}]",
    "WAYMARK_AUTO_MIGRATE": "true or false [true]",
    "WAYMARK_DATABASE_WAIT_S": "a whole number of seconds from 0 to 86400 [30]",
    "WAYMARK_DATABASE_POOL_SIZE": "a whole number from 2 to 1000",
    "WAYMARK_STATEMENT_TIMEOUT_MS": "a whole number of milliseconds from 100 to 86400000 [30000]",
    "WAYMARK_LISTEN": "one of auto, on, off [auto]",
}
"""What is read here, with what is allowed, for who asks a command for help."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_LISTEN = ("auto", "on", "off")
_MAX_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Everything a process needs to open sessions; neither `repr` nor `str` shows a password."""

    url: DatabaseUrl
    schema: str = DEFAULT_SCHEMA
    wait: timedelta = timedelta(seconds=30)
    """How long a starting process waits for a server that does not answer."""
    statement_timeout: timedelta = timedelta(seconds=30)
    pool_size: int | None = None
    """The most connections of one process; None: each has its own small number (docs/reference/connections.md)."""
    listen: str = "auto"
    auto_migrate: bool = True
    failpoints: "Failpoints | None" = field(default=None, compare=False)
    """None but in tests of crashes."""

    @property
    def target(self) -> str:
        """The database as a person would name it, without a password."""
        return self.url.target

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells two databases apart: host, port, name, role, schema; the bridge is keyed by it."""
        return (*self.url.identity, self.schema)


def from_environment(environment: Mapping[str, str]) -> DatabaseSettings:
    """Read the database settings, `os.environ` as a rule.

    Raises SettingError (DatabaseUrlError for the address itself) naming variable, value and what is
    allowed.

    >>> from_environment({"WAYMARK_DATABASE_URL": "postgres://app:x@db/app"}).target
    'app on db:5432 as app'
    """
    return DatabaseSettings(
        url=parse_url(_address(environment)),
        schema=_schema(environment.get("WAYMARK_SCHEMA", "") or DEFAULT_SCHEMA),
        wait=timedelta(
            seconds=_number(environment, "WAYMARK_DATABASE_WAIT_S", 30, 0, _MAX_SECONDS)
        ),
        statement_timeout=timedelta(
            milliseconds=_number(
                environment, "WAYMARK_STATEMENT_TIMEOUT_MS", 30_000, 100, _MAX_SECONDS * 1000
            )
        ),
        pool_size=_optional_number(environment, "WAYMARK_DATABASE_POOL_SIZE", 2, 1000),
        listen=_choice(environment, "WAYMARK_LISTEN", "auto", _LISTEN),
        auto_migrate=_truth(environment, "WAYMARK_AUTO_MIGRATE", default=True),
        failpoints=_failpoints(environment),
    )


def _failpoints(environment: Mapping[str, str]) -> "Failpoints | None":
    text = environment.get("WAYMARK_FAILPOINT", "").strip()
    if not text:
        return None
    from waymark_schema.database import failpoints  # noqa: PLC0415 - it loads the driver, which applications do not

    return failpoints.read(text)


def _address(environment: Mapping[str, str]) -> str:
    address = environment.get("WAYMARK_DATABASE_URL", "").strip()
    if not address:
        raise DatabaseUrlError(
            "WAYMARK_DATABASE_URL is not set; expected the address of a PostgreSQL 14+ database.\n"
            f"Set it, for example: export WAYMARK_DATABASE_URL={EXAMPLE_URL}\n"
            "To try Waymark without a database of your own, run: waymark dev"
        )
    return address


def _schema(name: str) -> str:
    try:
        return checked_schema(name)
    except ValueError as error:
        raise SettingError("WAYMARK_SCHEMA", f"WAYMARK_SCHEMA is wrong: {error}") from None


def _number(
    environment: Mapping[str, str], variable: str, default: int, low: int, high: int
) -> int:
    given = _optional_number(environment, variable, low, high)
    return default if given is None else given


def _optional_number(
    environment: Mapping[str, str], variable: str, low: int, high: int
) -> int | None:
    text = environment.get(variable, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingError(
            variable,
            f"{variable} is {text!r}; expected a whole number{_unit(variable)} from {low} to {high}.",
        )
    return int(text)


def _unit(variable: str) -> str:
    if variable.endswith("_MS"):
        return " of milliseconds"
    return " of seconds" if variable.endswith("_S") else ""


def _choice(
    environment: Mapping[str, str], variable: str, default: str, allowed: tuple[str, ...]
) -> str:
    text = environment.get(variable, "").strip().lower() or default
    if text not in allowed:
        raise SettingError(
            variable, f"{variable} is {text!r}; expected one of {', '.join(allowed)}."
        )
    return text


def _truth(environment: Mapping[str, str], variable: str, *, default: bool) -> bool:
    text = environment.get(variable, "").strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text:
        raise SettingError(variable, f"{variable} is {text!r}; expected true or false.")
    return default
