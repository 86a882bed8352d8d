"""The address of a database: what people paste goes in, connection parameters come out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote

from waymark_schema.errors import DatabaseUrlError

_SCHEMES: Final = frozenset({"postgres", "postgresql"})
_DRIVERS: Final = frozenset({"psycopg", "psycopg2", "psycopg_async", "psycopg2cffi", "asyncpg"})
_SHAPE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+._-]*)://(?P<rest>.*)", re.DOTALL)
_KEYWORDS = re.compile(r"\s*[a-z_]+\s*=")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT = re.compile(r"[0-9]{1,5}")
_MAX_PORT: Final = 65_535
_DEFAULT_PORT: Final = "5432"

_PARAMETERS: Final = frozenset(
    {
        "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "connect_timeout",
        "client_encoding", "options", "application_name", "sslmode", "sslcert", "sslkey", "sslpassword",
        "sslrootcert", "sslcrl", "sslcrldir", "sslcompression", "sslsni", "sslnegotiation",
        "ssl_min_protocol_version", "ssl_max_protocol_version", "gssencmode", "krbsrvname", "gsslib",
        "gssdelegation", "channel_binding", "require_auth", "service", "target_session_attrs",
        "load_balance_hosts", "keepalives", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "requirepeer",
    }
)  # fmt: skip
_SSL_WORDS: Final = {"true": "require", "1": "require", "false": "disable", "0": "disable"}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The parameters of a connection as libpq names them; a password never shows."""

    parameters: Mapping[str, str] = field(repr=False)

    @property
    def target(self) -> str:
        """The database as a person would name it, such as `app on db:5432 as app`."""
        name = (
            self.parameters.get("dbname") or self.parameters.get("user") or "the default database"
        )
        role = self.parameters.get("user")
        return f"{name} on {self._places()}" + (f" as {role}" if role else "")

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Host, port, database name and role, each as given."""
        taken = self.parameters.get
        return (
            taken("host") or taken("hostaddr") or taken("service") or "",
            taken("port") or _DEFAULT_PORT,
            taken("dbname") or taken("user") or "",
            taken("user") or "",
        )

    def _places(self) -> str:
        hosts = (self.parameters.get("host") or self.parameters.get("hostaddr") or "").split(",")
        ports = (self.parameters.get("port") or _DEFAULT_PORT).split(",")
        if len(ports) < len(hosts):
            ports = ports[:1] * len(hosts)
        if hosts == [""]:
            return f"the local socket, port {ports[0]}"
        return ", ".join(f"{host}:{port}" for host, port in zip(hosts, ports, strict=False))


def parse_url(text: str) -> DatabaseUrl:
    """Read what SQLAlchemy, Django, Heroku or libpq call a database URL, or a libpq keyword string.

    Raises DatabaseUrlError: what is wrong, and the string to use instead; never with the password.

    >>> parse_url("postgresql+asyncpg://app:p%40ss@db/app?ssl=require").parameters["sslmode"]
    'require'
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return _parse_keywords(text)
    scheme, plus, driver = shape["scheme"].lower().partition("+")
    if scheme not in _SCHEMES:
        raise DatabaseUrlError(
            f"WAYMARK_DATABASE_URL begins with {shape['scheme'] + '://'!r}; Waymark runs on PostgreSQL"
            " only.\nUse postgresql://user:password@host:5432/database"
        )
    if plus and driver not in _DRIVERS:
        raise DatabaseUrlError(
            f"WAYMARK_DATABASE_URL names the driver {driver!r}, which Waymark does not use.\n"
            f"Use the same address without it: {_masked('postgresql', shape['rest'])}"
        )
    return _parse_rest(shape["rest"])


def _parse_rest(rest: str) -> DatabaseUrl:
    address, _, query = rest.partition("?")
    if "#" in address or _BAD_ESCAPE.search(address):
        raise _unescaped()
    authority, _, name = address.partition("/")
    if "@" in name:
        raise _unescaped()
    credentials, at, places = authority.rpartition("@")
    if "@" in credentials:
        raise _unescaped()
    parameters: dict[str, str] = {}
    if at:
        user, colon, password = credentials.partition(":")
        _put(parameters, "user", unquote(user))
        if colon:
            _put(parameters, "password", unquote(password))
    _put_places(parameters, places)
    _put(parameters, "dbname", unquote(name))
    _put_query(parameters, query)
    return _checked(parameters)


def _put(parameters: dict[str, str], name: str, value: str) -> None:
    if value:
        parameters[name] = value


def _put_places(parameters: dict[str, str], places: str) -> None:
    if not places:
        return
    hosts: list[str] = []
    ports: list[str] = []
    for place in places.split(","):
        host, port = _split_place(place)
        hosts.append(host)
        ports.append(port or _DEFAULT_PORT)
    _put(parameters, "host", ",".join(hosts))
    if any(host or port != _DEFAULT_PORT for host, port in zip(hosts, ports, strict=True)):
        parameters["port"] = ports[0] if len(set(ports)) == 1 else ",".join(ports)


def _split_place(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) <= _MAX_PORT):
        # What stands here may be the rest of a password with an unescaped colon, slash or at sign.
        raise _unescaped("its port is not a number from 1 to 65535")
    return unquote(host), port


def _put_query(parameters: dict[str, str], query: str) -> None:
    for name, value in parse_qsl(query, keep_blank_values=True):
        key, kept = _translated(name, value)
        if key in {"host", "port"} and key in parameters and parameters[key] != kept:
            raise DatabaseUrlError(
                f"WAYMARK_DATABASE_URL gives {key!r} twice.\n"
                "Several hosts are written postgresql://user@first:5432,second:5432/database"
            )
        if key == "host" and re.search(r"[^/]:[0-9]+$", kept) and not kept.startswith("/"):
            raise DatabaseUrlError(
                f"WAYMARK_DATABASE_URL has host={kept!r} with a port in it.\n"
                "Write host and port before the question mark: postgresql://user@host:5432/database"
            )
        _put(parameters, key, kept)


def _translated(name: str, value: str) -> tuple[str, str]:
    """Say in libpq's words what other clients write."""
    if name == "ssl":
        return "sslmode", _SSL_WORDS.get(value.lower(), value)
    if name == "server_settings" or name not in _PARAMETERS:
        raise DatabaseUrlError(
            f"WAYMARK_DATABASE_URL has the option {name!r}, which libpq does not know.\n"
            "Leave it out; the options it takes are listed under"
            " https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS"
        )
    return name, value


def _parse_keywords(text: str) -> DatabaseUrl:
    if not _KEYWORDS.match(text):
        raise DatabaseUrlError(
            "WAYMARK_DATABASE_URL is not an address: it does not begin with 'postgresql://'.\n"
            "Use postgresql://user:password@host:5432/database"
        )
    parameters: dict[str, str] = {}
    pattern = re.compile(r"\s*([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)")
    position = 0
    while position < len(text.rstrip()):
        match = pattern.match(text, position)
        if match is None:
            raise DatabaseUrlError(
                "WAYMARK_DATABASE_URL looks like libpq keywords but cannot be read to its end.\n"
                "Quote values with spaces: host=db dbname=app user=app password='two words'"
            )
        value = match[2]
        if value.startswith("'"):
            value = value[1:-1]
        key, kept = _translated(match[1], re.sub(r"\\(.)", r"\1", value))
        _put(parameters, key, kept)
        position = match.end()
    return _checked(parameters)


def _checked(parameters: dict[str, str]) -> DatabaseUrl:
    if any("\x00" in value for value in parameters.values()):
        raise DatabaseUrlError("WAYMARK_DATABASE_URL contains a NUL character (%00); take it out.")
    return DatabaseUrl(parameters)


def _unescaped(reason: str = "a character in user or password is not escaped") -> DatabaseUrlError:
    return DatabaseUrlError(
        f"WAYMARK_DATABASE_URL cannot be read: {reason}.\n"
        "In user and password write % as %25, @ as %40, : as %3A, / as %2F, # as %23, ? as %3F;\n"
        "python -c 'import sys, urllib.parse as u; print(u.quote(sys.argv[1], safe=\"\"))' PASSWORD"
        " prints it escaped."
    )


def _masked(scheme: str, rest: str) -> str:
    address, _, _ = rest.partition("?")
    credentials, at, place = address.rpartition("@")
    user = credentials.partition(":")[0]
    shown = f"{user}:***@" if ":" in credentials else f"{user}{at}"
    return f"{scheme}://{shown}{place}"
